package hub

import (
	"net/netip"
	"strings"
	"sync"
	"testing"

	"govor/hub/protocol"
)

const canary = "canary"

// author is a session that has said the canary in the lobby, among others.
func (w *world) author() (c *client, seq int64) {
	w.t.Helper()
	c = w.named("Иван")
	c.send(`{"type":"send","id":"said","text":%q}`, canary)
	seq = c.until("ack").Seq
	w.sayMany(3)
	return c, seq
}

// wantGone reads up to the deletion with a number: the text is in no frame, the deletion is in one.
func (c *client) wantGone(deletion int64) {
	c.t.Helper()
	for {
		f := c.next()
		if strings.Contains(f, canary) {
			c.t.Fatalf("after the deletion: %s", f)
		}
		if p := parse(c.t, f); p.Type == "deleted" && p.Seq == deletion {
			return
		}
	}
}

func (c *client) delete(seq int64) frame {
	c.t.Helper()
	c.send(`{"type":"delete","id":"taken","seq":%d}`, seq)
	return c.until("ack")
}

func TestDeletionReachesEverybody(t *testing.T) {
	var forgotten sync.Map
	w := newWorld(t, Limits{})
	w.hub.forget = func(text string) { forgotten.Store(text, true) }
	reader := w.named("Анна")
	reader.hello(0)
	lines := w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Пётр"}})
	c, seq := w.author()
	for f := reader.until("message"); f.Seq != seq; f = reader.until("message") {
	}
	ack := c.delete(seq)
	if ack.ID != "taken" || ack.Room != "lobby" || ack.Seq != seq+4 || ack.Duplicate {
		t.Errorf("receipt = %+v", ack)
	}
	f := reader.until("deleted")
	if f.Seq != ack.Seq || f.ID != "taken" || f.Room != "lobby" || f.From != "Иван" {
		t.Errorf("deleted = %+v", f)
	}
	for lines.next() != "* Иван deleted a message" {
	}
	if _, ok := forgotten.Load(canary); !ok {
		t.Error("the caches were not told")
	}
	if again := c.delete(seq); !again.Duplicate || again.Seq != ack.Seq || again.ID != "taken" {
		t.Errorf("a retry = %+v", again)
	}
	c.send(`{"type":"delete","id":"other","seq":%d}`, seq)
	if again := c.until("ack"); !again.Duplicate || again.Seq != ack.Seq || again.ID != "other" {
		t.Errorf("a second deletion = %+v", again)
	}
	next := w.say("lobby", "next")
	reader.wantRun(next, next)
}

func TestDeletionsThatAreRefused(t *testing.T) {
	w := newWorld(t, Limits{})
	c, seq := w.author()
	for _, tt := range []struct {
		command string
		code    protocol.Code
	}{
		{`{"type":"delete","id":"a","seq":2}`, protocol.CodeNotYours},
		{`{"type":"delete","id":"b","seq":99}`, protocol.CodeNoTarget},
		{`{"type":"delete","id":"c"}`, protocol.CodeBadFrame},
		{`{"type":"delete","id":"d","seq":-1}`, protocol.CodeBadFrame},
		{`{"type":"delete","id":"e","room":"club","seq":1}`, protocol.CodeNotInRoom},
		{`{"type":"delete","id":"f g","seq":1}`, protocol.CodeBadID},
		{`{"type":"delete","id":"said","seq":1}`, protocol.CodeIDReused},
	} {
		c.send("%s", tt.command)
		if f := c.until("error"); f.Code != string(tt.code) {
			t.Errorf("%s = %+v, want %s", tt.command, f, tt.code)
		}
	}
	guest, err := w.hub.Guest(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.hub.Delete(t.Context(), guest, netip.MustParseAddr("127.0.0.1"), protocol.Delete{Room: "lobby", Seq: seq})
	if e := asProtocol(err); e.Code != protocol.CodeNotYours || e.ID == "" || e.Room != "lobby" {
		t.Errorf("by HTTP = %+v", e)
	}
	if w.store.Position() != 5 {
		t.Errorf("Position = %d: a refusal was stored", w.store.Position())
	}
}

// Wherever a seat is when the text is taken away: what it has not been given yet does not hold it.
func TestDeletionOvertakesWhoIsBehind(t *testing.T) {
	t.Run("in the ring", func(t *testing.T) {
		w := newWorld(t, Limits{})
		slow := w.named("Анна")
		slow.hello(0)
		slow.until("joined")
		c, seq := w.author()
		ack := c.delete(seq)
		c.until("deleted") // dispatched
		slow.wantGone(ack.Seq)
		next := w.say("lobby", "next")
		slow.wantRun(next, next)
	})
	t.Run("held", func(t *testing.T) {
		w := newWorld(t, Limits{})
		slow := w.named("Анна") // has sent no command yet
		c, seq := w.author()
		ack := c.delete(seq)
		c.until("deleted")
		slow.send(`{"type":"ping"}`)
		slow.wantRun(seq, seq+3) // all that was said since it came, one without a text
		next := w.say("lobby", "next")
		slow.wantGone(ack.Seq)
		slow.wantRun(next, next)
	})
	t.Run("with a block that was loaded", func(t *testing.T) {
		w := newWorld(t, Limits{})
		c, seq := w.author()
		slow := w.named("Анна")
		slow.hello(0)
		eventually(t, "the block is loaded", func() bool { return slow.seatIs(loaded) })
		ack := c.delete(seq)
		c.until("deleted")
		slow.wantGone(ack.Seq)
	})
	t.Run("while its block is loaded", func(t *testing.T) {
		w := newWorld(t, Limits{})
		c, seq := w.author()
		var once sync.Once
		reached, release := make(chan struct{}), make(chan struct{})
		w.hub.hooks.loaded = func(*seat) {
			once.Do(func() {
				close(reached)
				<-release
			})
		}
		slow := w.named("Анна")
		slow.hello(0)
		<-reached
		ack := c.delete(seq)
		c.until("deleted")
		close(release)
		slow.wantGone(ack.Seq)
	})
	t.Run("with a block that another was given before", func(t *testing.T) {
		w := newWorld(t, Limits{})
		c, seq := w.author()
		other := w.named("Анна")
		other.hello(0)
		other.wantRun(1, seq+3)
		ack := c.delete(seq)
		c.until("deleted")
		slow := w.named("Пётр")
		slow.hello(0)
		slow.wantGone(ack.Seq)
	})
}

// seatIs tells whether the session's only seat is in a state.
func (c *client) seatIs(state seatState) bool {
	c.s.mu.Lock()
	seats := c.s.seatsLocked()
	c.s.mu.Unlock()
	if len(seats) != 1 {
		return false
	}
	seats[0].room.mu.Lock()
	defer seats[0].room.mu.Unlock()
	return seats[0].state == state
}

// Somebody who resumes after the message, before its deletion, is told of the deletion.
func TestResumeBehindADeletion(t *testing.T) {
	w := newWorld(t, Limits{})
	c, seq := w.author()
	ack := c.delete(seq)
	c.until("deleted")
	late := w.named("Анна")
	late.send(`{"type":"hello","rooms":{"lobby":{"after":%d,"id":"said"}}}`, seq)
	if f := late.until("joined"); f.After != seq || f.Last != ack.Seq {
		t.Errorf("joined = %+v", f)
	}
	late.wantRun(seq+1, seq+3)
	late.wantGone(ack.Seq)
	at := w.named("Пётр")
	at.send(`{"type":"hello","rooms":{"lobby":{"after":%d,"id":"taken"}}}`, ack.Seq)
	if f := at.until("joined"); f.After != ack.Seq {
		t.Errorf("a client that has the deletion last: %+v", f)
	}
	next := w.say("lobby", "next")
	at.wantRun(next, next)
}
