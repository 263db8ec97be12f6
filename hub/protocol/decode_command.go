package protocol

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// DecodeCommand reads a command as JSON, as clients of the JSON and of the HTML format send it. Unknown fields are
// ignored, an unknown type is an error that names it.
func DecodeCommand(data []byte) (Command, *Error) {
	if s, ok := decodeSend(data); ok {
		return s, nil
	}
	return decodeCommand(data)
}

func decodeCommand(data []byte) (Command, *Error) {
	var c struct {
		Type  string            `json:"type"`
		Token string            `json:"token"`
		Rooms map[string]Resume `json:"rooms"`
		Room  string            `json:"room"`
		ID    string            `json:"id"`
		Text  *string           `json:"text"`
		After *int64            `json:"after"`
		Seq   int64             `json:"seq"`
		Why   string            `json:"why"`
		Name  string            `json:"name"`
	}
	err := json.Unmarshal(data, &c)
	refuse := func(code Code, format string, args ...any) (Command, *Error) {
		return nil, Errorf(code, format, args...).About(clip(c.Room, 4*MaxNameLen), clip(c.ID, MaxIDLen))
	}
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		// This does not stop the decoder: the id may have been read, and its sender waits for an answer.
		if wrong.Field == "" {
			return refuse(CodeBadFrame, "a command is a JSON object, not a JSON %s", wrong.Value)
		}
		return refuse(CodeBadFrame, "the field %q cannot be a JSON %s", clip(wrong.Field, MaxIDLen), wrong.Value)
	}
	if err != nil {
		return refuse(CodeBadFrame, "this is not JSON: %v", err)
	}
	switch c.Type {
	case "hello":
		return Hello{Token: c.Token, Rooms: c.Rooms}, nil
	case "send":
		if c.Text == nil {
			return refuse(CodeBadFrame, "send needs a text")
		}
		return Send{Room: c.Room, ID: c.ID, Text: *c.Text}, nil
	case "edit":
		if c.Seq <= 0 || c.Text == nil {
			return refuse(CodeBadFrame, "edit needs the seq of a message and its new text")
		}
		return Edit{Room: c.Room, ID: c.ID, Seq: c.Seq, Text: *c.Text}, nil
	case "delete":
		if c.Seq <= 0 {
			return refuse(CodeBadFrame, "delete needs the seq of a message")
		}
		return Delete{Room: c.Room, ID: c.ID, Seq: c.Seq, Why: c.Why}, nil
	case "act":
		return decodeAct(data)
	case "join":
		return Join{Room: c.Room, Resume: Resume{After: c.After, ID: c.ID}}, nil
	case "leave":
		return Leave{Room: c.Room}, nil
	case "nick", "who":
		return askingForPeople(c.Type, c.Room, c.Name), nil
	case "read":
		if c.Seq <= 0 {
			return refuse(CodeBadFrame, "read needs the seq of what was read last")
		}
		return Read{Room: c.Room, Seq: c.Seq}, nil
	case "watch":
		return Watch{Rooms: c.Rooms}, nil
	case "ping":
		return Ping{}, nil
	case "":
		return refuse(CodeBadFrame, `a command has a "type"`)
	default:
		return refuse(CodeUnknownType, "this server knows no command %q", clip(c.Type, MaxIDLen))
	}
}

func askingForPeople(what, room, name string) Command {
	if what == "nick" {
		return Nick{Name: name}
	}
	return Who{Room: room}
}

// clip shortens s to at most n bytes, at a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
