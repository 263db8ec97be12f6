package hub

import (
	"fmt"
	"testing"
	"time"

	"govor/hub/protocol"
)

// While hundreds come into other rooms, a room is told of who has come a little later, and of all at once.
func TestInAStormPresenceWaits(t *testing.T) {
	w, clock := newWorldAt(t, Limits{})
	a := w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Анна"}})
	a.next()         // You are
	tell := func() { // as the timer does
		w.hub.mu.Lock()
		r := w.hub.rooms[protocol.RoomLobby]
		w.hub.mu.Unlock()
		r.tell()
	}
	tell()
	if f := a.next(); f != "* Анна has joined" {
		t.Fatalf("%q", f)
	}
	clock.add(presenceInterval)
	for i := range stormSize {
		w.open(SessionParams{Format: protocol.Text{}, Room: fmt.Sprint("other-", i%10), Member: Member{Name: fmt.Sprint("m", i)}})
	}
	w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Борис"}})
	tell()
	w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Вера"}})
	for waited := time.Duration(0); waited < stormDelay; waited += stormWindow / 2 {
		if f := a.poll(); f != "" {
			t.Fatalf("after %v of the storm: %q", waited, f)
		}
		clock.add(stormWindow / 2)
		for range stormSize { // it goes on
			w.hub.storm.note(w.hub.now())
		}
		tell()
	}
	if f := a.next(); f != "* Борис has joined\n* Вера has joined" {
		t.Errorf("at last: %q", f)
	}
	w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Глеб"}})
	clock.add(presenceInterval)
	tell()
	if f := a.next(); f != "* Глеб has joined" {
		t.Errorf("after the storm: %q", f)
	}
}

func TestStormIsManyAtOnce(t *testing.T) {
	var s storm
	now := time.Now()
	for range 10 * stormSize { // many, but one after the other
		now = now.Add(stormWindow/stormSize + time.Millisecond)
		s.note(now)
	}
	if s.raging(now) {
		t.Error("a steady coming and going is taken for a storm")
	}
	for range stormSize {
		s.note(now)
	}
	if !s.raging(now) || !s.raging(now.Add(stormWindow-1)) || s.raging(now.Add(stormWindow)) {
		t.Error("a storm is not noticed, or does not pass")
	}
	if s.raging(now.Add(-time.Hour)) {
		t.Error("a clock that was put back makes a storm of hours")
	}
}
