package socket

import (
	"errors"

	"golang.org/x/sys/unix"
)

// flush writes what the link has to write, as far as the socket takes it and the bounds of a visit allow.
func (l *loop) flush(k *link) {
	written := 0
	for range writesPerVisit {
		if k.closed {
			return
		}
		if k.parked {
			l.pending(k) // it may want to end
			return
		}
		if k.rest == 0 && !l.flushControl(k) {
			return
		}
		b := l.pending(k)
		if len(b) == 0 {
			if k.rest == 0 && k.decided() {
				continue // the peer has just ended
			}
			return
		}
		n, ok := l.write(k, b)
		k.rest = restOfFrame(b, k.rest, n)
		if n > 0 {
			k.peer.Wrote(n)
		}
		if !ok {
			return
		}
		if written += n; written >= bytesPerVisit {
			break
		}
	}
	l.resume(k)
}

// pending asks the peer what to write next, and whether it wants to end. Where control frames or the end wait, it stops
// at the end of the frame that is written in part.
func (l *loop) pending(k *link) []byte {
	if k.broken {
		return nil
	}
	code, reason, ends := k.peer.Ending() // before Pending: what came before the end is seen then
	b := k.peer.Pending()
	if ends && !k.decided() {
		if k.end == nil {
			k.end = &ending{since: max(1, l.now)}
			l.wheel.hasten(k, l.now+flushTimeout)
		}
		if len(b) == 0 || l.now-k.end.since > flushTimeout {
			l.decide(k, verdict{code: code, reason: reason})
		}
	}
	interrupted := len(k.out) > 0 || k.decided()
	switch {
	case k.rest == 0 && interrupted:
		return nil
	case interrupted && k.rest < len(b):
		return b[:k.rest]
	}
	return b
}

// flushControl writes waiting control frames, then, if there is a verdict, the close frame. It tells whether what is
// pending may be written.
func (l *loop) flushControl(k *link) bool {
	if k.decided() && !k.end.said {
		k.end.said = true
		k.out = k.end.verdict.appendFrame(k.out)
	}
	if len(k.out) > 0 {
		n, ok := l.write(k, k.out)
		if k.closed {
			return false
		}
		if k.out = k.out[n:]; !ok {
			return false
		}
		k.out = nil
		if k.decided() {
			l.saidAll(k)
		}
	}
	return !k.decided()
}

// saidAll is called when the close frame is written.
func (l *loop) saidAll(k *link) {
	if k.end.answered {
		l.finish(k, k.end.verdict)
		return
	}
	k.end.by = l.now + closeTimeout // for the answer
	l.wheel.set(k, k.end.by)
	if k.parser != nil {
		k.parser.discard()
	}
}

// write writes b, or what the socket takes of it. It is not ok when the socket takes no more now, which parks the link,
// or never.
func (l *loop) write(k *link, b []byte) (n int, ok bool) {
	n, err := rawWrite(k.fd, b)
	for n < 0 && errors.Is(err, unix.EINTR) {
		n, err = rawWrite(k.fd, b)
	}
	if n > 0 && k.stalled != 0 {
		k.pulse.heard = l.now // the other side reads; its pongs may be far behind
	}
	switch {
	case n == len(b):
		k.stalled = 0
		return n, true
	case n < 0 && !errors.Is(err, unix.EAGAIN):
		l.finish(k, verdict{code: closeLost, reason: "connection lost"})
		return 0, false
	}
	n = max(n, 0)
	if n > 0 || k.stalled == 0 {
		k.stalled = max(1, l.now)
	}
	k.parked = true
	l.wheel.hasten(k, l.now+stallStep(l.owner.limits))
	return n, false
}
