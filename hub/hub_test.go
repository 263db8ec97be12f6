package hub

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"govor/hub/journal"
	"govor/hub/line"
	"govor/hub/protocol"
	"govor/hub/store"
)

// world is a hub on a real store and journal, whose deliveries a test may hold back.
type world struct {
	t     *testing.T
	hub   *Hub
	store *store.Store
	gate  *gate
}

// gate is a journal whose deliveries can be held back, or which has failed.
type gate struct {
	journal.Journal
	mu     sync.Mutex
	opened *sync.Cond
	shut   bool
	broken bool
}

func (g *gate) Follow(ctx context.Context, after store.Position, deliver func([]protocol.Event)) error {
	return g.Journal.Follow(ctx, after, func(batch []protocol.Event) {
		g.mu.Lock()
		for g.shut {
			g.opened.Wait()
		}
		g.mu.Unlock()
		deliver(batch)
	})
}

func (g *gate) Append(e protocol.Event, done func(protocol.Receipt, error)) {
	g.mu.Lock()
	broken := g.broken
	g.mu.Unlock()
	if broken {
		go done(protocol.Receipt{Room: e.Room, ID: e.ID}, journal.ErrUnavailable)
		return
	}
	g.Journal.Append(e, done)
}

func (g *gate) hold(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	g.opened.Broadcast()
}

func (g *gate) fail(broken bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.broken = broken
}

func newWorld(t *testing.T, limits Limits) *world {
	t.Helper()
	return newWorldIn(t, limits, Config{})
}

// hands are a clock that a test sets.
type hands struct{ at atomic.Int64 }

func (h *hands) now() time.Time      { return time.Unix(0, h.at.Load()) }
func (h *hands) add(d time.Duration) { h.at.Add(int64(d)) }

// newWorldAt is newWorld with a clock that stands still until it is set.
func newWorldAt(t *testing.T, limits Limits) (*world, *hands) {
	t.Helper()
	clock := &hands{}
	clock.at.Store(time.Now().UnixNano())
	return newWorldIn(t, limits, Config{Now: clock.now}), clock
}

// newWorldIn is newWorld with a mode and a password.
func newWorldIn(t *testing.T, limits Limits, cfg Config) *world {
	t.Helper()
	log := zap.NewNop()
	reg := prometheus.NewRegistry()
	st, err := store.Open(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{Journal: journal.NewLocal(st, log, reg)}
	g.opened = sync.NewCond(&g.mu)
	h, err := New(Config{
		Journal: g, Store: st, Log: log, Registry: reg, Secret: []byte(strings.Repeat("s", minSecret)), Limits: limits,
		Mode: cfg.Mode, Password: cfg.Password, Now: cfg.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- h.Run(ctx) }()
	w := &world{t: t, hub: h, store: st, gate: g}
	t.Cleanup(func() {
		g.hold(false)
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("Run = %v", err)
		}
		if err := g.Close(); err != nil {
			t.Errorf("close journal: %v", err)
		}
		if err := st.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return w
}

// say stores a message by HTTP and returns its number.
func (w *world) say(room, text string) int64 {
	w.t.Helper()
	m, err := w.hub.Guest(w.t.Context(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.hub.Submit(w.t.Context(), m, netip.MustParseAddr("127.0.0.1"), protocol.Send{Room: room, Text: text})
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Seq
}

func (w *world) sayMany(n int) (last int64) {
	w.t.Helper()
	for i := range n {
		last = w.say("lobby", fmt.Sprintf("message %d", i))
	}
	return last
}

// client drives a session as a driver does, in the test's goroutine: what the test does not read is not written.
type client struct {
	t      *testing.T
	s      *Session
	wake   chan struct{}
	frames []string
	last   string // the frame that poll returned last
}

func (w *world) open(p SessionParams) *client {
	w.t.Helper()
	if p.Format == nil {
		p.Format = protocol.JSON{}
	}
	if p.Room == "" {
		p.Room = protocol.RoomLobby
	}
	if p.Member.ID.IsZero() {
		m, err := w.hub.Guest(w.t.Context(), p.Member.Name)
		if err != nil {
			w.t.Fatal(err)
		}
		p.Member = m
	}
	s, err := w.hub.Open(p)
	if err != nil {
		w.t.Fatal(err)
	}
	c := &client{t: w.t, s: s, wake: make(chan struct{}, 1)}
	s.Bind(line.Func(func(bool) {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}))
	w.t.Cleanup(c.close)
	return c
}

func (w *world) named(name string) *client { return w.open(SessionParams{Member: Member{Name: name}}) }

func (c *client) close() {
	if c.s != nil {
		c.s.Ended(protocol.CloseNormal, "test")
		c.s = nil
	}
}

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	c.s.Receive([]byte(fmt.Sprintf(format, args...)))
}

// poll takes what is pending and returns the next frame, or "" when there is none.
func (c *client) poll() string {
	if len(c.frames) == 0 {
		b := c.s.Pending()
		c.frames = splitFrames(c.t, b)
		c.s.Wrote(len(b))
	}
	if len(c.frames) == 0 {
		return ""
	}
	c.last, c.frames = c.frames[0], c.frames[1:]
	return c.last
}

// next waits for a frame.
func (c *client) next() string {
	c.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		if f := c.poll(); f != "" {
			return f
		}
		select {
		case <-c.wake:
		case <-deadline:
			c.t.Fatalf("no frame within 10 s; the last was %q", c.last)
		}
	}
}

// until returns the first frame of a type and drops those before it.
func (c *client) until(typ string) frame {
	c.t.Helper()
	for {
		if f := parse(c.t, c.next()); f.Type == typ {
			return f
		}
	}
}

type frame struct {
	Type, Room, ID, Text, From, Code, Token, Name, Reason string
	Seq, Target, After, Last, Online, Messages            int64
	Mentions                                              json.RawMessage
	Duplicate                                             bool
}

// mentions counts the mentions of a news frame.
func (f frame) mentions() int {
	n, _ := strconv.Atoi(string(f.Mentions))
	return n
}

func parse(t *testing.T, s string) frame {
	t.Helper()
	var f frame
	if err := json.Unmarshal([]byte(s), &f); err != nil {
		t.Fatalf("frame %q: %v", s, err)
	}
	return f
}

// splitFrames reads whole server frames.
func splitFrames(t *testing.T, b []byte) (frames []string) {
	t.Helper()
	for len(b) > 0 {
		if b[0] != 0x81 {
			t.Fatalf("frame begins with %#x", b[0])
		}
		n, head := int(b[1]), 2
		switch n {
		case 126:
			n, head = int(binary.BigEndian.Uint16(b[2:])), 4
		case 127:
			n, head = int(binary.BigEndian.Uint64(b[2:])), 10
		}
		frames = append(frames, string(b[head:head+n]))
		b = b[head+n:]
	}
	return frames
}

// wantRun reads messages and expects the numbers from first to last, each once and in order.
func (c *client) wantRun(first, last int64) {
	c.t.Helper()
	for want := first; want <= last; want++ {
		if f := c.until("message"); f.Seq != want {
			c.t.Fatalf("message %d arrived, want %d", f.Seq, want)
		}
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}
