//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
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
	sleeps bool          // it is away for seconds between connections

	// Owned by the goroutine of the client.
	rng    *rand.Rand
	cookie string // of a page
	logins int
	token  string // of a program

	mu     sync.Mutex // guards the fields below
	member string
	last   map[string]mark // by room
	outbox []*said         // without an answer, in order
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
	add := func(c *client) {
		c.w, c.rng, c.last = w, stream(w.o.seed, c.name), map[string]mark{}
		w.clients = append(w.clients, c)
		w.running.Go(func() { c.live(ctx) })
	}
	both := []string{"lobby", "side"}
	for i := range 8 {
		add(&client{name: fmt.Sprintf("writer%d", i), rooms: both[:1+i%2], pace: 35 * time.Millisecond})
	}
	for i := range 3 {
		add(&client{name: fmt.Sprintf("side%d", i), rooms: both[1:], pace: 60 * time.Millisecond, sleeps: i == 0})
	}
	for i := range 6 {
		add(&client{name: fmt.Sprintf("reader%d", i), rooms: both, sleeps: i%2 == 0})
	}
	for i := range 3 {
		add(&client{name: fmt.Sprintf("page%d", i), html: true, rooms: both[:1], pace: 80 * time.Millisecond, sleeps: i == 2})
	}
	for i := range 4 {
		w.running.Go(func() { w.terminal(ctx, fmt.Sprintf("terminal%d", i)) })
	}
	for i := range 3 {
		w.running.Go(func() { w.poster(ctx, fmt.Sprintf("poster%d", i)) })
	}
	for i := range 2 {
		w.running.Go(func() { w.leaver(ctx, fmt.Sprintf("leaver%d", i)) })
	}
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
	if c.w.calm.Load() {
		fault = wireFault{}
	}
	if c.html && c.cookie == "" {
		c.logins++ // a login whose answer was lost keeps its name
		cookie, err := c.w.login(ctx, fmt.Sprintf("%s-%d", c.name, c.logins))
		if err != nil {
			return err
		}
		c.cookie = cookie
	}
	began := time.Now()
	ws, err := c.w.websocket(ctx, fault, map[bool]string{false: "govor.v1.json", true: "govor.v1.html"}[c.html], c.cookie, url.Values{"room": c.rooms[:1]})
	if err != nil {
		return err
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

// talk is what a client knows during one connection.
type talk struct {
	*client
	ws         *websocket.Conn
	began      time.Time
	recognised chan struct{}    // closed when the client may send
	known      bool             // it is closed
	good       bool             // the wire is
	welcomes   int              //
	early      []string         // rooms joined before the hello was read
	joined     map[string]int64 // room → the number up to which the client catches up, 0 = it has
}

// hello says who one is and where one was.
func (t *talk) hello(ctx context.Context) error {
	t.mu.Lock()
	rooms := map[string]any{}
	for _, room := range t.rooms {
		r := map[string]any{"after": t.last[room].seq}
		if id := t.last[room].id; id != "" {
			r["id"] = id
		}
		rooms[room] = r
	}
	t.mu.Unlock()
	h := map[string]any{"type": "hello", "rooms": rooms}
	if t.token != "" {
		h["token"] = t.token
	}
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return t.ws.Write(ctx, websocket.MessageText, b)
}

// ended looks at how the connection ended.
func (t *talk) ended(err error) error {
	var e websocket.CloseError
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case 1001, 1012, 1013:
	default:
		return &violation{restart, fmt.Sprintf("%s was ended with %d %q", t.name, e.Code, e.Reason)}
	}
	if e.Code == 1012 && !strings.HasPrefix(e.Reason, "restart retry-within-ms=") {
		return &violation{restart, fmt.Sprintf("%s was ended with 1012 and the reason %q", t.name, e.Reason)}
	}
	return err
}

var errAgain = errors.New("connect again")

// take handles one frame.
func (t *talk) take(f frame) error {
	switch f.Type {
	case "welcome":
		return t.welcome(f)
	case "joined":
		return t.enter(f)
	case "reset":
		t.mu.Lock()
		defer t.mu.Unlock()
		return &violation{onDisk, fmt.Sprintf("%s has seen %s up to %d (%s), and cannot go on there: %s", t.name, f.Room, t.last[f.Room].seq, t.last[f.Room].id, f.Reason)}
	case "message":
		return t.message(f)
	case "ack":
		t.mu.Lock()
		for i, s := range t.outbox {
			if s.id == f.ID {
				t.outbox = append(t.outbox[:i:i], t.outbox[i+1:]...)
				break
			}
		}
		k := key{t.member, f.ID}
		t.mu.Unlock()
		t.w.ledger.ack(k, f.Room, f.Seq, f.Duplicate)
	case "error":
		return t.refused(f)
	}
	return nil
}

// enter is a seat in a room. A hello that is late, because the network is, finds its room joined from the moment of the
// connection: that seat is passed over, once at most, until the one that was asked for comes.
func (t *talk) enter(f frame) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last := t.last[f.Room].seq; f.After != last {
		if t.early = append(t.early, f.Room); len(t.early) > 1 || f.Room != t.rooms[0] || f.After < last {
			return &violation{noGap, fmt.Sprintf("%s has %s up to %d, and is told %v after the connection that it goes on after %d",
				t.name, f.Room, last, time.Since(t.began).Round(time.Millisecond), f.After)}
		}
		return nil
	}
	t.joined[f.Room] = f.Last
	t.caughtUp(f.Room, f.After)
	return nil
}

func (t *talk) welcome(f frame) error {
	t.welcomes++
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.html && t.token != "" && t.welcomes == 1 {
		return nil // as a guest; the second is about us
	}
	if t.member != "" && f.Member != t.member {
		return &violation{exactlyOnce, fmt.Sprintf("%s was the member %s and is now %s", t.name, t.member, f.Member)}
	}
	t.member = f.Member
	if f.Token != "" {
		t.token = f.Token
	}
	if !t.known {
		t.known = true
		close(t.recognised)
	}
	return nil
}

func (t *talk) refused(f frame) error {
	switch {
	case f.Code == "unavailable" && f.ID == "":
		return errAgain // a room could not be joined
	case f.Code == "unavailable":
		return nil // the connection ends, as is promised
	case f.Code == "name_taken" && f.ID == "":
		return errAgain
	}
	return &violation{exactlyOnce, fmt.Sprintf("%s was refused: %s", t.name, f.raw)}
}

// message is an event of a room: the next one, or something is wrong.
func (t *talk) message(f frame) error {
	room := f.Room
	if t.html {
		room = t.rooms[0]
	}
	t.w.ledger.show(t.name, room, f.Seq, shown{key{f.Member, f.ID}, f.Text})
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.joined[room]; !ok {
		if len(t.early) > 0 && t.early[0] == room {
			return nil
		}
		return &violation{noGap, fmt.Sprintf("%s saw %s %d before it had joined", t.name, room, f.Seq)}
	}
	if want := t.last[room].seq + 1; f.Seq != want {
		return &violation{noGap, fmt.Sprintf("%s saw, after number %d of %s, number %d (%q)", t.name, want-1, room, f.Seq, head(f.Text))}
	}
	t.last[room] = mark{f.Seq, f.ID}
	t.caughtUp(room, f.Seq)
	return nil
}

// caughtUp notes when everything that was missed has come. The caller holds mu.
func (t *talk) caughtUp(room string, seq int64) {
	if upto := t.joined[room]; upto > 0 && seq >= upto {
		t.joined[room] = 0
		if t.good {
			t.w.ledger.caughtUp(time.Since(t.began))
		}
	}
}

// write sends what has no answer, then says new things.
func (t *talk) write(ctx context.Context, rng *rand.Rand) {
	select {
	case <-t.recognised:
	case <-ctx.Done():
		return
	case <-time.After(5 * time.Second):
		_ = t.ws.CloseNow()
		return
	}
	t.mu.Lock()
	again := append([]*said(nil), t.outbox...)
	t.mu.Unlock()
	for _, s := range again {
		if t.send(ctx, rng, s) != nil {
			return
		}
	}
	if t.pace == 0 {
		return
	}
	for ctx.Err() == nil {
		burst := 1
		if rng.IntN(12) == 0 {
			burst = 12
		}
		pause(ctx, time.Duration(float64(t.pace)*float64(burst)*(0.5+rng.Float64())))
		for range burst {
			if s := t.compose(rng); s != nil && t.send(ctx, rng, s) != nil {
				return
			}
		}
	}
}

// compose thinks of something new to say; nil if too much has no answer yet.
func (t *talk) compose(rng *rand.Rand) *said {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.outbox) >= maxUnacknowledged || t.w.calm.Load() {
		return nil
	}
	t.next++
	s := &said{
		key: key{t.member, fmt.Sprintf("%s-%d", t.name, t.next)}, author: t.name, n: t.next, room: t.rooms[0],
		text: text(rng, t.name, t.next),
	}
	t.w.ledger.say(s)
	t.outbox = append(t.outbox, s)
	return s
}

// text is what is said: unlike anything else, and without Markdown.
func text(rng *rand.Rand, name string, n int) string {
	size := rng.IntN(120)
	if rng.IntN(10) == 0 {
		size = rng.IntN(1200)
	}
	return fmt.Sprintf("%s говорит %d ~ %s", name, n, strings.Repeat("говор ", size/6)+"!")
}

// send writes a message, now and then twice.
func (t *talk) send(ctx context.Context, rng *rand.Rand, s *said) error {
	b, err := json.Marshal(map[string]any{"type": "send", "room": s.room, "id": s.id, "text": s.text})
	if err != nil {
		return err
	}
	times := 1
	if rng.IntN(25) == 0 {
		times = 2
	}
	for range times {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		err = t.ws.Write(ctx, websocket.MessageText, b)
		cancel()
	}
	return err
}

// unfinished says what is not yet as it must be in the end, "" if nothing.
func (w *world) unfinished() string {
	end := map[string]int64{}
	for _, c := range w.clients {
		c.mu.Lock()
		for room, m := range c.last {
			end[room] = max(end[room], m.seq)
		}
		if n := len(c.outbox); n > 0 {
			defer c.mu.Unlock()
			return fmt.Sprintf("%d messages of %s have no receipt", n, c.name)
		}
		c.mu.Unlock()
	}
	w.ledger.mu.Lock()
	for room, events := range w.ledger.owners {
		for seq := range events {
			end[room] = max(end[room], seq)
		}
	}
	w.ledger.mu.Unlock()
	for _, c := range w.clients {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, room := range c.rooms {
			if has := c.last[room].seq; has < end[room] {
				return fmt.Sprintf("%s has %s up to %d of %d", c.name, room, has, end[room])
			}
		}
	}
	return ""
}
