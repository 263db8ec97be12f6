package socket

import (
	"net"
	"testing"
)

func drivers() []driver { return []driver{portable, looped} }

var looped = driver{
	name: "loop",
	start: func(t *testing.T, raw, in net.Conn, p Peer, limits Limits, done func()) {
		t.Helper()
		ls := newTestLoops(t, limits)
		t.Cleanup(ls.Close)
		if !ls.adopt(raw, in, nil, p, done) {
			t.Fatal("the connection was not adopted")
		}
	},
	shared: func(t *testing.T, limits Limits) (func(*net.TCPConn, Peer, func()), func()) {
		t.Helper()
		ls := newTestLoops(t, limits)
		return func(c *net.TCPConn, p Peer, done func()) {
			if !ls.adopt(c, c, nil, p, done) {
				t.Error("the connection was not adopted")
			}
		}, ls.Close
	},
}

func newTestLoops(t *testing.T, limits Limits) *Loops {
	t.Helper()
	ls, err := NewLoops(limits, nil, func(any, []byte) {})
	if err != nil {
		t.Fatal(err)
	}
	return ls
}
