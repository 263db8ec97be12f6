package socket

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// read runs in the caller's goroutine until nothing more can come. Only the writer sets read deadlines.
func (c *conn) read() {
	for !c.finished.Load() {
		v := c.readFrame()
		if v == nil {
			continue
		}
		c.decide(*v)
		if v.code == closeLost {
			_ = c.raw.Close() // the writer may hang in it
		}
		if v.code == closeLost || v.echo {
			return
		}
	}
	c.drain()
}

// drain reads past everything up to the answer to our close frame: closing a socket with unread data resets it, and
// the other side would lose the close frame. The writer's read deadline bounds it.
func (c *conn) drain() {
	c.message = nil
	if _, err := io.CopyN(io.Discard, c.in, c.unread); err != nil {
		return
	}
	for {
		var h header
		err := readHeader(c.in, &c.scratch, &h)
		if errors.As(err, new(protocolError)) {
			_, _ = io.Copy(io.Discard, c.in)
			return
		}
		if err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, c.in, h.length); err != nil || h.op == opClose {
			return
		}
	}
}

// readFrame reads and handles one frame; the verdict is nil while the connection goes on.
func (c *conn) readFrame() *verdict {
	var h header
	if err := readHeader(c.in, &c.scratch, &h); err != nil {
		return failed(err)
	}
	c.heard.Store(int64(c.now()))
	c.unread = h.length
	if h.control() || h.length == 0 && !h.final {
		if !c.control.Allow() {
			return &verdict{code: closePolicy, reason: "too many control frames"}
		}
	}
	if h.control() {
		return c.readControl(h)
	}
	return c.readData(h)
}

// failed is the verdict on an error of reading.
func failed(err error) *verdict {
	var p protocolError
	switch {
	case errors.As(err, &p):
		return &verdict{code: closeProtocol, reason: string(p)}
	case errors.Is(err, errEnd):
		return &verdict{code: closeLost, reason: "the other side went away"}
	default:
		return &verdict{code: closeLost, reason: "connection lost"}
	}
}

func (c *conn) readControl(h header) *verdict {
	var buf [maxControlPayload]byte
	payload := buf[:h.length]
	if _, err := io.ReadFull(c.in, payload); err != nil {
		return failed(err)
	}
	c.unread = 0
	unmask(payload, h.mask)
	switch h.op {
	case opPing:
		c.enqueue(opPong, payload)
	case opClose:
		code, reason, err := parseClose(payload)
		if err != nil {
			return failed(err)
		}
		return &verdict{code: code, reason: reason, echo: true}
	}
	return nil
}

func (c *conn) readData(h header) *verdict {
	inside := c.begun.Load() != 0
	switch {
	case h.op == opContinuation && !inside:
		return &verdict{code: closeProtocol, reason: "a continuation of nothing"}
	case h.op != opContinuation && inside:
		return &verdict{code: closeProtocol, reason: "a new message inside another"}
	case h.op == opBinary:
		return &verdict{code: closeUnsupported, reason: "messages here are text"}
	case h.length > c.limits.MaxFrame-int64(len(c.message)):
		return &verdict{code: closeTooBig, reason: fmt.Sprintf("a message here has at most %d bytes", c.limits.MaxFrame)}
	}
	if !inside {
		c.begun.Store(max(1, int64(c.now())))
	}
	if err := c.readPayload(h); err != nil {
		return failed(err)
	}
	if !h.final {
		return nil
	}
	return c.receive()
}

// readPayload appends to the message. It takes memory for what has come, not for what the header promises.
func (c *conn) readPayload(h header) error {
	from := len(c.message)
	for left := int(h.length); left > 0; {
		n := min(left, 4<<10)
		at := len(c.message)
		c.message = append(c.message, make([]byte, n)...)
		if _, err := io.ReadFull(c.in, c.message[at:]); err != nil {
			return err
		}
		left -= n
	}
	c.unread = 0
	unmask(c.message[from:], h.mask)
	return nil
}

// receive hands the whole message to the peer.
func (c *conn) receive() *verdict {
	message := c.message
	if c.message = c.message[:0]; cap(c.message) > keepBuffer {
		c.message = nil
	}
	c.begun.Store(0)
	if !utf8.Valid(message) {
		return &verdict{code: closeBadText, reason: "the text is not UTF-8"}
	}
	c.inPeer.Store(true)
	c.guard(func() { c.peer.Receive(message) })
	c.heard.Store(int64(c.now()))
	c.inPeer.Store(false)
	return nil
}
