package hub

import (
	"sync"
	"time"
)

// holds lets held seats go when no first command has come within holdTime: one timer for all sessions, as they were
// all opened in the order in which their time is over.
type holds struct {
	mu      sync.Mutex // guards the fields below
	queue   []hold
	running bool // the timer is set, or what it calls has not returned
}

type hold struct {
	session *Session
	until   time.Time
}

func (h *holds) add(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queue = append(h.queue, hold{s, time.Now().Add(holdTime)})
	if !h.running {
		h.running = true
		time.AfterFunc(holdTime, h.expire)
	}
}

// expire lets go whose time is over, and sets the timer for the next.
func (h *holds) expire() {
	for {
		h.mu.Lock()
		if len(h.queue) == 0 {
			h.queue, h.running = nil, false
			h.mu.Unlock()
			return
		}
		next := h.queue[0]
		if left := time.Until(next.until); left > 0 {
			time.AfterFunc(left, h.expire)
			h.mu.Unlock()
			return
		}
		h.queue[0] = hold{}
		h.queue = h.queue[1:]
		h.mu.Unlock()
		if s := next.session; s.seating.TryLock() { // otherwise a first command is at it, and takes the held seat
			s.beginLocked()
			s.seating.Unlock()
		}
	}
}
