package socket

import (
	"errors"
	"net"
	"os"
	"time"
)

// Why writing ends.
var (
	errDone    = errors.New("the end is written")
	errStalled = errors.New("no byte was taken for too long")
)

// write is the writer's goroutine. It ends when the end is written or nothing can be written any more.
func (c *conn) write() {
	defer close(c.written)
	var err error
	if !c.guard(func() { err = c.writeAll() }) {
		err = errDone
	}
	switch {
	case errors.Is(err, errStalled):
		c.decide(verdict{code: closeTryAgain, reason: "slow consumer"})
		if t, ok := c.raw.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // what the kernel holds for it is dropped at once
		}
	case !errors.Is(err, errDone):
		c.decide(verdict{code: closeLost, reason: "connection lost"})
	case !c.verdict.echo:
		_ = c.raw.SetReadDeadline(time.Now().Add(closeTimeout)) // for the answer; the reader closes
		return
	}
	_ = c.raw.Close()
}

// writeAll writes what there is to write and waits for more, until an error.
func (c *conn) writeAll() error {
	timer := time.NewTimer(c.limits.PingInterval)
	defer timer.Stop()
	for {
		more, err := c.step()
		if err != nil {
			return err
		}
		if more {
			select {
			case <-timer.C:
				timer.Reset(c.watch())
			default:
			}
			continue
		}
		select {
		case <-c.kick:
		case <-timer.C:
			timer.Reset(c.watch())
		}
	}
}

// step makes one write: control frames and the end at the boundary of a frame, else what the peer has pending. more
// is false when there was nothing to write.
func (c *conn) step() (more bool, err error) {
	if c.rest == 0 {
		if more, err := c.stepControl(); more || err != nil {
			return more, err
		}
	} else if c.finished.Load() && c.finishBy.IsZero() {
		c.finishBy = time.Now().Add(closeTimeout)
	}
	code, reason, ending := c.peer.Ending() // before Pending: what came before the end is seen then
	pending := c.peer.Pending()
	if ending && !c.finished.Load() {
		if c.endingSince.IsZero() {
			c.endingSince = time.Now()
		}
		if len(pending) == 0 || time.Since(c.endingSince) > flushTimeout {
			c.decide(verdict{code: code, reason: reason})
			return true, nil
		}
	}
	if len(pending) == 0 {
		return false, nil
	}
	return true, c.stepPending(pending)
}

// stepControl writes waiting control frames, then, if there is a verdict, the close frame.
func (c *conn) stepControl() (more bool, err error) {
	if len(c.out) == 0 {
		finished := c.finished.Load() // before the queue: the pong of a ping before the close goes before it
		c.mu.Lock()
		c.out = append(c.out[:0], c.queue...)
		c.queue = c.queue[:0]
		c.mu.Unlock()
		if finished {
			return false, c.finish()
		}
	}
	if len(c.out) == 0 {
		return false, nil
	}
	n, err := c.writeSome(c.out)
	c.out = c.out[n:]
	return true, err
}

// finish writes what waits and the close frame. The verdict stands.
func (c *conn) finish() error {
	v := c.verdict
	if v.code == closeLost {
		return errDone
	}
	if c.finishBy.IsZero() {
		c.finishBy = time.Now().Add(closeTimeout)
	}
	c.out = v.appendFrame(c.out)
	for len(c.out) > 0 {
		n, err := c.writeSome(c.out)
		if err != nil {
			return err
		}
		c.out = c.out[n:]
	}
	return errDone
}

// stepPending writes what is pending, all of it if it can. Where control frames or the end wait, it stops at the end
// of the frame that is written in part.
func (c *conn) stepPending(pending []byte) error {
	if c.rest > 0 && c.rest < len(pending) && c.interrupted() {
		pending = pending[:c.rest]
	}
	n, err := c.writeSome(pending)
	c.rest = restOfFrame(pending, c.rest, n)
	if n > 0 {
		c.peer.Wrote(n)
	}
	return err
}

// interrupted tells whether something should be written before the rest of what is pending.
func (c *conn) interrupted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue) > 0 || c.finished.Load()
}

// writeSome writes b, or the part of b that is taken before a step of the stall timeout is over. The error means that
// nothing more can be written.
func (c *conn) writeSome(b []byte) (int, error) {
	step := stallStep(c.limits)
	if !c.resume {
		step = c.limits.StallTimeout
		b = b[:min(len(b), tlsChunk)]
	}
	began := time.Now()
	if !c.finishBy.IsZero() {
		step = min(step, c.finishBy.Sub(began))
	}
	if step <= 0 {
		return 0, errStalled
	}
	// Setting a deadline costs as much as a small write: one that has half its time left will do.
	if left := c.deadline.Sub(began); left < step/2 || left > step {
		c.deadline = began.Add(step)
		if err := c.raw.SetWriteDeadline(c.deadline); err != nil {
			return 0, err
		}
	}
	n, err := c.raw.Write(b)
	if n > 0 {
		c.stalled = time.Time{}
		if c.full {
			c.heard.Store(int64(c.now())) // the other side reads; its pongs may be far behind
		}
	}
	c.full = err != nil
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return n, err
	case !c.resume:
		return n, errStalled
	}
	if n == 0 && c.stalled.IsZero() {
		c.stalled = began
	}
	if n == 0 && time.Since(c.stalled) >= c.limits.StallTimeout {
		return 0, errStalled
	}
	return n, nil
}

// watch looks after a silent connection and returns when to look again.
func (c *conn) watch() time.Duration {
	now := c.now()
	heard := time.Duration(c.heard.Load())
	if c.inPeer.Load() {
		heard = now
	}
	begun := time.Duration(c.begun.Load())
	switch silent := now - heard; {
	case begun != 0 && now-begun >= c.limits.IdleTimeout:
		c.decide(verdict{code: closePolicy, reason: "the message takes too long"})
	case c.pinged > heard:
		if silent >= c.limits.IdleTimeout && now-c.pinged >= c.limits.answerTime() {
			c.decide(verdict{code: closeGoingAway, reason: "nothing was heard for too long"})
		}
	case silent >= c.limits.PingInterval: // even if it is too late already: nobody is ended unasked
		c.pinged = now
		c.enqueue(opPing, nil)
	}
	next := heard + c.limits.PingInterval
	if c.pinged > heard {
		next = max(heard+c.limits.IdleTimeout, c.pinged+c.limits.answerTime())
	}
	if begun != 0 {
		next = min(next, begun+c.limits.IdleTimeout)
	}
	return max(next-now, 5*time.Millisecond)
}
