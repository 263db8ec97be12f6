package socket

import (
	"errors"

	"golang.org/x/sys/unix"
)

// read takes what the socket has, one buffer at most, unless the peer has enough to do.
func (l *loop) read(k *link) {
	if k.closed {
		return
	}
	if k.paused = k.in != nil && !k.decided() && k.in.isFull(); k.paused {
		return
	}
	if early := k.early; len(early) > 0 {
		k.early = nil
		l.feed(k, early)
		if k.readable && !k.paused {
			l.enqueue(k)
		}
		return
	}
	if !k.readable || k.end != nil && k.end.skipped > maxSkipped {
		return
	}
	buf := l.buf
	if !k.bulk {
		buf = buf[:firstRead]
	}
	n, err := rawRead(k.fd, buf)
	switch {
	case n > 0:
		decided := k.decided()
		k.readable = n == len(buf) || k.hup // by edges: a buffer that is not full has emptied the socket
		frames := l.feed(k, buf[:n])
		k.bulk = n == len(buf) && frames <= largeFrames
		if decided {
			k.end.skipped += skipCost(n, frames)
		}
		if k.readable && !k.paused {
			l.enqueue(k)
		}
	case errors.Is(err, unix.EAGAIN):
		k.readable = false
	case errors.Is(err, unix.EINTR):
		l.enqueue(k)
	case n == 0 && k.decided():
		k.readable = false
		l.answered(k) // it may still listen
	default:
		reason := "connection lost"
		if n == 0 && k.parser == nil {
			reason = "the other side went away"
		}
		l.finish(k, verdict{code: closeLost, reason: reason})
	}
}

// feed parses b, does what it asks for, and counts the frames that have come whole. What the peer cannot take now stays in
// early.
func (l *loop) feed(k *link, b []byte) (frames int) {
	p := k.parser
	if p == nil {
		l.parser = parser{pulse: &k.pulse, limit: l.owner.limits.MaxFrame, binary: k.binary, controls: l.owner.limits.ControlRate}
		p = &l.parser
		if k.decided() {
			p.discard()
		}
	}
	before := p.frames
	for len(b) > 0 && !k.closed && !k.paused && (k.end == nil || !k.end.answered) {
		used, ev := p.next(b, l.now)
		b = b[used:]
		l.handle(k, ev)
	}
	frames = p.frames - before
	switch {
	case k.closed:
		return frames
	case k.paused && len(b) > 0:
		k.early = append([]byte(nil), b...)
	}
	switch idle := p.idle(); {
	case idle:
		k.parser = nil
	case k.parser == nil:
		k.parser = new(parser)
		*k.parser = *p
		if p.begun > 0 {
			l.wheel.hasten(k, p.begun+l.owner.limits.IdleTimeout)
		}
	}
	return frames
}
