package store

import (
	"fmt"
	"sync"
	"testing"
)

// Memory is given back beside whatever goes on, and nothing of that fails or is lost.
func TestShrinkDisturbsNobody(t *testing.T) {
	s := talk(t)
	const rounds = 50
	var all sync.WaitGroup
	for reader := range 3 {
		all.Go(func() {
			for range rounds {
				if events, err := s.Events(t.Context(), "lobby", 0, 10, 10); err != nil || len(events) != 10 {
					t.Errorf("reader %d: %d events, %v", reader, len(events), err)
					return
				}
			}
		})
	}
	all.Go(func() {
		for i := range rounds {
			if r := apply(t, s, message("club", fmt.Sprint("more", i), 1, "x")); r[0].Err != nil {
				t.Error(r[0].Err)
			}
		}
	})
	all.Go(func() {
		for range rounds {
			s.Shrink()
		}
	})
	all.Wait()
	if room, _ := s.Room("club"); room.Last != 10+rounds {
		t.Errorf("the last event is %d, want %d", room.Last, 10+rounds)
	}
	if got := cap(s.readers.slots) - len(s.readers.slots); got != 0 {
		t.Errorf("%d readers are missing", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Shrink() // has nothing to do
}
