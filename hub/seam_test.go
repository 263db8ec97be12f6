package hub

import (
	"fmt"
	"testing"

	"govor/hub/protocol"
)

// hello resumes the lobby after a number.
func (c *client) hello(after int64) {
	c.t.Helper()
	c.send(`{"type":"hello","rooms":{"lobby":{"after":%d}}}`, after)
}

func TestSeam1NothingHappensMeanwhile(t *testing.T) {
	w := newWorld(t, Limits{})
	last := w.sayMany(700) // three blocks
	c := w.named("Иван")
	c.hello(100)
	if f := c.until("joined"); f.After != 100 || f.Last != last {
		t.Errorf("joined after %d last %d, want 100 and %d", f.After, f.Last, last)
	}
	c.wantRun(101, last)
	c.wantRun(last+1, w.say("lobby", "live"))
}

func TestSeam2DispatchedBetweenPinAndRead(t *testing.T) {
	w := newWorld(t, Limits{})
	last := w.sayMany(10)
	c := w.named("Иван")
	release := make(chan struct{})
	w.hub.hooks.loaded = func(*seat) { <-release }
	c.hello(0)
	more := w.sayMany(10)
	close(release)
	if more != last+10 {
		t.Fatalf("last number %d, want %d", more, last+10)
	}
	c.wantRun(1, more)
}

func TestSeam3StoredButNotDispatchedAtThePin(t *testing.T) {
	w := newWorld(t, Limits{})
	other := w.named("Анна") // keeps the room resident
	other.until("welcome")
	other.hello(0)
	last := w.sayMany(5)
	other.wantRun(1, last)
	w.gate.hold(true)
	stored := w.sayMany(5)
	c := w.named("Иван") // pinned at last, while the store holds five more
	c.hello(0)
	if f := c.until("joined"); f.Last != last {
		t.Errorf("pinned at %d, want %d", f.Last, last)
	}
	c.wantRun(1, last)
	if f := c.poll(); f != "" {
		t.Errorf("before dispatch: %s", f)
	}
	w.gate.hold(false)
	c.wantRun(last+1, stored)
}

func TestSeam4StoredBeforeTheRoomIsResidentAndDispatchedAfter(t *testing.T) {
	w := newWorld(t, Limits{})
	w.gate.hold(true)
	last := w.sayMany(5)
	c := w.named("Иван")
	c.hello(0)
	c.wantRun(1, last)
	w.gate.hold(false)
	c.wantRun(last+1, w.say("lobby", "once"))
}

func TestSeam5RingPassesThePinWhileTheSeatReads(t *testing.T) {
	w := newWorld(t, Limits{RingBytes: minSegment})
	w.sayMany(10)
	c := w.named("Иван")
	release := make(chan struct{})
	w.hub.hooks.loaded = func(*seat) { <-release }
	c.hello(0)
	last := w.sayMany(200) // far more than the ring holds
	close(release)
	c.wantRun(1, last)
	c.wantRun(last+1, w.say("lobby", "live"))
}

func TestSeam6DispatchedBetweenTwoBlocks(t *testing.T) {
	w := newWorld(t, Limits{})
	last := w.sayMany(600)
	c := w.named("Иван")
	block := 0
	w.hub.hooks.loaded = func(*seat) {
		if block++; block == 2 {
			last = w.sayMany(3)
		}
	}
	c.hello(0)
	c.wantRun(1, 600)
	c.wantRun(601, last)
}

func TestSeam7SlowSeatIsFedFromTheStoreAndGoesOnLive(t *testing.T) {
	w := newWorld(t, Limits{RingBytes: minSegment})
	slow := w.named("Иван")
	slow.hello(0)
	slow.until("joined")
	last := w.sayMany(300)
	slow.wantRun(1, last)
	slow.wantRun(last+1, w.sayMany(3))
}

func TestSeam8PageIsAheadOfDispatch(t *testing.T) {
	w := newWorld(t, Limits{})
	other := w.named("Анна")
	other.hello(0)
	first := w.say("lobby", "one")
	other.wantRun(first, first)
	w.gate.hold(true)
	last := w.say("lobby", "two") // a page read from the store has it already
	c := w.named("Иван")
	c.hello(last)
	if f := c.until("joined"); f.After != last {
		t.Errorf("joined after %d, want %d: no reset for what is stored", f.After, last)
	}
	w.gate.hold(false)
	next := w.say("lobby", "three")
	for {
		if f := c.until("message"); f.Seq == next {
			return
		} else if f.Seq != last { // that one may come twice, and changes nothing
			t.Fatalf("message %d", f.Seq)
		}
	}
}

func TestHeldSeatGetsWhatCameSinceTheConnectionWasOpened(t *testing.T) {
	w := newWorld(t, Limits{})
	c := w.named("Иван")
	last := w.sayMany(3)
	c.send(`{"type":"ping"}`) // the first command: no hello will come
	c.wantRun(1, last)
}

func TestHeldSeatBeginsWithoutAnyCommand(t *testing.T) {
	w := newWorld(t, Limits{})
	c := w.named("Иван")
	last := w.sayMany(3)
	c.wantRun(1, last) // after holdTime
}

func TestRingsAreGivenBackWhenEverybodyHasEverything(t *testing.T) {
	w := newWorld(t, Limits{})
	a, b := w.named("Анна"), w.named("Борис")
	for _, c := range []*client{a, b} {
		c.hello(0)
		c.until("joined")
	}
	last := w.sayMany(5)
	a.wantRun(1, last)
	r := w.hub.resident("lobby")
	held := len(r.rings[protocol.SubprotocolJSON].segments)
	r.mu.Unlock()
	if held == 0 {
		t.Error("the ring is empty while a seat is behind")
	}
	b.wantRun(1, last)
	eventually(t, "the ring is empty", func() bool {
		a.poll()
		b.poll()
		r := w.hub.resident("lobby")
		defer r.mu.Unlock()
		g := r.rings[protocol.SubprotocolJSON]
		return len(g.segments) == 0 && g.behind == 0
	})
}

func TestEndedSeatReadsNothingFromAfterItsEnd(t *testing.T) {
	for _, catching := range []bool{false, true} {
		t.Run(fmt.Sprintf("catching up %t", catching), func(t *testing.T) {
			w := newWorld(t, Limits{})
			m, err := w.hub.Login(t.Context(), "Мария", nil)
			if err != nil {
				t.Fatal(err)
			}
			before := w.sayMany(3)
			c := w.open(SessionParams{Member: m})
			release := make(chan struct{})
			if catching {
				w.hub.hooks.loaded = func(*seat) { <-release }
			}
			c.hello(before)
			c.until("joined")
			w.say("lobby", "before")
			if err := w.hub.Logout(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the session ends", func() bool { _, _, ok := c.s.Ending(); return ok })
			last := w.say("lobby", "after")
			close(release)
			for f := c.poll(); f != ""; f = c.poll() {
				if got := parse(t, f); got.Type == "message" && got.Seq >= last {
					t.Errorf("after the end: %s", f)
				}
			}
		})
	}
}
