package hub

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// A room that somebody opens while somebody else asks for it is not taken for another one.
func TestRoomMayBeOpenedWhileItIsChecked(t *testing.T) {
	w := newWorld(t, Limits{})
	for i := range 40 {
		room := "room" + strconv.Itoa(i)
		var opened atomic.Bool
		var checking sync.WaitGroup
		for range 4 {
			checking.Go(func() {
				for !opened.Load() {
					if _, bad := w.hub.CheckRoom(room); bad != nil {
						t.Error(bad)
						return
					}
				}
			})
		}
		w.say(room, "first")
		opened.Store(true)
		checking.Wait()
	}
}
