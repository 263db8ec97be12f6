package hub

import (
	"testing"
	"unsafe"
)

// There are many sessions, and each has a seat: one more word in either puts it into the allocator's next size.
func TestSessionsAreSmall(t *testing.T) {
	if n := unsafe.Sizeof(Session{}); n > 416 {
		t.Errorf("a session has %d bytes, want at most 416", n)
	}
	if n := unsafe.Sizeof(seat{}); n > 128 {
		t.Errorf("a seat has %d bytes, want at most 128", n)
	}
}
