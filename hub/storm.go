package hub

import (
	"sync"
	"time"
)

// Bounds of a storm. So many people come and go in a stormWindow, in all rooms together, that telling everybody of
// everybody would cost as much as letting them in; what is to be told of a room is put off by stormDelay at most.
const (
	stormSize   = 250
	stormWindow = 500 * time.Millisecond
	stormDelay  = 2 * time.Second
)

// storm notices when a great many come or go at once, as after a restart.
type storm struct {
	mu    sync.Mutex // guards the fields below
	since time.Time  // when the window began
	count int        // who came or went in it
	until time.Time  // so long it counts as a storm
}

// note counts somebody who comes or goes.
func (s *storm) note(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if passed := now.Sub(s.since); passed < 0 || passed >= stormWindow {
		s.since, s.count = now, 0
	}
	if s.count++; s.count >= stormSize {
		s.until = now.Add(stormWindow)
	}
}

func (s *storm) raging(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.until.Sub(now)
	return left > 0 && left <= stormWindow // more: the clock was put back
}
