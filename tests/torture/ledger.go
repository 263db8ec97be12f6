//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// violation is a promise that was found broken: which one, and what happened.
type violation struct {
	promise string
	what    string
}

func (v *violation) Error() string {
	return "the promise «" + v.promise + "» does not hold: " + v.what
}

// The promises of docs/design.md, as they are named when one does not hold.
const (
	exactlyOnce = "1 exactly once"
	noGap       = "2 no gap, no reorder"
	onDisk      = "3 acknowledged is on disk"
	slowReader  = "4 a slow reader costs nothing and misses nothing"
	restart     = "5 restart without loss"
	inOrder     = "6 in order even when something is refused"
	takenAway   = "7 what is taken away is gone"
)

// key names a message as its sender does.
type key struct{ member, id string }

// said is one thing that a client sent, or will send again: a message, or a change of one of its own.
type said struct {
	key    // zero for plain text
	kind   string
	author string
	n      int // the author's count: what was said later has a greater one
	room   string
	text   string // unlike any other text of the run; "" of a deletion
	target *said  // what is changed
	first  time.Time
	seq    int64 // as acknowledged, 0 = not yet

	// Of a change.
	stored time.Time // when it was first known to be stored

	// Of a message.
	edits    []*said   // sent, in order
	deletion *said     // sent
	seen     time.Time // when it was first shown to anybody
}

// Kinds of what is said, as commands name them.
const (
	saySend   = "send"
	sayEdit   = "edit"
	sayDelete = "delete"
)

// shown is an event as a reader was shown it.
type shown struct {
	key
	text   string
	erased bool
	since  time.Time // of the reader's connection
}

// ledger is all that clients said and were told. What can be judged at once is.
type ledger struct {
	broken context.CancelCauseFunc // set before the first client

	lastAck    atomic.Int64 // Unix nanoseconds of the last receipt that was not a duplicate's
	receipts   atomic.Int64
	duplicates atomic.Int64
	deliveries atomic.Int64

	mu     sync.Mutex // guards the fields below
	byKey  map[key]*said
	byID   map[string]*said
	byText map[string]*said
	shown  map[string]map[int64]shown // room → number → event
	ends   map[string]int64           // room → the last number that was shown
	places map[key]int64              // number at which a message was shown
	owners map[string]map[int64]key   // room → number → whose receipt named it
	runs   []*run                     // of plain text
	catch  []time.Duration            // from the connection to the end of what was missed
	slow   time.Duration              // the longest from when something was said to its receipt
}

// run is what one connection of plain text was shown, in order.
type run struct {
	who   string
	room  string
	since time.Time
	texts []string // guarded by ledger.mu
}

func newLedger() *ledger {
	return &ledger{
		byKey: map[key]*said{}, byID: map[string]*said{}, byText: map[string]*said{}, shown: map[string]map[int64]shown{},
		places: map[key]int64{}, ends: map[string]int64{}, owners: map[string]map[int64]key{},
	}
}

// breaks ends the run.
func (l *ledger) breaks(promise, format string, args ...any) {
	l.broken(&violation{promise, fmt.Sprintf(format, args...) + time.Now().Format(" (at 15:04:05.000)")})
}

// say notes what is sent before it is sent for the first time.
func (l *ledger) say(s *said) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.first = time.Now()
	if s.key != (key{}) {
		l.byKey[s.key], l.byID[s.id] = s, s
	}
	switch s.kind {
	case sayEdit:
		s.target.edits = append(s.target.edits, s)
	case sayDelete:
		s.target.deletion = s
	}
	if s.text != "" {
		l.byText[s.text] = s
	}
}

// ack notes a receipt.
func (l *ledger) ack(k key, room string, seq int64, duplicate bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.receipts.Add(1); duplicate {
		l.duplicates.Add(1)
	} else {
		l.lastAck.Store(time.Now().UnixNano())
	}
	s := l.byKey[k]
	switch {
	case s == nil:
		l.breaks(exactlyOnce, "a receipt for %s came, and nobody of that member said it", k.id)
		return
	case s.room != room || seq <= 0:
		l.breaks(onDisk, "%s was said in %s, and its receipt names %s %d", k.id, s.room, room, seq)
		return
	case s.seq != 0 && s.seq != seq:
		l.breaks(exactlyOnce, "%s was acknowledged as %s %d, then as %d: it was stored twice", k.id, room, s.seq, seq)
		return
	}
	if s.seq == 0 {
		l.slow = max(l.slow, time.Since(s.first))
	}
	s.seq = seq
	s.known()
	if l.owners[room] == nil {
		l.owners[room] = map[int64]key{}
	}
	if owner, ok := l.owners[room][seq]; ok && owner != k {
		l.breaks(onDisk, "%s and %s were both acknowledged as %s %d: what was acknowledged first is lost", owner.id, k.id, room, seq)
		return
	}
	l.owners[room][seq] = k
	l.agree(room, seq, k)
}

// agree compares a receipt with what readers saw.
func (l *ledger) agree(room string, seq int64, k key) {
	if e, ok := l.shown[room][seq]; ok && e.key != k {
		l.breaks(noGap, "%s was acknowledged as %s %d, and a reader saw %q of %s there", k.id, room, seq, e.text, e.member)
	} else if at, ok := l.places[k]; ok && at != seq {
		l.breaks(exactlyOnce, "%s was acknowledged as %s %d, and a reader saw it at %d", k.id, room, seq, at)
	}
}

// show notes that a reader saw a message, and returns it if it is one of ours.
func (l *ledger) show(who, room string, seq int64, e shown) *said {
	l.deliveries.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.find(e.key, e.text)
	if s == nil || s.kind != saySend || s.room != room {
		l.breaks(noGap, "%s saw %q of %s with the id %s as %s %d, and nobody said that there", who, e.text, e.member, e.id, room, seq)
		return s
	}
	l.judge(who, s, e)
	l.place(who, room, seq, s, e)
	return s
}

// place compares the number at which a reader saw something with what others saw and senders were told.
func (l *ledger) place(who, room string, seq int64, s *said, e shown) {
	if l.shown[room] == nil {
		l.shown[room] = map[int64]shown{}
	}
	if before, ok := l.shown[room][seq]; ok {
		if before.key != e.key {
			l.breaks(noGap, "%s saw %q as %s %d, where another reader saw %q", who, e.text, room, seq, before.text)
		}
		return
	}
	if at, ok := l.places[e.key]; ok {
		l.breaks(exactlyOnce, "%s saw %s as %s %d, and it was shown as %d already", who, e.id, room, seq, at)
	}
	l.shown[room][seq], l.places[e.key] = e, seq
	s.seen = time.Now()
	l.ends[room] = max(l.ends[room], seq)
	if owner, ok := l.owners[room][seq]; ok && owner != e.key {
		l.breaks(noGap, "%s saw %q as %s %d, and that number was acknowledged for %s", who, e.text, room, seq, owner.id)
	} else if s.seq != 0 && s.seq != seq {
		l.breaks(noGap, "%s saw %s as %s %d, and it was acknowledged as %d", who, e.id, room, seq, s.seq)
	}
}

// end is the last number of a room that anybody was shown.
func (l *ledger) end(room string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ends[room]
}

// begin starts a run of plain text. since is before the connection: what the room holds then may be sent with the answer
// to the handshake, which the wire may keep for seconds.
func (l *ledger) begin(who, room string, since time.Time) *run {
	r := &run{who: who, room: room, since: since}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs = append(l.runs, r)
	return r
}

func (l *ledger) line(r *run, text string) {
	l.deliveries.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	r.texts = append(r.texts, text)
	if s := l.byText[text]; s != nil {
		if s.kind == sayEdit {
			s = s.target
		}
		l.judge(r.who, s, shown{text: text, since: r.since})
	}
}

func (l *ledger) caughtUp(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.catch = append(l.catch, d)
}
