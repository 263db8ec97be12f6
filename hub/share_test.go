package hub

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"govor/hub/line"
	"govor/hub/protocol"
)

// fedLoop is an event loop as a test plays it: it writes the lines of all its clients from the test's goroutine.
type fedLoop struct {
	t *testing.T
	r *rand.Rand

	mu    sync.Mutex // guards the field below
	feeds []line.Feed

	shares, parts int // written as such
}

func (l *fedLoop) Feed(f line.Feed, _ bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.feeds, f) {
		panic("a feed was told of twice")
	}
	l.feeds = append(l.feeds, f)
}

// fedClient is a client whose socket may take part of a write.
type fedClient struct {
	loop   *fedLoop
	s      *Session
	name   string
	woken  atomic.Bool
	holds  atomic.Bool
	parked bool
	got    []byte
}

func (c *fedClient) Wake(bool)           { c.woken.Store(true) }
func (c *fedClient) Hold()               { c.holds.Store(true) }
func (c *fedClient) Feeder() line.Feeder { return c.loop }
func (c *fedClient) Idle() bool          { return !c.woken.Load() && !c.holds.Load() && !c.parked }

// takes is how much of n bytes the socket takes.
func (c *fedClient) takes(n int) int {
	if c.loop.r.IntN(4) > 0 {
		return n
	}
	return c.loop.r.IntN(n + 1)
}

// pump asks one feed for a few shares and writes them.
func (l *fedLoop) pump() (did bool) {
	l.mu.Lock()
	if len(l.feeds) == 0 {
		l.mu.Unlock()
		return false
	}
	f := l.feeds[0]
	l.feeds = l.feeds[1:]
	l.mu.Unlock()
	dst := make([]line.Share, 1+l.r.IntN(5))
	n, more := f.Next(dst)
	if more {
		l.mu.Lock()
		l.feeds = append(l.feeds, f)
		l.mu.Unlock()
	}
	for _, s := range dst[:n] {
		c, ok := s.To.(*fedClient)
		if !ok {
			l.t.Fatal("a share for somebody else's line")
		}
		if !c.Idle() { // as a loop does: this is not its first share, or it was woken meanwhile
			c.s.Keep(s.Bytes)
			c.parked = true
			continue
		}
		took := c.takes(len(s.Bytes))
		c.got = append(c.got, s.Bytes[:took]...)
		l.shares++
		if took < len(s.Bytes) {
			l.parts++
			c.parked = true
			c.s.Keep(s.Bytes[took:])
		}
	}
	return true
}

// visit writes what the session has to write, or part of it.
func (c *fedClient) visit() {
	c.woken.Store(false)
	c.holds.Store(false)
	for {
		b := c.s.Pending()
		if c.parked = len(b) > 0; !c.parked {
			return
		}
		n := c.takes(len(b))
		c.got = append(c.got, b[:n]...)
		c.s.Wrote(n)
		if n < len(b) {
			return
		}
	}
}

// numbers are those of the events that came, after the first joined.
func (c *fedClient) numbers(t *testing.T) (after int64, seqs []int64) {
	t.Helper()
	for _, text := range splitFrames(t, c.got) {
		switch f := parse(t, text); f.Type {
		case "joined":
			after = f.After
		case "message", "deleted":
			seqs = append(seqs, f.Seq)
		}
	}
	return after, seqs
}

func (c *fedClient) check(t *testing.T, upto int64) {
	t.Helper()
	after, seqs := c.numbers(t)
	for i, seq := range seqs {
		if want := after + 1 + int64(i); seq != want {
			t.Fatalf("%s has %d as its %d. event after %d, want %d", c.name, seq, i+1, after, want)
		}
	}
	if last := after + int64(len(seqs)); upto > 0 && last != upto {
		t.Fatalf("%s has everything up to %d, want %d", c.name, last, upto)
	}
}

// Whatever comes together: sockets that take part of a write, receipts between the frames, seats that come and go while
// their share is asked, rings that are dropped by a deletion or because they are full.
func TestShareGivesEverythingOnceAndInOrder(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { playShares(t, seed) })
	}
}

func playShares(t *testing.T, seed uint64) {
	t.Helper()
	w := newWorld(t, Limits{RingBytes: 4 * minSegment})
	l := &fedLoop{t: t, r: rand.New(rand.NewPCG(seed, 1))}
	var here []*fedClient
	join := func() {
		m, err := w.hub.Guest(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		s, err := w.hub.Open(SessionParams{Member: m, Format: protocol.JSON{}, Room: protocol.RoomLobby})
		if err != nil {
			t.Fatal(err)
		}
		c := &fedClient{loop: l, s: s, name: m.Name}
		s.Bind(c)
		s.Receive([]byte(`{"type":"hello"}`))
		here = append(here, c)
	}
	for range 10 {
		join()
	}
	for range 400 {
		c := here[l.r.IntN(len(here))]
		switch l.r.IntN(20) {
		case 0, 1, 2:
			w.say("lobby", "by HTTP")
		case 3, 4:
			c.s.Receive([]byte(`{"type":"send","text":"by a member"}`))
		case 5:
			if l.r.IntN(4) == 0 {
				c.s.Receive([]byte(`{"type":"delete","seq":1}`)) // refused, but for the author of the first message
				c.s.Receive([]byte(`{"type":"ping"}`))
			}
		case 6:
			if l.r.IntN(4) == 0 {
				c.s.Ended(protocol.CloseNormal, "test")
				here = slices.DeleteFunc(here, func(o *fedClient) bool { return o == c })
				join()
			}
		case 7, 8, 9, 10, 11, 12:
			c.visit()
		default:
			l.pump()
		}
	}
	last := w.say("lobby", "the last one")
	for _, c := range here {
		eventually(t, "everybody has everything", func() bool {
			for l.pump() {
			}
			if c.visit(); c.parked {
				return false
			}
			_, seqs := c.numbers(t)
			return len(seqs) > 0 && seqs[len(seqs)-1] == last
		})
		c.check(t, last)
		c.s.Ended(protocol.CloseNormal, "test")
	}
	if l.shares == 0 || l.parts == 0 {
		t.Errorf("%d shares were written, %d in part: nothing is proved", l.shares, l.parts)
	}
}

// fed opens a session of somebody, whose seat is in a share of l.
func (w *world) fed(l *fedLoop, name string) (*fedClient, Member) {
	w.t.Helper()
	m, err := w.hub.Login(w.t.Context(), name, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := w.hub.Open(SessionParams{Member: m, Format: protocol.JSON{}, Room: protocol.RoomLobby})
	if err != nil {
		w.t.Fatal(err)
	}
	c := &fedClient{loop: l, s: s, name: m.Name}
	s.Bind(c)
	s.Receive([]byte(`{"type":"hello"}`))
	seq := w.say("lobby", "one")
	eventually(w.t, "the seat is in a share", func() bool {
		for l.pump() {
		}
		if c.visit(); c.parked {
			return false
		}
		_, seqs := c.numbers(w.t)
		return len(seqs) > 0 && seqs[len(seqs)-1] == seq
	})
	return c, m
}

// A receipt waits for the event that it is of, so that both go out in one write; but not where that has come already, as
// when dispatch reads from the store.
func TestReceiptWaitsOnlyForWhatIsToCome(t *testing.T) {
	w := newWorld(t, Limits{})
	l := &fedLoop{t: t, r: rand.New(rand.NewPCG(1, 1))}
	c, _ := w.fed(l, "Мария")
	head := w.say("lobby", "two")
	eventually(t, "the event is dispatched", func() bool {
		r := w.hub.resident("lobby")
		defer r.mu.Unlock()
		return r.head == head
	})
	for _, tt := range []struct {
		seq          int64
		woken, holds bool
	}{{head + 1, false, true}, {head, true, true}} {
		c.visit()
		if !c.s.reserve() {
			t.Fatal("the session has ended")
		}
		c.s.answered(protocol.KindMessage, protocol.Receipt{Room: "lobby", ID: "x", Seq: tt.seq}, nil)
		if woken, holds := c.woken.Load(), c.holds.Load(); woken != tt.woken || holds != tt.holds {
			t.Errorf("a receipt of %d after %d: woken %t, holds %t; want %t, %t", tt.seq, head, woken, holds, tt.woken, tt.holds)
		}
	}
	c.s.Ended(protocol.CloseNormal, "test")
}

// What a share would give is written before the end of a session that ends, and nothing after the end of its seat.
func TestShareAndTheEnd(t *testing.T) {
	w := newWorld(t, Limits{})
	l := &fedLoop{t: t, r: rand.New(rand.NewPCG(1, 1))}
	c, m := w.fed(l, "Мария")
	s := c.s
	before := w.say("lobby", "before")
	if err := w.hub.Logout(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session ends", func() bool { _, _, ok := s.Ending(); return ok })
	w.say("lobby", "after")
	c.parked = false
	for c.visit(); c.parked; c.visit() {
	}
	for l.pump() {
	}
	c.check(t, before)
	s.Ended(protocol.CloseNormal, "test")
}
