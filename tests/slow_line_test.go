package tests

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A slow line: what a phone has where the network is poor.
const (
	slowRoundTrip = 150 * time.Millisecond
	slowBytes     = 1_600_000 / 8 // a second, towards the browser, all connections together
)

// slowLine forwards connections to addr over a slow line and returns its own address. A new connection costs a round
// trip before anything is sent, as a TCP handshake does.
func slowLine(t *testing.T, addr string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	pipe := &pipe{}
	running.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { forward(near, addr, pipe) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		pipe.close()
		running.Wait()
	})
	return ln.Addr().String()
}

// pipe is the width of the line, and its connections.
type pipe struct {
	mu    sync.Mutex // guards the fields below
	free  time.Time  // when what has been sent so far is through
	conns []net.Conn
	ended bool
}

func (p *pipe) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
	return !p.ended
}

func (p *pipe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	for _, c := range p.conns {
		_ = c.Close()
	}
}

// arrival is when n bytes that are sent now have arrived.
func (p *pipe) arrival(n int) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); p.free.Before(now) {
		p.free = now
	}
	p.free = p.free.Add(time.Duration(n) * time.Second / slowBytes)
	return p.free.Add(slowRoundTrip / 2)
}

func forward(near net.Conn, addr string, p *pipe) {
	defer near.Close()
	far, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer far.Close()
	if !p.add(near) || !p.add(far) {
		return
	}
	var both sync.WaitGroup
	connected := time.Now().Add(slowRoundTrip)
	both.Go(func() {
		deliver(far, near, func(int) time.Time { // what the browser sends is little
			at := time.Now()
			if at.Before(connected) {
				at = connected
			}
			return at.Add(slowRoundTrip / 2)
		})
		_ = far.Close()
	})
	deliver(near, far, p.arrival)
	_ = near.Close()
	both.Wait()
}

// deliver copies what comes from one side to the other, each piece when it is due.
func deliver(to io.Writer, from io.Reader, due func(n int) time.Time) {
	type piece struct {
		data []byte
		at   time.Time
	}
	pieces := make(chan piece, 1024)
	go func() {
		defer close(pieces)
		for {
			data := make([]byte, 1400)
			n, err := from.Read(data)
			if n > 0 {
				pieces <- piece{data[:n], due(n)}
			}
			if err != nil {
				return
			}
		}
	}()
	for piece := range pieces {
		<-time.After(time.Until(piece.at))
		if _, err := to.Write(piece.data); err != nil {
			for range pieces { // until the reader has noticed
			}
			return
		}
	}
}
