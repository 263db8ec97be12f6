package hub

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

// tidyAfter is how many sessions come or go before memory is looked after.
const tidyAfter = 1000

// tidy calls release when many sessions have come or gone and no more do. It returns when ctx ends.
func (h *Hub) tidy(ctx context.Context, release func()) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	before, last := 0, 0 // when memory was given back, and a second ago
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		h.mu.Lock()
		n := len(h.sessions)
		h.mu.Unlock()
		quiet := apart(n, last) < tidyAfter/20
		last = n
		if quiet && apart(n, before) >= tidyAfter {
			before = n
			release()
		}
	}
}

// releaseMemory gives memory back to the system: handshakes leave several times of what their sessions need.
func (h *Hub) releaseMemory() {
	h.store.Shrink()
	runtime.GC() // pools let go of what they hold at the second collection only
	debug.FreeOSMemory()
}

func apart(a, b int) int { return max(a, b) - min(a, b) }
