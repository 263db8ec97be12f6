package protocol

import (
	"encoding/json"
	"fmt"
	"time"
)

type jsonLimits struct {
	Text           int `json:"text"`
	Unacknowledged int `json:"unacknowledged"`
}

type jsonPerson struct {
	Member string `json:"member"`
	Name   string `json:"name"`
	Role   Role   `json:"role,omitempty"`
}

// jsonMentions is how many messages mention who reads. In a message it is the members whom it mentions, which no caller
// needs.
type jsonMentions int

// UnmarshalJSON implements json.Unmarshaler.
func (m *jsonMentions) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return nil
	}
	return json.Unmarshal(data, (*int)(m))
}

// wireFrame has every field that a frame of govor.v1.json may have.
type wireFrame struct {
	Type         string       `json:"type"`
	Room         string       `json:"room"`
	ID           string       `json:"id"`
	Seq          int64        `json:"seq"`
	Target       int64        `json:"target"`
	Session      string       `json:"session"`
	Member       string       `json:"member"`
	Name         string       `json:"name"`
	From         string       `json:"from"`
	Text         string       `json:"text"`
	Token        string       `json:"token"`
	Limits       jsonLimits   `json:"limits"`
	Reason       ResetReason  `json:"reason"`
	After        int64        `json:"after"`
	Last         int64        `json:"last"`
	Online       int          `json:"online"`
	Messages     int64        `json:"messages"`
	Mentions     jsonMentions `json:"mentions"`
	People       []jsonPerson `json:"people"`
	Joined       []string     `json:"joined"`
	JoinedCount  int          `json:"joined_count"`
	Left         []string     `json:"left"`
	LeftCount    int          `json:"left_count"`
	Renamed      []jsonName   `json:"renamed"`
	At           string       `json:"at"`
	Changed      int64        `json:"changed"`
	Erased       bool         `json:"erased"`
	Duplicate    bool         `json:"duplicate"`
	Code         Code         `json:"code"`
	Message      string       `json:"message"`
	Suggestion   string       `json:"suggestion"`
	RetryAfterMS int64        `json:"retry_after_ms"`
	Action       Action       `json:"action"`
	By           string       `json:"by"`
	You          bool         `json:"you"`
	Role         Role         `json:"role"`
	Until        string       `json:"until"`
	SlowMS       int64        `json:"slow_ms"`
	Why          string       `json:"why"`
}

// DecodeFrame reads a frame of govor.v1.json: the other direction of JSON.Append. Unknown fields are ignored; a type
// that this program does not know is (nil, nil), because a server may say more than its clients know. Nothing is cleaned
// or checked beyond its syntax: what is shown on a terminal has to go through CleanText.
func DecodeFrame(data []byte) (Frame, error) {
	var w wireFrame
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("decode frame: %w", err)
	}
	switch w.Type {
	case "welcome":
		member, err := ParseMemberID(w.Member)
		if err != nil {
			return nil, fmt.Errorf("decode welcome: %w", err)
		}
		return Welcome{Session: w.Session, Member: member, Name: w.Name, Token: w.Token, MaxText: w.Limits.Text}, nil
	case "joined":
		return w.joined()
	case "reset":
		return Reset{Room: w.Room, Reason: w.Reason, After: w.After, Last: w.Last}, nil
	case "message", "edited", "deleted":
		return w.event()
	case "presence":
		return w.presence()
	case "ack":
		return Receipt{Room: w.Room, ID: w.ID, Seq: w.Seq, Duplicate: w.Duplicate}, nil
	case "error":
		return &Error{
			Code: w.Code, Message: w.Message, RetryAfter: time.Duration(w.RetryAfterMS) * time.Millisecond,
			Suggestion: w.Suggestion, ID: w.ID, Room: w.Room, Why: w.Why,
		}, nil
	case "notice":
		return w.notice()
	case "people":
		return w.inRoom()
	case "left":
		return Left{Room: w.Room}, nil
	case "news":
		return News{Room: w.Room, Last: w.Last, Messages: w.Messages, Mentions: int(w.Mentions)}, nil
	case "read":
		return ReadMark{Room: w.Room, Seq: w.Seq, Messages: w.Messages}, nil
	case "pong":
		return Pong{}, nil
	case "":
		return nil, fmt.Errorf("decode frame: no type")
	default:
		return nil, nil
	}
}

func (w *wireFrame) joined() (Frame, error) {
	people, err := w.people()
	if err != nil {
		return nil, fmt.Errorf("decode joined: %w", err)
	}
	return Joined{Room: w.Room, After: w.After, Last: w.Last, Online: w.Online, People: people}, nil
}

func (w *wireFrame) inRoom() (Frame, error) {
	people, err := w.people()
	if err != nil {
		return nil, fmt.Errorf("decode people: %w", err)
	}
	return People{Room: w.Room, Online: w.Online, People: people}, nil
}

func (w *wireFrame) event() (Frame, error) {
	member, err := ParseMemberID(w.Member)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", w.Type, err)
	}
	at, err := ParseTime(w.At)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", w.Type, err)
	}
	kind := map[string]Kind{"message": KindMessage, "edited": KindEdit, "deleted": KindDeletion}[w.Type]
	return Message{&Event{
		Room: w.Room, Kind: kind, V: Version, ID: w.ID, Member: member, Name: w.From, At: at.UnixMilli(),
		Target: w.Target, Body: w.Text, Seq: w.Seq, Changed: w.Changed, Erased: w.Erased,
	}}, nil
}

func (w *wireFrame) presence() (Frame, error) {
	people, err := w.people()
	if err != nil {
		return nil, fmt.Errorf("decode presence: %w", err)
	}
	at, err := ParseTime(w.At)
	if err != nil {
		return nil, fmt.Errorf("decode presence: %w", err)
	}
	var renamed []Rename
	for _, n := range w.Renamed {
		member, err := ParseMemberID(n.Member)
		if err != nil {
			return nil, fmt.Errorf("decode presence: %w", err)
		}
		renamed = append(renamed, Rename{Member: member, Was: n.Was, Name: n.Name})
	}
	return &Presence{
		Room: w.Room, Online: w.Online, Joined: w.Joined, JoinedCount: w.JoinedCount,
		Left: w.Left, LeftCount: w.LeftCount, Renamed: renamed, People: people, At: at,
	}, nil
}

func (w *wireFrame) people() ([]Person, error) {
	var people []Person
	for _, p := range w.People {
		member, err := ParseMemberID(p.Member)
		if err != nil {
			return nil, err
		}
		people = append(people, Person{Member: member, Name: p.Name, Role: p.Role})
	}
	return people, nil
}
