//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// maxUnacknowledged is what the specification asks of clients.
const maxUnacknowledged = 16

// client is a program (govor.v1.json) or a page (govor.v1.html) as the specification wants it: it resumes every room
// where it was, keeps what has no answer, and sends that again with the same ids, in the same order.
type client struct {
	// Fixed at construction.
	w      *world
	name   string
	html   bool
	rooms  []string      // to read; it writes in the first
	pace   time.Duration // between messages on average; 0 = it only reads
	keeps  bool          // it takes nothing back
	sleeps bool          // it is away for seconds between connections
	anew   bool          // it knows nothing when it comes, and leaves when it has read the last blocks of history: again and again
	well   bool          // nothing goes wrong with it: it is never refused, and stays away as the server asks for

	// Owned by the goroutine of the client.
	rng    *rand.Rand
	cookie string // of a page
	logins int
	token  string        // of a program
	within time.Duration // of which the server asked for a moment, when it was ended

	back atomic.Bool // it has joined a room; cleared by who waits for that

	mu     sync.Mutex // guards the fields below
	member string
	last   map[string]mark // by room
	outbox []*said         // without an answer, in order
	mine   []*said         // messages that were not deleted, in order
	next   int             // number of the next message
}

// mark is the last event of a room that a client has.
type mark struct {
	seq int64
	id  string
}

// invite starts the clients. Their randomness is of their own, so that the faults of one are the same in every run of
// the seed, whatever the others do.
func (w *world) invite(ctx context.Context) {
	ctx, w.stop = context.WithCancel(ctx)
	both := []string{"lobby", "side"}
	for i := range 8 {
		w.add(ctx, &client{name: fmt.Sprintf("writer%d", i), rooms: both[:1+i%2], pace: 35 * time.Millisecond})
	}
	for i := range 3 {
		w.add(ctx, &client{name: fmt.Sprintf("side%d", i), rooms: both[1:], pace: 60 * time.Millisecond, sleeps: i == 0})
	}
	for i := range 2 {
		w.add(ctx, &client{name: fmt.Sprintf("porch%d", i), rooms: []string{porch}, pace: 80 * time.Millisecond, keeps: true})
	}
	for i := range 6 {
		w.add(ctx, &client{name: fmt.Sprintf("reader%d", i), rooms: both, sleeps: i%2 == 0})
	}
	for i := range 6 {
		w.add(ctx, &client{name: fmt.Sprintf("newcomer%d", i), rooms: both[:1], anew: true})
	}
	for i := range 3 {
		w.add(ctx, &client{name: fmt.Sprintf("page%d", i), html: true, rooms: both[:1], pace: 80 * time.Millisecond, sleeps: i == 2})
	}
	for i := range 4 {
		w.running.Go(func() { w.terminal(ctx, fmt.Sprintf("terminal%d", i)) })
	}
	for i := range 3 {
		w.running.Go(func() { w.poster(ctx, fmt.Sprintf("poster%d", i)) })
	}
	for i := range 4 {
		w.running.Go(func() { w.leaver(ctx, fmt.Sprintf("leaver%d", i)) })
	}
}

// add starts a client.
func (w *world) add(ctx context.Context, c *client) {
	c.w, c.rng, c.last = w, stream(w.o.seed, c.name), map[string]mark{}
	w.clients = append(w.clients, c)
	w.running.Go(func() { c.live(ctx) })
}

// live connects again and again until ctx ends.
func (c *client) live(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.connect(ctx); err != nil && ctx.Err() == nil {
			var v *violation
			if errors.As(err, &v) {
				c.w.ledger.breaks(v.promise, "%s", v.what)
				return
			}
		}
		wait := between(c.rng, 20*time.Millisecond, 200*time.Millisecond)
		if away := between(c.rng, 500*time.Millisecond, 4*time.Second); c.sleeps && !c.w.calm.Load() {
			wait = away
		}
		if c.well {
			wait = between(c.rng, 0, c.within+time.Millisecond)
		}
		pause(ctx, wait)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// connect is one connection from its beginning to its end.
func (c *client) connect(ctx context.Context) error {
	fault := drawWire(c.rng)
	if c.w.calm.Load() || c.well {
		fault = wireFault{}
	}
	c.within = 0
	if c.anew {
		c.forget()
	}
	if c.html && c.cookie == "" {
		c.logins++ // a login whose answer was lost keeps its name
		cookie, err := c.w.login(ctx, fmt.Sprintf("%s-%d", c.name, c.logins))
		if err != nil {
			return c.refusedBy(ctx, err)
		}
		c.cookie = cookie
	}
	began := time.Now()
	ws, err := c.w.websocket(ctx, fault, map[bool]string{false: "govor.v1.json", true: "govor.v1.html"}[c.html], c.cookie, url.Values{"room": c.rooms[:1]})
	if err != nil {
		return c.refusedBy(ctx, err)
	}
	defer func() { _ = ws.CloseNow() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := &talk{client: c, ws: ws, began: began, good: fault.kind == wireGood, recognised: make(chan struct{}), joined: map[string]int64{}}
	if err := t.hello(ctx); err != nil {
		return nil
	}
	var writing sync.WaitGroup
	defer writing.Wait()
	defer cancel()
	writing.Go(func() { t.write(ctx, stream(c.rng.Uint64(), "talk")) })
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return t.ended(err)
		}
		parse := parseJSON
		if c.html {
			parse = parseHTML
		}
		frames, err := parse(data)
		if err != nil {
			return &violation{noGap, c.name + " got what nobody can read: " + err.Error()}
		}
		for _, f := range frames {
			if err := t.take(f); err != nil {
				return err
			}
		}
	}
}

// blockOf is how many events a block of history has: who begins at a multiple of it shares blocks with all who do.
const blockOf = 256

// forget has the client begin some blocks before the end.
func (c *client) forget() {
	end := c.w.ledger.end(c.rooms[0])
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = map[string]mark{c.rooms[0]: {seq: max(0, end/blockOf-2) * blockOf}}
}

// refusedBy judges a connection that did not come about.
func (c *client) refusedBy(ctx context.Context, err error) error {
	if c.well && ctx.Err() == nil && !c.w.over.Load() {
		return &violation{restart, fmt.Sprintf("%s was refused: %v", c.name, err)}
	}
	return err
}

// websocket opens a connection as the specification has it.
func (w *world) websocket(ctx context.Context, fault wireFault, subprotocol, cookie string, query url.Values) (*websocket.Conn, error) {
	conn, err := w.dial(ctx, fault)
	if err != nil {
		return nil, err
	}
	ws, err := w.upgrade(ctx, conn, subprotocol, cookie, query)
	if err != nil {
		_ = conn.Close()
	}
	return ws, err
}

func (w *world) upgrade(ctx context.Context, conn net.Conn, subprotocol, cookie string, query url.Values) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	o := &websocket.DialOptions{HTTPClient: &http.Client{Transport: over(conn)}, HTTPHeader: http.Header{}}
	if subprotocol != "" {
		o.Subprotocols = []string{subprotocol}
	}
	if cookie != "" {
		o.HTTPHeader.Set("Cookie", cookie)
		o.HTTPHeader.Set("Origin", "http://"+w.addr)
	}
	ws, _, err := websocket.Dial(ctx, "ws://"+w.addr+"/ws?"+query.Encode(), o) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1)
	return ws, nil
}

// unfinished says what is not yet as it must be in the end, "" if nothing.
func (w *world) unfinished() string {
	end := map[string]int64{}
	for _, c := range w.clients {
		waiting, last := c.state()
		if waiting > 0 {
			return fmt.Sprintf("%d messages of %s have no receipt", waiting, c.name)
		}
		for room, m := range last {
			end[room] = max(end[room], m.seq)
		}
	}
	w.ledger.mu.Lock()
	for room, events := range w.ledger.owners {
		for seq := range events {
			end[room] = max(end[room], seq)
		}
	}
	w.ledger.mu.Unlock()
	for _, c := range w.clients {
		_, last := c.state()
		for _, room := range c.rooms {
			if has := last[room].seq; has < end[room] {
				return fmt.Sprintf("%s has %s up to %d of %d", c.name, room, has, end[room])
			}
		}
	}
	return ""
}

// state is how much has no answer, and what the client has of each room.
func (c *client) state() (waiting int, last map[string]mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.outbox), maps.Clone(c.last)
}
