package main

import (
	"encoding/binary"
	"sync"

	"govor/hub/line"
)

// backlog is how many bytes wait for the other side before nothing more is read from it.
const backlog = 1 << 20

// Opcodes of RFC 6455 §5.2, with the bit that says that the message ends there.
const (
	wholeText   = 0x81
	wholeBinary = 0x82
)

// peer is a socket.BinaryPeer that has pending what it received.
type peer struct {
	mu      sync.Mutex // guards the fields below
	less    *sync.Cond // pending has become less, or the connection is gone
	pending []byte
	line    line.Line
	gone    bool
}

func newPeer() *peer {
	p := &peer{line: line.Func(func(bool) {})}
	p.less = sync.NewCond(&p.mu)
	return p
}

// Bind implements socket.Peer.
func (p *peer) Bind(l line.Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = l
}

// Keep implements socket.Peer: it is in no feed.
func (p *peer) Keep([]byte) {}

// Receive implements socket.Peer.
func (p *peer) Receive(data []byte) { p.send(wholeText, data) }

// ReceiveBinary implements socket.BinaryPeer.
func (p *peer) ReceiveBinary(data []byte) { p.send(wholeBinary, data) }

func (p *peer) send(first byte, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.pending) > backlog && !p.gone {
		p.less.Wait()
	}
	p.pending = append(appendHead(p.pending, first, len(data)), data...)
	p.line.Wake(false)
}

// appendHead appends the beginning of a server's frame.
func appendHead(dst []byte, first byte, n int) []byte {
	switch {
	case n < 126:
		return append(dst, first, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, first, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, first, 127), uint64(n))
	}
}

// Pending implements socket.Peer.
func (p *peer) Pending() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending
}

// Wrote implements socket.Peer.
func (p *peer) Wrote(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending = p.pending[n:]; len(p.pending) == 0 {
		p.pending = nil
	}
	p.less.Signal()
}

// Ending implements socket.Peer: it never wants to.
func (p *peer) Ending() (code int, reason string, ok bool) { return 0, "", false }

// Ended implements socket.Peer.
func (p *peer) Ended(int, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
	p.less.Broadcast()
}
