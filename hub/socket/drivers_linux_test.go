package socket

import (
	"net"
	"testing"
)

func drivers() []driver { return []driver{portable, looped} }

var looped = driver{"loop", func(t *testing.T, raw, in net.Conn, p Peer, limits Limits, done func()) {
	t.Helper()
	ls, err := NewLoops(limits, func(any, []byte) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ls.Close)
	if !ls.adopt(raw, in, p, done) {
		t.Fatal("the connection was not adopted")
	}
}}
