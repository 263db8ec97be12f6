package main

import (
	"bytes"
	"testing"
)

// The family 9: big messages come back, whole, in fragments and chopped, within a minute each (see dial).
func TestBigMessagesComeBack(t *testing.T) {
	mega := 1 << 20
	if raceEnabled { // the detector looks at every byte; what it looks for does not depend on how many there are
		mega >>= 6
	}
	eachDriver(t, func(t *testing.T, addr string) {
		for _, op := range []byte{opText, opBinary} {
			for _, n := range []int{64 << 10, 256 << 10, mega, 4 * mega, 8 * mega, 16 * mega} {
				exchange(t, addr, op, n, func(l *wire, payload []byte) { l.raw(frame(fin|op, payload)) })
			}
			for _, size := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, mega, 4 * mega} {
				exchange(t, addr, op, 4*mega, func(l *wire, payload []byte) { l.raw(fragments(op, payload, size)) })
			}
			exchange(t, addr, op, 16*mega, func(l *wire, payload []byte) { l.raw(fragments(op, payload, 64)) })
			for _, size := range []int{64, 128, 256, 512, 1 << 10, 2 << 10} {
				exchange(t, addr, op, mega, func(l *wire, payload []byte) { l.chopped(frame(fin|op, payload), size) })
			}
		}
	})
}

// exchange sends a message of n bytes while it is already read, and wants it back.
func exchange(t *testing.T, addr string, op byte, n int, send func(*wire, []byte)) {
	t.Helper()
	payload := bytes.Repeat([]byte("*"), n)
	if op == opBinary {
		payload = bytes.Repeat([]byte{0xfe}, n)
	}
	l := dial(t, addr)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		send(l, payload)
	}()
	l.want(op, payload)
	<-sent
	l.leave()
}

func TestThousandRoundTrips(t *testing.T) {
	eachDriver(t, func(t *testing.T, addr string) {
		for _, op := range []byte{opText, opBinary} {
			for _, n := range []int{0, 16, 64, 256, 1 << 10, 4 << 10} {
				l := dial(t, addr)
				payload := bytes.Repeat([]byte("*"), n)
				for range 1000 {
					l.raw(frame(fin|op, payload))
					l.want(op, payload)
				}
				l.leave()
			}
		}
	})
}
