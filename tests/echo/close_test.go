package main

import (
	"bytes"
	"strings"
	"testing"
)

// The family 7: closing.
func TestClosingIsAnswered(t *testing.T) {
	payload := []byte("Hello World!")
	after := map[string][]byte{
		"nothing": nil, "another close": closing(1000, ""), "ping": frame(fin|opPing, nil), "text": frame(fin|opText, payload),
		"the rest of a message": frame(fin, payload),
	}
	eachDriver(t, func(t *testing.T, addr string) {
		for name, more := range after {
			t.Run("then "+name, func(t *testing.T) {
				l := dial(t, addr)
				l.raw(frame(fin|opText, payload))
				l.want(opText, payload)
				if name == "the rest of a message" {
					l.raw(frame(opText, payload))
				}
				l.raw(join(closing(1000, ""), more))
				l.want(opClose, []byte{0x03, 0xe8})
				l.wantGone()
			})
		}
		l := dial(t, addr) // a long message, another, close, ping: the close is answered, and nothing follows it
		l.raw(join(frame(fin|opText, bytes.Repeat([]byte("BAsd7&jh23"), 26<<10)), frame(fin|opText, payload), closing(1000, ""), frame(fin|opPing, nil)))
		l.wantClosed(1000)
	})
}

func TestCloseFrames(t *testing.T) {
	tests := []struct {
		name    string
		payload []byte
		want    []int
	}{
		{"empty", nil, []int{0}},
		{"one byte", []byte("a"), []int{1002}},
		{"code", []byte("\x03\xe8"), []int{1000}},
		{"code and reason", []byte("\x03\xe8Hello World!"), []int{1000}},
		{"code and the longest reason", append([]byte("\x03\xe8"), strings.Repeat("*", 123)...), []int{1000}},
		{"a reason that is too long", append([]byte("\x03\xe8"), strings.Repeat("*", 124)...), []int{1002}},
		{"a reason that is not UTF-8", []byte("\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"), []int{1002, 1007}},
	}
	eachDriver(t, func(t *testing.T, addr string) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				l := dial(t, addr)
				l.raw(frame(fin|opClose, tt.payload))
				l.wantClosed(tt.want...)
			})
		}
		for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
			l := dial(t, addr)
			l.raw(closing(code, "why"))
			l.wantClosed(code)
		}
		for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
			l := dial(t, addr)
			l.raw(closing(code, "why"))
			l.wantClosed(1002)
		}
	})
}
