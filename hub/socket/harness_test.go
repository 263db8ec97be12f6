package socket

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"govor/hub/line"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakePeer keeps what it received and has pending what a test gave it.
type fakePeer struct {
	ended   chan verdict // capacity 2: a second Ended would be seen
	receive func(string)

	mu       sync.Mutex
	line     line.Line
	received []string
	pending  []byte
	wrote    int
	ending   *verdict
}

func newFakePeer() *fakePeer {
	return &fakePeer{line: line.Func(func(bool) {}), ended: make(chan verdict, 2)}
}

func (p *fakePeer) Receive(data []byte) {
	p.mu.Lock()
	p.received = append(p.received, string(data))
	p.mu.Unlock()
	if p.receive != nil {
		p.receive(string(data))
	}
}

func (p *fakePeer) Pending() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending
}

func (p *fakePeer) Wrote(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = p.pending[n:]
	p.wrote += n
}

func (p *fakePeer) Ending() (int, string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ending == nil {
		return 0, "", false
	}
	return p.ending.code, p.ending.reason, true
}

func (p *fakePeer) Ended(code int, reason string) { p.ended <- verdict{code: code, reason: reason} }

func (p *fakePeer) Bind(l line.Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = l
}

func (p *fakePeer) Keep(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = append(p.pending, b...)
}

func (p *fakePeer) wake() {
	p.mu.Lock()
	l := p.line
	p.mu.Unlock()
	l.Wake(false)
}

// send makes texts pending, one frame each.
func (p *fakePeer) send(texts ...string) {
	p.mu.Lock()
	for _, s := range texts {
		p.pending = append(p.pending, serverFrame(s)...)
	}
	p.mu.Unlock()
	p.wake()
}

func (p *fakePeer) end(code int, reason string) {
	p.mu.Lock()
	p.ending = &verdict{code: code, reason: reason}
	p.mu.Unlock()
	p.wake()
}

func (p *fakePeer) texts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.received...)
}

func serverFrame(s string) []byte {
	b := []byte{0x81}
	switch {
	case len(s) < 126:
		b = append(b, byte(len(s)))
	case len(s) < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(len(s)))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(len(s)))
	}
	return append(b, s...)
}

// dialer opens a connection that a driver drives.
type dialer func(t *testing.T, limits Limits, setup func(*fakePeer)) *side

// driver is one of the ways to drive a connection. start returns when the driver has the connection; done is called
// when it has let go of it.
type driver struct {
	name  string
	start func(t *testing.T, raw, in net.Conn, p Peer, limits Limits, done func())
	// shared makes a driver for many connections: serve gives it one, stop ends it.
	shared func(t *testing.T, limits Limits) (serve func(*net.TCPConn, Peer, func()), stop func())
}

var portable = driver{
	name: "portable",
	start: func(_ *testing.T, raw, in net.Conn, p Peer, limits Limits, done func()) {
		go func() {
			defer done()
			serve(raw, in, nil, p, limits, func(any, []byte) {})
		}()
	},
	shared: func(_ *testing.T, limits Limits) (func(*net.TCPConn, Peer, func()), func()) {
		return func(c *net.TCPConn, p Peer, done func()) {
			go func() {
				defer done()
				serve(c, c, nil, p, limits, func(any, []byte) {})
			}()
		}, func() {}
	},
}

// buffered is a connection as the server hands it over: what came with the handshake may wait in a buffer.
type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

func bufferedConn(c net.Conn) buffered { return buffered{c, bufio.NewReaderSize(c, 512)} }

// side is the client's end of a connection that serve drives.
type side struct {
	t    *testing.T
	conn *net.TCPConn
	in   *bufio.Reader
	peer *fakePeer
	done chan struct{} // closed when serve has returned
}

// dial connects over real TCP. The test ends with the connection gone.
func (d driver) dial(t *testing.T, limits Limits, setup func(*fakePeer)) *side {
	t.Helper()
	client, server := tcpPair(t)
	s := &side{t: t, conn: client, in: bufio.NewReader(client), peer: newFakePeer(), done: make(chan struct{})}
	if setup != nil {
		setup(s.peer)
	}
	d.start(t, server, bufferedConn(server), s.peer, limits, func() { close(s.done) })
	t.Cleanup(func() {
		_ = client.Close()
		s.waitDone()
		if len(s.peer.ended) > 1 {
			t.Error("Ended was called twice")
		}
	})
	_ = client.SetReadDeadline(time.Now().Add(20 * time.Second))
	return s
}

func tcpPair(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn), a.(*net.TCPConn)
}

func (s *side) waitDone() {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		s.t.Fatal("Serve did not return")
	}
}

// raw writes bytes as they are.
func (s *side) raw(b ...byte) {
	s.t.Helper()
	if _, err := s.conn.Write(b); err != nil {
		s.t.Fatal(err)
	}
}

// frame is a masked frame of a client.
func frame(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i&3])
	}
	return b
}

func closePayload(code int, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

// read returns the next frame of the server.
func (s *side) read() (op byte, payload string) {
	s.t.Helper()
	op, payload, err := s.tryRead()
	if err != nil {
		s.t.Fatalf("read frame: %v", err)
	}
	return op, payload
}

func (s *side) tryRead() (op byte, payload string, err error) {
	var b [10]byte
	if _, err := io.ReadFull(s.in, b[:2]); err != nil {
		return 0, "", err
	}
	if b[0]&0x80 == 0 || b[1]&0x80 != 0 {
		s.t.Fatalf("the server wrote a fragment or a masked frame: % x", b[:2])
	}
	first, n := b[0], uint64(b[1])
	switch n {
	case 126:
		_, err = io.ReadFull(s.in, b[:2])
		n = uint64(binary.BigEndian.Uint16(b[:2]))
	case 127:
		_, err = io.ReadFull(s.in, b[:8])
		n = binary.BigEndian.Uint64(b[:8])
	}
	if err != nil {
		return 0, "", err
	}
	p := make([]byte, n)
	op = first & 0x0f
	_, err = io.ReadFull(s.in, p)
	return op, string(p), err
}

// wantClose reads up to the close frame and returns its reason.
func (s *side) wantClose(code int) (reason string) {
	s.t.Helper()
	for {
		op, payload := s.read()
		if op != opClose {
			continue
		}
		got := closeNoStatus
		if len(payload) >= 2 {
			got, reason = int(binary.BigEndian.Uint16([]byte(payload))), payload[2:]
		}
		if got != code {
			s.t.Fatalf("close code %d %q, want %d", got, reason, code)
		}
		return reason
	}
}

func (s *side) wantEnded(code int) string {
	s.t.Helper()
	select {
	case v := <-s.peer.ended:
		if v.code != code {
			s.t.Fatalf("Ended(%d, %q), want %d", v.code, v.reason, code)
		}
		return v.reason
	case <-time.After(20 * time.Second):
		s.t.Fatal("Ended was not called")
	}
	return ""
}

func (s *side) wantText(want string) {
	s.t.Helper()
	op, got := s.read()
	if op != opText || got != want {
		s.t.Fatalf("read opcode %d %.60q, want text %.60q", op, got, want)
	}
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
