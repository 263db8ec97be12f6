package hub

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryIsGivenBackOnceAfterAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{sessions: make(map[*Session]struct{})}
		released := 0
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go h.tidy(ctx, func() { released++ })
		come := func(n int) {
			h.mu.Lock()
			for range n {
				h.sessions[&Session{}] = struct{}{}
			}
			h.mu.Unlock()
			time.Sleep(time.Second)
			synctest.Wait()
		}
		for range 5 {
			come(tidyAfter)
			if released != 0 {
				t.Fatal("memory is given back while sessions come")
			}
		}
		for range 5 {
			come(1)
		}
		if released != 1 {
			t.Errorf("given back %d times, want once", released)
		}
	})
}
