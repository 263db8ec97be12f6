package socket

import (
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// link is one connection of a loop. While nothing happens it is all that the connection costs here.
type link struct {
	// What Idle and a share need stands together, in one line of the processor's cache.

	loop  *loop         // fixed at construction
	peer  Peer          // fixed at construction
	woken atomic.Uint32 // in the inbox, or queued and not visited since: notWoken, wokenInCrowd or wokenAlone
	holds atomic.Bool   // the peer wants to be asked before anything else is written

	// Owned by the loop's goroutine.
	queued   queuedAs
	readable bool // the socket may have something
	bulk     bool // what came last was a full buffer of large frames
	hup      bool // the other side has said its last, so there is an end to be read
	paused   bool // nothing is read while the peer has enough to do
	parked   bool // the socket takes nothing; it will tell
	many     bool // what it writes is for a crowd: it goes on with the crowd
	broken   bool // the peer panicked and has nothing more to write
	closed   bool
	binary   bool // the peer takes binary messages; fixed at construction
	fd       int32
	slot     int32   // in loop.links; -1 = not registered yet
	rest     int     // bytes up to the next frame of what is pending
	end      *ending // nil while nobody wants to end

	done func() // called when the socket is closed and the peer knows; fixed at construction

	// Owned by the loop's goroutine, too.
	pulse   pulse
	pinged  time.Duration
	stalled time.Duration // since when no byte was taken, while parked
	parser  *parser       // nil while nothing is unfinished
	in      *intake       // nil while the peer has nothing to do
	early   []byte        // bytes that were read and not parsed
	out     []byte        // control frames, the first perhaps written in part; at first the answer to the handshake

	// Owned by the wheel.
	due           int64 // tick; 0 = not in the wheel
	before, after *link
}

// What a link has been woken as.
const (
	notWoken uint32 = iota
	wokenInCrowd
	wokenAlone
)

// queuedAs says in which of its loop's queues a link is.
type queuedAs uint8

const (
	notQueued queuedAs = iota
	queuedInCrowd
	queuedAlone
)

// ending is how far the end of a link is.
type ending struct {
	since    time.Duration // when the peer wanted to end, 0 = it did not
	decided  bool          // there is a verdict
	said     bool          // the close frame is in out, or written
	answered bool          // nothing more is to be read
	verdict  verdict
	by       time.Duration // when the socket is closed whatever comes, if decided
	skipped  int           // what was read since, see skipCost
}

func (k *link) decided() bool { return k.end != nil && k.end.decided }

// Wake implements line.Line.
func (k *link) Wake(crowd bool) {
	if crowd {
		if !k.woken.CompareAndSwap(notWoken, wokenInCrowd) {
			return
		}
	} else if k.woken.Swap(wokenAlone) == wokenAlone {
		return
	}
	l := k.loop
	l.mu.Lock()
	l.inbox = append(l.inbox, k)
	l.mu.Unlock()
	l.rouse()
}

// begin writes the answer to the handshake, which is in out, and what the peer has pending in one go. A socket that does
// not take the answer is closed: one that is new takes far more.
func (l *loop) begin(k *link) {
	pending := k.peer.Pending()
	head := k.out
	k.out = nil
	n, ok := l.write(k, append(append(l.buf[:0], head...), pending...))
	if k.closed {
		return
	}
	if n < len(head) {
		l.finish(k, verdict{code: closeLost, reason: "connection lost"})
		return
	}
	if n -= len(head); n > 0 {
		k.peer.Wrote(n)
	}
	if !ok {
		k.rest = restOfFrame(pending, 0, n)
	}
}

// guard calls f and turns a panic into the end of the link.
func (l *loop) guard(k *link, f func(*link)) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		l.panicked(v)
		if k.broken = true; k.closed {
			return
		}
		if l.decide(k, verdict{code: closeInternal, reason: "internal error"}); k.rest > 0 {
			l.finish(k, k.end.verdict) // the rest of the frame is the peer's to give
		}
	}()
	f(k)
}

func (l *loop) panicked(v any) {
	if l.owner.onPanic != nil {
		l.owner.onPanic(v, debug.Stack())
	}
}

// visit does what has come up for the link.
func (l *loop) visit(k *link) {
	if k.woken.Load() != notWoken {
		k.woken.Store(notWoken) // before looking: what comes from now on wakes again
	}
	if k.holds.Load() {
		k.holds.Store(false)
	}
	if k.closed {
		return
	}
	if in := k.in; in != nil && in.hasFailed() {
		l.decide(k, verdict{code: closeInternal, reason: "internal error"})
	}
	if k.paused || len(k.early) > 0 || k.readable {
		l.read(k)
	}
	l.flush(k)
}

// handle does what an event asks for.
func (l *loop) handle(k *link, ev event) {
	switch ev.kind {
	case evMessage:
		data := ev.data
		if !ev.kept {
			data = append(make([]byte, 0, len(data)), data...)
		}
		k.paused = l.hand(k, message{data, ev.binary})
	case evPing:
		l.say(k, opPong, ev.data)
	case evEnd:
		l.decide(k, ev.end)
		k.end.answered = k.end.answered || ev.end.echo
	case evAnswered:
		l.answered(k)
	}
}

// answered is called when nothing more is to come after a verdict.
func (l *loop) answered(k *link) {
	k.end.answered = true
	if k.end.said && len(k.out) == 0 {
		l.finish(k, k.end.verdict)
	}
}

// say puts a control frame where it will be written. One that finds no room is dropped, as by the portable driver.
func (l *loop) say(k *link, op byte, payload []byte) {
	if len(k.out)+2+len(payload) <= maxControl {
		k.out = appendControl(k.out, op, payload)
	}
	l.enqueue(k)
}

// decide says how the link ends, unless that was said before.
func (l *loop) decide(k *link, v verdict) {
	if k.end == nil {
		k.end = &ending{}
	}
	if k.end.decided {
		return
	}
	k.end.decided, k.end.verdict = true, v
	k.end.by = l.now + closeTimeout
	l.wheel.hasten(k, k.end.by)
	if k.parser != nil {
		k.parser.discard()
	}
	l.enqueue(k)
}

// finish closes the socket. The peer is told elsewhere, for that may block. The first verdict counts.
func (l *loop) finish(k *link, v verdict) {
	if k.closed {
		return
	}
	k.closed = true
	if k.decided() {
		v = k.end.verdict
	}
	l.wheel.remove(k)
	if k.slot >= 0 {
		l.links[k.slot] = nil
		l.free = append(l.free, k.slot)
	}
	_ = unix.Close(int(k.fd))
	k.parser, k.early, k.out = nil, nil, nil
	if k.in == nil || !k.in.endWith(v) {
		l.graves.add(k, v)
	}
}

// drop makes finish throw away what the kernel holds for a socket that takes nothing.
func (l *loop) drop(k *link) {
	_ = unix.SetsockoptLinger(int(k.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// check looks after a link whose time in the wheel has come, and puts it back.
func (l *loop) check(k *link) {
	l.guard(k, l.checkTimes)
	if !k.closed {
		l.wheel.set(k, l.deadline(k))
	}
}

func (l *loop) checkTimes(k *link) {
	limits := &l.owner.limits
	if k.in != nil && k.in.over() {
		k.in = nil
	}
	if k.in != nil {
		k.pulse.heard = l.now // its time is not the other side's silence
	}
	if k.parked {
		k.parked = false // a socket tells only when it has much room
		if !k.decided() && l.now-k.stalled < limits.StallTimeout {
			l.resume(k) // not here: there may be thousands
		} else if l.flush(k); k.closed {
			return
		}
	}
	if k.decided() {
		if l.now >= k.end.by {
			if len(k.out) > 0 || k.rest > 0 {
				l.drop(k)
			}
			l.finish(k, k.end.verdict)
		}
		return
	}
	if k.parked && l.now-k.stalled >= limits.StallTimeout {
		l.drop(k)
		l.finish(k, verdict{code: closeTryAgain, reason: "slow consumer"})
		return
	}
	l.checkSilence(k)
}

func (l *loop) checkSilence(k *link) {
	limits := &l.owner.limits
	switch silent := l.now - k.pulse.heard; {
	case k.parser != nil && k.parser.begun > 0 && l.now-k.parser.begun >= limits.IdleTimeout:
		l.decide(k, verdict{code: closePolicy, reason: "the message takes too long"})
	case k.pinged > k.pulse.heard:
		if silent >= limits.IdleTimeout && l.now-k.pinged >= limits.answerTime() {
			l.decide(k, verdict{code: closeGoingAway, reason: "nothing was heard for too long"})
		}
	case silent >= limits.PingInterval: // even if it is too late already: nobody is ended unasked
		k.pinged = l.now
		l.say(k, opPing, nil)
	}
}

// deadline is when check has something to do next.
func (l *loop) deadline(k *link) time.Duration {
	limits := &l.owner.limits
	if k.decided() {
		return k.end.by
	}
	at := k.pulse.heard + limits.PingInterval
	if k.pinged > k.pulse.heard {
		at = max(k.pulse.heard+limits.IdleTimeout, k.pinged+limits.answerTime())
	}
	if k.parser != nil && k.parser.begun > 0 {
		at = min(at, k.parser.begun+limits.IdleTimeout)
	}
	if k.parked {
		at = min(at, l.now+stallStep(*limits))
	}
	if k.end != nil {
		at = min(at, k.end.since+flushTimeout)
	}
	return at
}
