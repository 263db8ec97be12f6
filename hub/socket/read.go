package socket

import "time"

// read runs in the caller's goroutine until nothing more can come. Only the writer sets read deadlines.
func (c *conn) read() {
	buf := make([]byte, readSize)
	skipped, frames := 0, 0
	for {
		n, err := c.in.Read(buf)
		if c.finished.Load() {
			if skipped += skipCost(n, c.parser.frames-frames); skipped > maxSkipped {
				<-time.After(closeTimeout) // for the other side to hear why; see skipCost
				return
			}
		}
		frames = c.parser.frames
		for b := buf[:n]; len(b) > 0; {
			if c.finished.Load() {
				c.parser.discard() // closing with unread data resets, and our close frame would be lost
			}
			used, ev := c.parser.next(b, c.now())
			b = b[used:]
			c.heard.Store(int64(c.pulse.heard))
			c.begun.Store(int64(c.parser.begun))
			if !c.handle(ev) {
				return
			}
		}
		if err != nil {
			c.lost()
			return
		}
	}
}

// lost is called when reading has failed.
func (c *conn) lost() {
	if c.finished.Load() {
		return
	}
	reason := "connection lost"
	if c.parser.idle() {
		reason = "the other side went away"
	}
	c.decide(verdict{code: closeLost, reason: reason})
	_ = c.raw.Close() // the writer may hang in it
}

// handle does what an event asks for and tells whether to read on.
func (c *conn) handle(ev event) bool {
	switch ev.kind {
	case evMessage:
		c.inPeer.Store(true)
		c.guard(func() { message{ev.data, ev.binary}.handTo(c.peer) })
		c.pulse.heard = c.now()
		c.heard.Store(int64(c.pulse.heard))
		c.inPeer.Store(false)
	case evPing:
		c.enqueue(opPong, ev.data)
	case evEnd:
		c.decide(ev.end)
		return !ev.end.echo
	case evAnswered:
		return false
	}
	return true
}
