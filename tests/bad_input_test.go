package tests

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// Every bad command gets an error with a stable code, and nothing else changes: the connection goes on.
func TestBadCommandsGetAnErrorAndNothingElseChanges(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		c := s.joined("Робот")
		for _, tt := range []struct{ name, frame, code, id string }{
			{"broken JSON", `{"type":`, "bad_frame", ""},
			{"no JSON", `привет`, "bad_frame", ""},
			{"an empty frame", ``, "bad_frame", ""},
			{"a list", `[]`, "bad_frame", ""},
			{"no type", `{}`, "bad_frame", ""},
			{"an unknown type", `{"type":"dance","id":"x-1"}`, "unknown_type", "x-1"},
			{"a frame of the server", `{"type":"message","text":"forged","from":"admin"}`, "unknown_type", ""},
			{"no text", `{"type":"send","id":"x-2"}`, "bad_frame", "x-2"},
			{"a text that is a number", `{"type":"send","id":"x-3","text":5}`, "bad_frame", "x-3"},
			{"nothing to say", `{"type":"send","id":"x-4","text":" \n\t"}`, "empty", "x-4"},
			{"too long", `{"type":"send","id":"x-5","text":"` + strings.Repeat("я", 8001) + `"}`, "too_long", "x-5"},
			{"an id with spaces", `{"type":"send","id":"a b","text":"x"}`, "bad_id", "a b"},
			{"an id that is too long", `{"type":"send","id":"` + strings.Repeat("x", 65) + `","text":"x"}`, "bad_id", ""},
			{"a room that is not joined", `{"type":"send","id":"x-6","room":"other","text":"x"}`, "not_in_room", "x-6"},
			{"a room that is not allowed", `{"type":"send","id":"x-7","room":"a b","text":"x"}`, "bad_room", "x-7"},
			{"the reserved room", `{"type":"send","id":"x-8","room":"$server","text":"x"}`, "bad_room", "x-8"},
			{"join the reserved room", `{"type":"join","room":"$server","after":0}`, "bad_room", ""},
			{"join without a room", `{"type":"join"}`, "bad_room", ""},
			{"join with a negative number", `{"type":"join","room":"lobby","after":-1}`, "bad_frame", ""},
			{"leave a room that was not joined", `{"type":"leave","room":"other"}`, "not_in_room", ""},
			{"hello with a bad room", `{"type":"hello","rooms":{"a/b":{}}}`, "bad_room", ""},
			{"hello with a bad token", `{"type":"hello","token":"nonsense"}`, "bad_token", ""},
		} {
			c.write(tt.frame)
			e := c.frame("error")
			if e.Code != tt.code || tt.id != "" && e.ID != tt.id || e.Message == "" {
				t.Errorf("%s: %s, want %s about %q", tt.name, tail(e.raw, 300), tt.code, tt.id)
			}
		}
		c.say("good", "всё ещё здесь")
		if a := c.answer("good"); a.Type != "ack" || a.Seq != 1 {
			t.Errorf("after all that: %s", a.raw)
		}
	})
}

func TestFramesThatEndTheConnection(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		witness := s.joined("Свидетель")
		for _, tt := range []struct {
			name, subprotocol string
			typ               websocket.MessageType
			data              string
			code              int
		}{
			{"text that is not UTF-8", "", websocket.MessageText, "a\xffb", 1007},
			{"JSON that is not UTF-8", "govor.v1.json", websocket.MessageText, "{\"type\":\"send\",\"text\":\"\xff\"}", 1007},
			{"half a character", "", websocket.MessageText, "\xd0", 1007},
			{"a frame over the limit", "", websocket.MessageText, strings.Repeat("a", 65537), 1009},
			{"a binary frame", "govor.v1.json", websocket.MessageBinary, `{"type":"ping"}`, 1003},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c := s.dial(nil, tt.subprotocol, nil)
				c.next("welcome")
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				_ = c.ws.Write(ctx, tt.typ, []byte(tt.data)) // the server may end it before it has taken everything
				if code, reason := c.ended(); code != tt.code {
					t.Errorf("ended with %d %q, want %d", code, reason, tt.code)
				}
			})
		}
		witness.say("w-1", "я здесь")
		if a := witness.answer("w-1"); a.Seq != 1 {
			t.Errorf("the others notice: %s", a.raw)
		}
	})
}

func TestTooLongTextIsReadable(t *testing.T) {
	t.Parallel()
	s := start(t, "--max-text", "10")
	c, _ := s.text("Иван", "")
	c.write("двенадцать знаков")
	line := c.await("error too_long")
	if !strings.HasPrefix(line, "* error too_long: ") || !strings.Contains(line, "7 more") {
		t.Errorf("the error is %q", line)
	}
	c.write("коротко")
	c.await("Иван: коротко")
}

func TestBadAddressesAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, query := range []url.Values{
		{"room": {"a b"}},
		{"room": {"$server"}},
		{"room": {"../x"}},
		{"room": {strings.Repeat("x", 33)}},
		{"room": {"a\xff"}},
		{"name": {"a:b"}},
		{"name": {"* x"}},
		{"name": {"a\nb"}},
		{"name": {"\u202ea"}},
		{"name": {strings.Repeat("x", 33)}},
		{"name": {"a\xff"}},
		{"history": {"-1"}},
		{"history": {"x"}},
		{"history": {"1001"}},
		{"after": {"-1"}},
		{"after": {"x"}},
		{"after": {"1"}, "history": {"1"}},
	} {
		c, status, err := s.tryDial(query, "", nil)
		if err == nil {
			t.Errorf("/ws?%s is allowed", query.Encode())
			c.close()
			continue
		}
		if status != http.StatusBadRequest {
			t.Errorf("/ws?%s: %d, %v, want 400", query.Encode(), status, err)
		}
	}
	for _, path := range []string{"/r/a%20b", "/r/$server", "/r/%2e%2e", "/r/a%2fb", "/r/$server/messages.json", "/r/.a/messages.json"} {
		if r := s.request("GET", path, ""); r.status < 400 || r.status >= 500 {
			t.Errorf("GET %s = %d, want an error of the client", path, r.status)
		}
	}
	if r := s.curl("/r/$server/messages?name=ci", "text"); r.status < 400 || r.status >= 500 {
		t.Errorf("POST to $server = %d %s", r.status, r.body)
	}
}

func TestHandshakesThatAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	if r := s.request("GET", "/ws", ""); r.status != http.StatusUpgradeRequired {
		t.Errorf("GET /ws without an upgrade = %d, want 426", r.status)
	}
	if r := s.request("POST", "/ws", ""); r.status != http.StatusMethodNotAllowed && r.status != http.StatusUpgradeRequired {
		t.Errorf("POST /ws = %d, want 405 or 426", r.status)
	}
	for name, header := range map[string][]string{
		"no key":     {"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13"},
		"short key":  {"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "abc"},
		"version 8":  {"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "8", "Sec-WebSocket-Key", key},
		"no version": {"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Key", key},
	} {
		if r := s.request("GET", "/ws", "", header...); r.status != http.StatusBadRequest && r.status != http.StatusUpgradeRequired {
			t.Errorf("%s: %d, want 400 or 426", name, r.status)
		}
	}
}
