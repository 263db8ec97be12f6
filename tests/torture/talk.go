//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// talk is what a client knows during one connection.
type talk struct {
	*client
	ws         *websocket.Conn
	began      time.Time
	recognised chan struct{}    // closed when the client may send
	known      bool             // it is closed
	good       bool             // the wire is
	welcomes   int              //
	asked      map[string]mark  // what the hello said
	early      []string         // rooms joined before the hello was read
	joined     map[string]int64 // room → the number up to which the client catches up, 0 = it has
	changed    int64            // the message that the last change was of: the page gets it again after that
}

// hello says who one is and where one was.
func (t *talk) hello(ctx context.Context) error {
	t.mu.Lock()
	t.asked = maps.Clone(t.last)
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
	if e.Code != 1012 {
		return err
	}
	ms := 0
	if _, bad := fmt.Sscanf(e.Reason, "restart retry-within-ms=%d", &ms); bad != nil {
		return &violation{restart, fmt.Sprintf("%s was ended with 1012 and the reason %q", t.name, e.Reason)}
	}
	t.within = time.Duration(ms) * time.Millisecond
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
	case "edited", "deleted":
		t.changed = f.Target
		t.w.ledger.change(t.name, f.Room, f, t.began)
		return t.advance(f.Room, f)
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
	last := t.last[f.Room].seq
	if _, before := t.joined[f.Room]; before && len(t.early) == 0 && f.Room == t.rooms[0] && f.After == t.asked[f.Room].seq {
		t.early = append(t.early, f.Room) // that seat was the early one, and began where the hello asked for, too
		t.last[f.Room], last = t.asked[f.Room], f.After
	}
	if f.After != last {
		if t.early = append(t.early, f.Room); len(t.early) > 1 || f.Room != t.rooms[0] || f.After < last {
			return &violation{noGap, fmt.Sprintf("%s has %s up to %d, and is told %v after the connection that it goes on after %d",
				t.name, f.Room, last, time.Since(t.began).Round(time.Millisecond), f.After)}
		}
		return nil
	}
	t.joined[f.Room] = f.Last
	t.back.Store(true)
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
	case t.well:
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
	t.w.ledger.show(t.name, room, f.Seq, shown{key{f.Member, f.ID}, f.Text, f.Erased, t.began})
	if t.html && f.Seq == t.changed { // as it is now
		return nil
	}
	return t.advance(room, f)
}

// advance goes on to the event that has come.
func (t *talk) advance(room string, f frame) error {
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
	if t.anew && t.joined[room] == 0 && !t.w.calm.Load() {
		return errAgain // it has seen what it came for
	}
	return nil
}

// caughtUp notes when everything that was missed has come. The caller holds mu.
func (t *talk) caughtUp(room string, seq int64) {
	if upto := t.joined[room]; upto > 0 && seq >= upto {
		t.joined[room] = 0
		if t.good && !t.anew {
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
		key: key{t.member, fmt.Sprintf("%s-%d", t.name, t.next)}, kind: saySend, author: t.name, n: t.next, room: t.rooms[0],
		text: text(rng, t.name, t.next),
	}
	if n := rng.IntN(12); n < 2 && !t.keeps {
		t.rethink(rng, s, n == 0)
	}
	if s.kind == saySend {
		t.mine = append(t.mine, s)
	}
	t.w.ledger.say(s)
	t.outbox = append(t.outbox, s)
	return s
}

// rethink makes s the edit or the deletion of one of the last messages, if there is one whose number is known.
func (t *talk) rethink(rng *rand.Rand, s *said, erase bool) {
	if len(t.mine) == 0 {
		return
	}
	i := len(t.mine) - 1 - rng.IntN(min(len(t.mine), 30))
	old := t.mine[i]
	if t.w.ledger.number(old) == 0 {
		return
	}
	if s.kind, s.target = sayEdit, old; erase {
		s.kind, s.text = sayDelete, ""
		t.mine = append(t.mine[:i:i], t.mine[i+1:]...)
	}
}

// text is what is said: unlike anything else, and without Markdown.
func text(rng *rand.Rand, name string, n int) string {
	size := rng.IntN(120)
	if rng.IntN(10) == 0 {
		size = rng.IntN(1200)
	}
	return fmt.Sprintf("%s говорит %d ~ %s", name, n, strings.Repeat("говор ", size/6)+"!")
}

// send writes what is said, now and then twice.
func (t *talk) send(ctx context.Context, rng *rand.Rand, s *said) error {
	command := map[string]any{"type": s.kind, "room": s.room, "id": s.id}
	if s.text != "" {
		command["text"] = s.text
	}
	if s.target != nil {
		command["seq"] = t.w.ledger.number(s.target)
	}
	b, err := json.Marshal(command)
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
