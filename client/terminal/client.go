// Package terminal is the console client: a face (lines for pipes, a prompt for terminals) on one WebSocket of the
// JSON format. It shares package protocol with the server and nothing else.
//
// One goroutine, the client's loop, owns all state: where it is in the room, what waits to be sent, whether there is a
// connection. A link reads and writes one connection; a face reads what is typed. Both talk to the loop by channels.
// What was seen is never shown twice and nothing is left out: a new connection goes on after the number and id of the
// last event seen, and everything without a receipt is sent again, in order, with the ids it had.
package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"govor/hub/protocol"
)

// Exit codes.
const (
	exitOK           = 0
	exitOther        = 1
	exitUsage        = 2
	exitNoConnection = 3
	exitName         = 4
	exitKicked       = 5
	exitUndelivered  = 6
	exitInterrupted  = 130
)

// client is one run of the console client. All its methods are called by the loop (run).
type client struct {
	// Fixed at construction.
	opts    options
	words   *words
	face    face
	dial    dialFunc
	id      *identity
	now     func() time.Time
	random  func() float64
	pace    pace
	guard   func() // deferred by every goroutine: puts the terminal right before a panic goes on
	patient bool   // once connected, never gives up (a person is watching)
	history int    // past messages to begin with
	keep    keeper // nil = nothing is kept

	// Owned by run.
	events chan event
	link   *link // nil while waiting to try again
	retry  *time.Timer
	due    time.Time // when retry fires
	dialed time.Time // when the link began
	wait   backoff
	box    outbox
	room   place
	who    who
	outage outage
	people []string // names, the last to speak first
	ending ending
	acting map[string]bool // ids of acts without an answer
	asked  errands
	slow   time.Time // until then the room's slow mode lets nothing through; zero = it has refused nothing
}

// place is where the client is in its room.
type place struct {
	known  bool  // last means something
	last   int64 // number of the last event seen; events up to it are dropped
	lastID string
	taking bool      // this connection has its seat: what comes is new
	since  time.Time // when taking became true
	probed bool      // the first seat was given up for one further back, to see past messages
	target int64     // at the end of the input: the last number worth waiting for
	ever   bool      // there has been a seat
	online int
}

// who is who one is.
type who struct {
	token      string
	member     string // whom the token proves
	waits      bool   // this connection's hello waits for the welcome that tells what the password proves
	byPassword string // the name in that welcome
	presented  bool   // this connection's hello had a token, and no answer came yet
	welcomes   int    // so many on this connection
	name       string
	told       string // the name that was last told to the person

	is protocol.MemberID // of the last welcome that counted
}

// outage is a time without a seat.
type outage struct {
	since time.Time // zero = there is none
	shown bool
	cause error
}

// ending is how the run ends.
type ending struct {
	closing bool      // the input has ended
	ready   time.Time // since when only echoes are missing; zero = more is missing
	refused int       // messages that the server did not take
	done    bool
	code    int
}

// run talks until the input ends, the person leaves, or it cannot go on, and returns the exit code. What could not be
// sent is then in c.box.
func (c *client) run(ctx context.Context) int {
	linkCtx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // a link outlives an interrupt, to say goodbye
	defer cancel()
	c.events = make(chan event)
	c.retry = time.NewTimer(0)
	defer c.retry.Stop()
	c.outage.since = c.now()
	kept := c.id.load()
	c.who.token, c.who.member = kept.Token, kept.Member
	c.sayWhatWasLeft()
	tick := time.NewTicker(min(time.Second, c.pace.calm/2))
	defer tick.Stop()
	for !c.ending.done {
		select {
		case e := <-c.events:
			c.event(e)
		case in := <-c.input():
			c.typed(in)
		case <-c.retry.C:
			if c.link == nil {
				c.connect(linkCtx)
			}
		case <-tick.C:
		case <-ctx.Done():
			c.typed(typed{end: interrupted})
		}
		c.turn()
	}
	if c.link != nil {
		c.link.close()
	}
	return c.ending.code
}

// input is where to read what is typed; nil while enough waits to be sent. A person may go on typing.
func (c *client) input() <-chan typed {
	if c.ending.closing || !c.patient && c.box.len() >= protocol.MaxUnacknowledged {
		return nil
	}
	return c.face.typed()
}

func (c *client) typed(in typed) {
	switch in.end {
	case interrupted:
		code := exitOK
		if c.box.len() > 0 {
			code = exitInterrupted
		}
		c.finish(code)
	case endOfInput:
		c.ending.closing = true
	default:
		if !c.local(in.text) && !c.act(in.text) && !c.errand(in.text) {
			c.add(in.text)
		}
	}
}

// add takes a message that was typed.
func (c *client) add(text string) {
	if c.patient {
		text = unescaped(text)
	}
	ok, err := c.box.add(protocol.NewID(), text, c.now())
	if !ok {
		c.ending.refused++
		c.face.notice(failure, c.words.full+": "+excerpt(text))
	}
	if err != nil {
		c.face.notice(warning, fmt.Sprintf(c.words.keepProblem, err))
	}
}

func (c *client) finish(code int) {
	if !c.ending.done {
		c.ending.done, c.ending.code = true, code
	}
}

// turn does what may have become possible: send, end, give up; and shows where things stand.
func (c *client) turn() {
	if c.ending.done {
		return
	}
	c.flush()
	c.goOn()
	c.maybeEnd()
	c.maybeGiveUp()
	c.showStatus()
}

// flush sends as much of the outbox as may be on its way.
func (c *client) flush() {
	for c.mayFlush() {
		m, ok := c.box.next()
		if !ok {
			return
		}
		c.command("send", protocol.Send{Room: c.opts.room, ID: m.id, Text: m.text})
	}
}

// command writes one command to the link.
func (c *client) command(kind string, fields any) {
	data, err := json.Marshal(fields)
	if err != nil {
		panic("encode command: " + err.Error()) // the structs hold nothing that cannot be encoded
	}
	head := `{"type":"` + kind + `"`
	if len(data) > 2 {
		head += ","
	}
	if err := c.link.send(append([]byte(head), data[1:]...)); err != nil {
		c.cut(err)
	}
}

// connect begins a new connection.
func (c *client) connect(ctx context.Context) {
	name := c.opts.name
	if c.who.token != "" {
		name = ""
	}
	url := socketURL(c.opts.server, c.opts.room, name)
	c.who.welcomes, c.who.presented, c.who.waits = 0, false, false
	c.dialed = c.now()
	c.link = newLink(ctx, c.dial, url, c.pace, c.events, c.guard)
}

// cut drops the connection because of err and plans the next one.
func (c *client) cut(err error) {
	if c.link == nil {
		return
	}
	c.link.cancel()
	c.link = nil
	if c.room.taking && c.now().Sub(c.room.since) >= c.pace.steady {
		c.wait.connected()
	}
	c.room.taking, c.asked = false, c.asked.ended()
	c.box.disconnected()
	if c.outage.since.IsZero() {
		c.outage.since = c.now()
	}
	c.outage.cause = err
	d := c.wait.next(c.random())
	c.due = c.now().Add(d)
	c.retry.Reset(d)
}

// maybeEnd ends the run when the input has ended and everything has its receipt, and its echo if that comes soon.
func (c *client) maybeEnd() {
	if c.ending.closing && c.box.len() > 0 && c.box.kept() && (c.outage.shown || c.now().Before(c.slow)) {
		c.finish(exitUndelivered) // the next run sends it
		return
	}
	if !c.ending.closing || c.box.len() > 0 || !c.room.ever {
		return
	}
	if c.ending.ready.IsZero() {
		c.ending.ready = c.now()
	}
	if c.room.last < c.room.target && c.now().Sub(c.ending.ready) < c.pace.echo {
		return
	}
	code := exitOK
	if c.ending.refused > 0 || len(c.box.failed) > 0 {
		code = exitUndelivered
	}
	c.finish(code)
}

// maybeGiveUp ends the run when there has been no connection for too long.
func (c *client) maybeGiveUp() {
	if c.outage.since.IsZero() || c.opts.timeout == 0 || c.patient && c.room.ever && !c.opts.timeoutSet {
		return
	}
	if c.now().Sub(c.outage.since) < c.opts.timeout {
		return
	}
	reason := "timeout"
	if c.outage.cause != nil {
		reason = cause(c.outage.cause)
	}
	c.face.notice(failure, fmt.Sprintf(c.words.cannotConnect, c.opts.server, reason))
	code := exitNoConnection
	if c.room.ever && c.box.len() > 0 {
		code = exitUndelivered
	}
	c.finish(code)
}

// spoke puts a name to the front of those that are offered for completion.
func (c *client) spoke(names ...string) {
	for _, name := range names {
		name = clean(name)
		c.people = slices.DeleteFunc(c.people, func(s string) bool { return s == name })
		c.people = slices.Insert(c.people, 0, name)
	}
	c.people = c.people[:min(len(c.people), 2*protocol.MaxPeople)]
	c.face.people(c.people)
}

// closedByServer says what an end of the connection means: final with an exit code, or try again.
func (c *client) closedByServer(err error) (code int, text string, final bool) {
	var ce *closeError
	if !errors.As(err, &ce) {
		return 0, "", false
	}
	switch ce.code {
	case protocol.CloseRestart:
		c.wait.spread, _ = protocol.ParseRestartReason(ce.reason)
	case protocol.CloseGoingAway:
		if strings.Contains(ce.reason, "replaced") {
			return exitKicked, c.words.replaced, true
		}
		if strings.Contains(ce.reason, "logged out") {
			return exitKicked, c.words.kicked, true
		}
	case protocol.ClosePolicy:
		if ce.reason == "kicked" {
			return exitKicked, c.words.closed, true // the notice before it says why
		}
		if !tooFast(ce) {
			return exitKicked, c.words.kicked, true
		}
		c.wait.floor = max(c.wait.floor, maxRetry)
	case protocol.CloseTooBig:
		// The first message on its way is the likeliest; without this it would be sent for ever.
		if c.box.sent > 0 {
			c.refuse(c.box.waiting[0].id, protocol.CodeTooLong, c.words.errorText(&protocol.Error{Code: protocol.CodeTooLong}))
		}
	}
	return 0, "", false
}

// tooFast tells whether the server has ended the connection, or refused something, because of too much haste.
func tooFast(err error) bool {
	var ce *closeError
	var e *protocol.Error
	switch {
	case errors.As(err, &ce):
		return ce.code == protocol.ClosePolicy && strings.Contains(strings.ReplaceAll(ce.reason, " ", "_"), string(protocol.CodeTooFast))
	case errors.As(err, &e):
		return e.Code == protocol.CodeTooFast
	}
	return false
}
