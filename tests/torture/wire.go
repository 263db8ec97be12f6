//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// wire is a client's side of a TCP connection on which things go wrong: it is cut after so many bytes, in the middle of
// a frame or not; what comes is lost for a while before that; or nothing is read for a while, so that the server's
// socket is full. It stands in the client's process, so what goes wrong is drawn from the seed for each client and
// connection.
type wire struct {
	net.Conn
	fault wireFault
	gate  chan struct{} // if not nil: nothing is read until it is closed
	gone  chan struct{}
	once  sync.Once
	down  int // bytes read; owned by the reader
	up    int // bytes written; owned by the writer
	count *wireCounts
}

type wireFault struct {
	kind  int
	after int // bytes
	hold  time.Duration
	reset bool // RST instead of FIN
	small bool // small buffers, so that a stalled socket is full soon
}

// What can go wrong on a wire.
const (
	wireGood    = iota
	wireCutDown // after bytes from the server
	wireCutUp   // after bytes to the server, in the middle of a frame mostly
	wireSwallow // answers are lost, then it is cut
	wireStall   // nothing is read for a while
)

// wireCounts are totals of the run.
type wireCounts struct{ dials, cuts, swallows, stalls atomic.Int64 }

// drawWire draws what goes wrong on one connection.
func drawWire(r *rand.Rand) wireFault {
	f := wireFault{after: 200 + r.IntN(60_000), reset: r.IntN(2) == 0}
	switch n := r.IntN(100); {
	case n < 25:
		f.kind = wireCutDown
	case n < 40:
		f.kind, f.after = wireCutUp, 300+r.IntN(4000)
	case n < 60:
		f.kind, f.hold = wireSwallow, between(r, 20*time.Millisecond, 500*time.Millisecond)
	case n < 80:
		f.kind, f.hold, f.small = wireStall, between(r, 300*time.Millisecond, 4*time.Second), true
	}
	return f
}

var errCut = errors.New("cut by the harness")

// dial opens a wire to the server.
func (w *world) dial(ctx context.Context, f wireFault) (*wire, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	if f.small {
		d.Control = func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) {
				_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048)
				// With small segments the server's kernel keeps little for us, too.
				_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536)
			})
		}
	}
	listening := w.listening.Load()
	c, err := d.DialContext(ctx, "tcp", w.addr)
	if err != nil {
		if listening != 0 && listening == w.listening.Load() && errors.Is(err, syscall.ECONNREFUSED) {
			w.ledger.breaks(restart, "a connection was refused while the program replaced itself")
		}
		return nil, err
	}
	w.wires.dials.Add(1)
	return &wire{Conn: c, fault: f, gone: make(chan struct{}), count: &w.wires}, nil
}

// Close implements net.Conn.
func (c *wire) Close() error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

func (c *wire) cut() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok && c.fault.reset {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
	return errCut
}

// Read implements net.Conn.
func (c *wire) Read(p []byte) (int, error) {
	if c.gate != nil {
		select {
		case <-c.gate:
		case <-c.gone:
			return 0, errCut
		}
	}
	if c.down >= c.fault.after {
		switch c.fault.kind {
		case wireCutDown:
			c.count.cuts.Add(1)
			return 0, c.cut()
		case wireSwallow:
			c.count.swallows.Add(1)
			_ = c.SetReadDeadline(time.Now().Add(c.fault.hold))
			_, _ = io.Copy(io.Discard, c.Conn)
			return 0, c.cut()
		case wireStall:
			c.fault.kind = wireGood
			c.count.stalls.Add(1)
			select {
			case <-time.After(c.fault.hold):
			case <-c.gone:
				return 0, errCut
			}
		}
	} else if c.fault.kind != wireGood {
		p = p[:min(len(p), c.fault.after-c.down)]
	}
	n, err := c.Conn.Read(p)
	c.down += n
	if errors.Is(err, io.EOF) {
		err = errCut // the library takes an end after a frame's head for the end of the message
	}
	return n, err
}

// Write implements net.Conn.
func (c *wire) Write(p []byte) (int, error) {
	if c.fault.kind == wireCutUp && c.up+len(p) > c.fault.after {
		n, _ := c.Conn.Write(p[:max(0, c.fault.after-c.up)])
		c.up += n
		c.count.cuts.Add(1)
		return n, c.cut()
	}
	n, err := c.Conn.Write(p)
	c.up += n
	return n, err
}

// over returns a transport whose one connection is the wire.
func over(c net.Conn) *http.Transport {
	return &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return c, nil },
		DisableKeepAlives: false, MaxConnsPerHost: 1, DisableCompression: true,
	}
}
