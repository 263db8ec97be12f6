package socket

import (
	"io"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasthttp/websocket"
)

// Serve drives an upgraded connection until it is gone: it reads in the caller's goroutine, writes in one more, waits
// for that one, closes the connection, calls p.Ended and returns. ws is the inner connection of the middleware's object
// and is used for nothing but its net.Conn: the library writes control frames of its own from its reader, which would
// land in the middle of what the writer writes, so both directions are ours.
//
// head is written before anything else, as it is: the answer to the handshake, if that is not written yet.
//
// onPanic, if not nil, is told of a panic of the peer's, which ends this connection (1011) and nothing else.
func Serve(ws *websocket.Conn, head []byte, p Peer, limits Limits, onPanic func(value any, stack []byte)) {
	in := ws.NetConn()
	// What follows the handshake may wait in the server's buffer, so it is read through that; written is past it.
	serve(rawOf(in), in, head, p, limits, onPanic)
}

// conn is one connection and the two goroutines that drive it.
type conn struct {
	// Fixed at construction.
	raw     net.Conn  // closed and written here
	in      io.Reader // read here
	peer    Peer
	limits  Limits
	onPanic func(any, []byte)
	start   time.Time
	resume  bool          // a write that timed out can go on where it was (not so with TLS)
	kick    chan struct{} // capacity 1; the reader or the peer has something for the writer
	written chan struct{} // closed when the writer has returned

	heard    atomic.Int64 // nanoseconds after start when the last frame came
	begun    atomic.Int64 // nanoseconds after start when the unfinished message began, 0 = there is none
	inPeer   atomic.Bool  // Receive is running: its time is not the other side's silence
	finished atomic.Bool  // there is a verdict

	// Owned by the reader.
	parser parser
	pulse  pulse

	// Owned by the writer.
	out         []byte    // control frames, the first perhaps written in part
	rest        int       // bytes up to the next frame of what is pending
	deadline    time.Time // set for writes
	full        bool      // the last write found no room for everything
	stalled     time.Time // since when no byte was taken, zero = bytes are taken
	endingSince time.Time // when the peer wanted to end, zero = not yet
	finishBy    time.Time // when the end must be written, zero = no end yet
	pinged      time.Duration

	mu      sync.Mutex // guards the fields below
	queue   []byte     // whole control frames to be written, at most maxControl bytes
	verdict verdict    // the first one counts
}

func serve(raw net.Conn, in io.Reader, head []byte, p Peer, limits Limits, onPanic func(any, []byte)) {
	c := &conn{
		raw: raw, in: in, peer: p, limits: limits.withDefaults(), onPanic: onPanic, start: time.Now(),
		kick: make(chan struct{}, 1), written: make(chan struct{}),
	}
	c.parser = parser{pulse: &c.pulse, limit: c.limits.MaxFrame, binary: takesBinary(p), controls: c.limits.ControlRate}
	switch t := raw.(type) {
	case *net.TCPConn:
		c.resume = true
		_ = t.SetWriteBuffer(sendBuffer) // the kernel's own limit holds then
	case *net.UnixConn:
		c.resume = true
	}
	p.Bind(c)
	if len(head) > 0 {
		_ = raw.SetWriteDeadline(time.Now().Add(c.limits.StallTimeout))
		if _, err := raw.Write(head); err != nil {
			_ = raw.Close()
			p.Ended(closeLost, "connection lost")
			return
		}
	}
	// The writer ends when there is a verdict, or when writing fails because the reader has closed the connection.
	go c.write()
	c.read()
	<-c.written
	_ = raw.Close()
	p.Ended(c.verdict.code, c.verdict.reason)
}

// now is the time since the connection began.
func (c *conn) now() time.Duration { return time.Since(c.start) }

// decide says how the connection ends, unless that was said before, and wakes the writer.
func (c *conn) decide(v verdict) {
	c.mu.Lock()
	if !c.finished.Load() {
		c.verdict = v
		c.finished.Store(true)
	}
	c.mu.Unlock()
	c.wake()
}

// Wake implements line.Line. The scheduler is fair.
func (c *conn) Wake(bool) { c.wake() }

func (c *conn) wake() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// enqueue hands a control frame to the writer. One that finds no room is dropped: only pongs can be so many, and of
// several pings the last may be answered alone (RFC 6455 §5.5.3).
func (c *conn) enqueue(op byte, payload []byte) {
	c.mu.Lock()
	if len(c.queue)+2+len(payload) <= maxControl {
		c.queue = appendControl(c.queue, op, payload)
	}
	c.mu.Unlock()
	c.wake()
}

// guard calls f and turns its panic into the end of the connection.
func (c *conn) guard(f func()) (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			if c.onPanic != nil {
				c.onPanic(v, debug.Stack())
			}
			c.decide(verdict{code: closeInternal, reason: "internal error"})
		}
	}()
	f()
	return true
}
