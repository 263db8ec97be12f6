package restart

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// What becomes of a connection that is accepted and of which no request is under way.
const (
	serving    = int32(iota) // it is served
	closing                  // it is closed, unless something has come over it
	handingOn                // it is kept open for the next process, with what has come over it
	maxKept    = 10_000      // connections that are kept at most: a process has so many descriptors, and a variable so much room
	lastChance = 50 * time.Millisecond
)

// watch knows the connections that were accepted and have not left yet: by their end, or into the hands of somebody who
// ends them himself.
type watch struct {
	mode   atomic.Int32 // what becomes of connections at rest
	sealed bool         // see Listener.Sealed; fixed before anything is accepted

	mu        sync.Mutex // guards the fields below; taken after conn.mu
	conns     map[*conn]struct{}
	accepting int // calls of Accept
	kept      []*os.File
	settled   chan struct{} // closed when the listener is closed and everybody has left; nil = nobody waits
}

// conn is a connection of a Listener. Its goroutine is the one that reads it.
type conn struct {
	net.Conn
	watch *watch // fixed at construction

	mu      sync.Mutex // guards the fields below
	resting bool       // no byte of a request is read that is not answered
	reading bool       // Read waits
	woken   bool       // its deadline was changed to end that
	begun   bool       // something has come over it
	left    bool
}

// Accept implements net.Listener. First come those that the process before has kept.
func (l *Listener) Accept() (net.Conn, error) {
	w := &l.watch
	w.mu.Lock()
	w.accepting++
	var early net.Conn
	if len(l.inherited) > 0 {
		early, l.inherited = l.inherited[0], l.inherited[1:]
	}
	w.mu.Unlock()
	accepted, err := early, error(nil)
	if early == nil {
		if accepted, err = l.Listener.Accept(); err == nil {
			l.filter.Free(accepted)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accepting--
	if err != nil {
		w.lookLocked()
		return nil, err
	}
	c := &conn{Conn: accepted, watch: w, resting: true}
	if w.conns == nil {
		w.conns = make(map[*conn]struct{})
	}
	w.conns[c] = struct{}{}
	return c, nil
}

// Settle waits, after Close, until every connection that was accepted has left: until its request is answered, or it is a
// WebSocket that has its session. Those at rest, of which no request is under way, are closed or, with handOn, kept open
// for the program that Exec begins, whatever may have come over them: nobody is cut who has just connected. The error is
// that of ctx; then some are still served.
func (l *Listener) Settle(ctx context.Context, handOn bool) error {
	w := &l.watch
	settled := make(chan struct{})
	w.mu.Lock()
	w.mode.Store(closing)
	if handOn {
		w.mode.Store(handingOn)
	}
	w.settled = settled
	conns := make([]*conn, 0, len(w.conns))
	for c := range w.conns {
		conns = append(conns, c)
	}
	w.lookLocked()
	w.mu.Unlock()
	for _, c := range conns {
		c.interrupt()
	}
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lookLocked tells who waits for it that everybody has left.
func (w *watch) lookLocked() {
	if w.settled != nil && w.accepting == 0 && len(w.conns) == 0 {
		close(w.settled)
		w.settled = nil
	}
}

// Read implements net.Conn. A connection that is taken away reads as if the other side had left it.
func (c *conn) Read(p []byte) (int, error) {
	if !c.begin() {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p)
	if !c.finish(n, err) {
		return 0, io.EOF
	}
	return n, err
}

// begin tells whether to read.
func (c *conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = true
	if c.left || !c.resting {
		return true
	}
	switch c.watch.mode.Load() {
	case handingOn:
		c.keepLocked()
		return false
	case closing:
		c.woken = true
		_ = c.SetReadDeadline(time.Now().Add(lastChance))
	}
	return true
}

// finish tells whether what was read counts.
func (c *conn) finish(n int, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	woken := c.woken
	c.woken = false
	switch {
	case c.left:
	case n > 0:
		c.resting, c.begun = false, true
		if woken { // the rest of the request is worth waiting for
			_ = c.SetReadDeadline(time.Now().Add(requestPatience))
		}
	case woken && errors.Is(err, os.ErrDeadlineExceeded):
		if c.watch.mode.Load() == handingOn {
			c.keepLocked()
		}
		return false
	}
	return true
}

// requestPatience is how long the rest of a request may take that had begun when the program was to stop. Settle does not
// wait for so long.
const requestPatience = 10 * time.Second

// interrupt ends a wait for a request that has not begun.
func (c *conn) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resting && c.reading && !c.left {
		c.woken = true
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}

// keepLocked makes the connection outlive this process, if it can. It is closed here afterwards, which the other side
// does not notice then.
func (c *conn) keepLocked() {
	defer c.leaveLocked()
	w := c.watch
	of, ok := c.Conn.(interface{ File() (*os.File, error) })
	if !ok || w.sealed && c.begun {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.kept) >= maxKept {
		return
	}
	if f, err := of.File(); err == nil {
		w.kept = append(w.kept, f)
	}
}

// Rest says that a request was answered, and Busy that the next one has begun. Who serves HTTP calls them, from the
// goroutine that reads.
func (c *conn) Rest() { c.rest(true) }

// Busy is the contrary of Rest.
func (c *conn) Busy() { c.rest(false) }

func (c *conn) rest(resting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resting = resting
}

// Leave takes the connection off the listener's watch, and returns what it is made of: from now on the caller ends it.
func (c *conn) Leave() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaveLocked()
	return c.Conn
}

// Close implements net.Conn.
func (c *conn) Close() error {
	err := c.Conn.Close() // first: a Read that waits ends
	c.Leave()
	return err
}

func (c *conn) leaveLocked() {
	if c.left {
		return
	}
	c.left = true
	w := c.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
	w.lookLocked()
}

// keepOpen lets the kept connections survive exec, and returns at which descriptors they are.
func (w *watch) keepOpen() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var at []string
	for _, f := range w.kept {
		if fd, err := keepOpen(f); err == nil {
			at = append(at, strconv.Itoa(fd))
		}
	}
	return strings.Join(at, ",")
}
