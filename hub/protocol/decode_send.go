package protocol

import (
	"bytes"
	"unicode/utf8"
)

// decodeSend reads a plain send, which is nearly all that a busy server decodes: an object of the members type, room, id
// and text, each at most once and a string in which nothing is escaped. It is not ok for everything else, also for what
// is wrong: encoding/json reads that, and a send as decodeSend does.
func decodeSend(data []byte) (s Send, ok bool) {
	if len(data) == 0 || data[0] != '{' || !utf8.Valid(data) {
		return s, false
	}
	var fields sendFields
	for rest := data[1:]; ; {
		var key, value []byte
		if key, rest, ok = cutString(rest); !ok {
			return s, false
		}
		if rest, ok = bytes.CutPrefix(rest, []byte{':'}); !ok {
			return s, false
		}
		if value, rest, ok = cutString(rest); !ok || !fields.set(key, value) {
			return s, false
		}
		if len(rest) == 1 && rest[0] == '}' {
			break
		}
		if rest, ok = bytes.CutPrefix(rest, []byte{','}); !ok {
			return s, false
		}
	}
	if string(fields.typ) != "send" || fields.text == nil {
		return s, false
	}
	return Send{Room: string(fields.room), ID: string(fields.id), Text: string(fields.text)}, true
}

type sendFields struct{ typ, room, id, text []byte }

// set is false for a field that is unknown, or that there is already.
func (f *sendFields) set(key, value []byte) bool {
	var field *[]byte
	switch string(key) {
	case "type":
		field = &f.typ
	case "room":
		field = &f.room
	case "id":
		field = &f.id
	case "text":
		field = &f.text
	}
	if field == nil || *field != nil {
		return false
	}
	*field = value
	return true
}

// cutString cuts a JSON string without escapes from the beginning of b. s is not nil if it is ok.
func cutString(b []byte) (s, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, b, false
	}
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return b[1:i:i], b[i+1:], true
		case c == '\\' || c < 0x20:
			return nil, b, false
		}
	}
	return nil, b, false
}
