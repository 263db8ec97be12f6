package hub

import (
	"bytes"
	"testing"

	"govor/hub/protocol"
)

// A seat takes a segment at a time, and each costs a write; so what a busy room says at once lies in one, and a quiet
// room holds little.
func TestRingFitsItsSegmentsToTheRoom(t *testing.T) {
	g := newRing(protocol.JSON{}, 0)
	burst := func(n int) (segments int) {
		g.behind = 1
		for i := range n {
			g.append(bytes.Repeat([]byte("x"), 250), int64(i))
		}
		segments = len(g.segments)
		g.behind = 0
		g.giveBack()
		return segments
	}
	burst(32)
	if n := burst(32); n != 1 {
		t.Errorf("32 messages lie in %d segments, want 1", n)
	}
	for range 10 {
		burst(1)
	}
	g.append([]byte("x"), 1)
	if c := cap(g.segments[0].buf); c != minSegment {
		t.Errorf("a room that has become quiet takes %d bytes, want %d", c, minSegment)
	}
}
