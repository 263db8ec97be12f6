package protocol

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// JSON is the format govor.v1.json: one JSON object per frame, specified in README.md.
type JSON struct{}

// Key implements Format.
func (JSON) Key() string { return SubprotocolJSON }

// Append implements Format.
func (JSON) Append(dst []byte, f Frame) []byte {
	switch f := f.(type) {
	case Message:
		return appendMessage(dst, f.Event)
	case Receipt:
		return appendReceipt(dst, f)
	case Joined:
		return appendJoined(dst, f)
	case Welcome:
		return appendWelcome(dst, f)
	default:
		return appendOther(dst, f)
	}
}

// appendMessage and appendReceipt are written out because they are what a busy server encodes.
func appendMessage(dst []byte, e *Event) []byte {
	switch e.Kind {
	case KindMessage:
	case KindEdit:
		return appendEdited(dst, e)
	case KindDeletion:
		return appendChange(dst, "deleted", e)
	default:
		return dst
	}
	dst = append(dst, `{"type":"message","room":`...)
	dst = appendString(dst, e.Room)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendInt(dst, e.Seq, 10)
	dst = append(dst, `,"id":`...)
	dst = appendString(dst, e.ID)
	dst = append(dst, `,"member":"`...)
	dst = appendMember(dst, e.Member)
	dst = append(dst, `","from":`...)
	dst = appendString(dst, e.Name)
	dst = append(dst, `,"text":`...)
	dst = appendString(dst, e.Body)
	dst = appendDoing(dst, e.Body)
	dst = appendMentions(dst, e.Mentions)
	dst = append(dst, `,"at":"`...)
	dst = e.Time().AppendFormat(dst, timeFormat)
	dst = append(dst, '"')
	if e.Changed != 0 {
		dst = append(dst, `,"changed":`...)
		dst = strconv.AppendInt(dst, e.Changed, 10)
	}
	if e.Erased {
		dst = append(dst, `,"erased":true`...)
	}
	return append(dst, '}')
}

func appendEdited(dst []byte, e *Event) []byte {
	dst = appendChange(dst, "edited", e)
	dst = append(dst[:len(dst)-1], `,"text":`...)
	dst = appendString(dst, e.Present())
	dst = appendDoing(dst, e.Present())
	dst = appendMentions(dst, e.Named())
	if e.Of != nil && e.Of.Erased {
		dst = append(dst, `,"erased":true`...)
	}
	return append(dst, '}')
}

// appendChange writes what every event that changes a message says.
func appendChange(dst []byte, kind string, e *Event) []byte {
	dst = append(append(append(dst, `{"type":"`...), kind...), `","room":`...)
	dst = appendString(dst, e.Room)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendInt(dst, e.Seq, 10)
	dst = append(dst, `,"target":`...)
	dst = strconv.AppendInt(dst, e.Target, 10)
	dst = append(dst, `,"id":`...)
	dst = appendString(dst, e.ID)
	dst = append(dst, `,"member":"`...)
	dst = appendMember(dst, e.Member)
	dst = append(dst, `","from":`...)
	dst = appendString(dst, e.Name)
	dst = append(dst, `,"at":"`...)
	dst = e.Time().AppendFormat(dst, timeFormat)
	return append(dst, `"}`...)
}

// appendDoing says of a text that it is an action.
func appendDoing(dst []byte, text string) []byte {
	if _, ok := Doing(text); ok {
		dst = append(dst, `,"me":true`...)
	}
	return dst
}

// appendMentions appends the ids of those who are mentioned; nothing where nobody is.
func appendMentions(dst []byte, m Mentions) []byte {
	for i, id := range m.Members() {
		if i == 0 {
			dst = append(dst, `,"mentions":["`...)
		} else {
			dst = append(dst, `,"`...)
		}
		dst = append(append(dst, id...), '"')
	}
	if m != "" {
		dst = append(dst, ']')
	}
	return dst
}

func appendMember(dst []byte, m MemberID) []byte {
	return base64.RawURLEncoding.AppendEncode(dst, m[:])
}

func appendReceipt(dst []byte, r Receipt) []byte {
	dst = append(dst, `{"type":"ack","id":`...)
	dst = appendString(dst, r.ID)
	dst = append(dst, `,"room":`...)
	dst = appendString(dst, r.Room)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendInt(dst, r.Seq, 10)
	dst = append(dst, `,"duplicate":`...)
	dst = strconv.AppendBool(dst, r.Duplicate)
	return append(dst, '}')
}

func appendWelcome(dst []byte, w Welcome) []byte {
	dst = append(dst, `{"type":"welcome","session":`...)
	dst = appendString(dst, w.Session)
	dst = append(dst, `,"member":"`...)
	dst = appendMember(dst, w.Member)
	dst = append(dst, `","name":`...)
	dst = appendString(dst, w.Name)
	if w.Token != "" {
		dst = append(dst, `,"token":`...)
		dst = appendString(dst, w.Token)
	}
	dst = append(dst, `,"limits":{"text":`...)
	dst = strconv.AppendInt(dst, int64(w.MaxText), 10)
	dst = append(dst, `,"unacknowledged":`...)
	dst = strconv.AppendInt(dst, MaxUnacknowledged, 10)
	return append(dst, '}', '}')
}

// appendJoined and appendWelcome are written out because after a restart everybody gets them.
func appendJoined(dst []byte, j Joined) []byte {
	dst = slices.Grow(dst, len(j.Room)+personSize*(1+len(j.People)))
	dst = append(dst, `{"type":"joined","room":`...)
	dst = appendString(dst, j.Room)
	dst = append(dst, `,"after":`...)
	dst = strconv.AppendInt(dst, j.After, 10)
	dst = append(dst, `,"last":`...)
	dst = strconv.AppendInt(dst, j.Last, 10)
	dst = append(dst, `,"online":`...)
	dst = strconv.AppendInt(dst, int64(j.Online), 10)
	for i, p := range j.People {
		if i == 0 {
			dst = append(dst, `,"people":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"member":"`...)
		dst = appendMember(dst, p.Member)
		dst = append(dst, `","name":`...)
		dst = appendString(dst, p.Name)
		if p.Role != RoleNone {
			dst = appendString(append(dst, `,"role":`...), string(p.Role))
		}
		dst = append(dst, '}')
	}
	if len(j.People) > 0 {
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// personSize is about what a person takes in a frame, in bytes.
const personSize = 96

// timeFormat is RFC 3339 in UTC with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

type jsonFrame struct {
	Type         string       `json:"type"`
	Room         string       `json:"room,omitempty"`
	ID           string       `json:"id,omitempty"`
	Reason       ResetReason  `json:"reason,omitempty"`
	After        *int64       `json:"after,omitempty"`
	Last         *int64       `json:"last,omitempty"`
	Online       *int         `json:"online,omitempty"`
	Seq          int64        `json:"seq,omitempty"`
	Messages     *int64       `json:"messages,omitempty"`
	Mentions     int          `json:"mentions,omitempty"`
	Joined       []string     `json:"joined,omitempty"`
	JoinedCount  int          `json:"joined_count,omitempty"`
	Left         []string     `json:"left,omitempty"`
	LeftCount    int          `json:"left_count,omitempty"`
	Renamed      []jsonName   `json:"renamed,omitempty"`
	People       []jsonPerson `json:"people,omitempty"`
	At           string       `json:"at,omitempty"`
	Code         Code         `json:"code,omitempty"`
	Message      string       `json:"message,omitempty"`
	Suggestion   string       `json:"suggestion,omitempty"`
	RetryAfterMS int64        `json:"retry_after_ms,omitempty"`
	Action       Action       `json:"action,omitempty"`
	Member       string       `json:"member,omitempty"`
	Name         string       `json:"name,omitempty"`
	By           string       `json:"by,omitempty"`
	You          bool         `json:"you,omitempty"`
	Role         Role         `json:"role,omitempty"`
	Until        string       `json:"until,omitempty"`
	SlowMS       int64        `json:"slow_ms,omitempty"`
	Why          string       `json:"why,omitempty"`
}

func appendOther(dst []byte, f Frame) []byte {
	var j jsonFrame
	switch f := f.(type) {
	case Reset:
		j = jsonFrame{Type: "reset", Room: f.Room, Reason: f.Reason, After: &f.After, Last: &f.Last}
	case *Presence:
		j = jsonFrame{
			Type: "presence", Room: f.Room, Online: &f.Online, Joined: f.Joined, JoinedCount: f.JoinedCount,
			Left: f.Left, LeftCount: f.LeftCount, Renamed: namesJSON(f.Renamed), At: f.At.UTC().Format(timeFormat),
		}
	case *Error:
		j = jsonFrame{
			Type: "error", Room: f.Room, ID: f.ID, Code: f.Code, Message: f.Message, Suggestion: f.Suggestion,
			RetryAfterMS: f.RetryAfter.Milliseconds(), Why: f.Why,
		}
	case *Notice:
		j = noticeJSON(f)
	case People:
		j = jsonFrame{Type: "people", Room: f.Room, Online: &f.Online, People: peopleJSON(f.People)}
	case Left:
		j = jsonFrame{Type: "left", Room: f.Room}
	case News:
		j = jsonFrame{Type: "news", Room: f.Room, Last: &f.Last, Messages: &f.Messages, Mentions: f.Mentions}
	case ReadMark:
		j = jsonFrame{Type: "read", Room: f.Room, Seq: f.Seq, Messages: &f.Messages}
	case Pong:
		j = jsonFrame{Type: "pong"}
	default:
		return dst
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&j); err != nil {
		panic("encode frame: " + err.Error()) // the struct holds nothing that cannot be encoded
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte{'\n'})...)
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259 §7). Invalid UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			i++
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// Decode implements Format.
func (JSON) Decode(data []byte) (Command, *Error) { return DecodeCommand(data) }

// ParseTime reads an "at" of the JSON format.
func ParseTime(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) }
