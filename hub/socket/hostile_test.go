package socket

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// mixed is a stream with everything that is allowed in it, and what a peer receives of it.
func mixed() (stream []byte, texts []string) {
	long := strings.Repeat("длинно ", 300)
	stream = join(
		frame(0x81, "привет"), frame(0x89, "one"), frame(0x01, "\xd0"), frame(0x89, "two"), frame(0x00, ""),
		frame(0x00, "\xbfо"), frame(0x8A, "unasked"), frame(0x80, "лно"), frame(0x81, ""), frame(0x81, long),
		frame(0x01, long[:1000]), frame(0x80, long[1000:]), frame(0x89, strings.Repeat("p", 125)), frame(0x81, "end"),
	)
	return stream, []string{"привет", "полно", "", long, long, "end"}
}

func testEveryByteInItsOwnWrite(t *testing.T, dial dialer) {
	s := dial(t, Limits{}, nil)
	_ = s.conn.SetNoDelay(true)
	stream, want := mixed()
	for _, b := range stream {
		s.raw(b)
	}
	for _, payload := range []string{"one", "two", strings.Repeat("p", 125)} {
		if op, got := s.read(); op != opPong || got != payload {
			t.Errorf("opcode %d %.20q, want the pong %.20q", op, got, payload)
		}
	}
	waitFor(t, func() bool { return len(s.peer.texts()) == len(want) })
	for i, got := range s.peer.texts() {
		if got != want[i] {
			t.Errorf("message %d is %.40q, want %.40q", i, got, want[i])
		}
	}
}

func testManyMessagesAtOnceKeepTheirOrder(t *testing.T, dial dialer) {
	const n = 5000
	s := dial(t, Limits{}, nil)
	var stream []byte
	for i := range n {
		stream = append(stream, frame(0x81, string(rune('a'+i%26))+strings.Repeat("x", i%50))...)
	}
	stream = append(stream, frame(0x88, closePayload(1000, ""))...)
	s.raw(stream...)
	s.wantClose(1000)
	s.wantEnded(1000)
	got := s.peer.texts()
	if len(got) != n {
		t.Fatalf("received %d messages before the end, want %d", len(got), n)
	}
	for i := range n {
		if want := string(rune('a'+i%26)) + strings.Repeat("x", i%50); got[i] != want {
			t.Fatalf("message %d is %q, want %q", i, got[i], want)
		}
	}
}

func testHalfClosedConnectionIsGone(t *testing.T, dial dialer) {
	s := dial(t, Limits{}, nil)
	s.raw(frame(0x81, "last words")...)
	_ = s.conn.CloseWrite()
	if reason := s.wantEnded(1006); reason != "the other side went away" {
		t.Errorf("reason %q", reason)
	}
	if got := s.peer.texts(); len(got) != 1 || got[0] != "last words" {
		t.Errorf("received %q", got)
	}
}

func testPeerIsToldOfTheEndAfterItsLastMessage(t *testing.T, dial dialer) {
	release := make(chan struct{})
	s := dial(t, Limits{}, func(p *fakePeer) { p.receive = func(string) { <-release } })
	s.raw(frame(0x81, "one")...)
	waitFor(t, func() bool { return len(s.peer.texts()) == 1 })
	_ = s.conn.SetLinger(0)
	_ = s.conn.Close()
	s.peer.send("to nobody")
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-s.peer.ended:
		t.Error("the peer was told while it handled a message")
	case <-timer.C:
	}
	close(release)
	s.wantEnded(1006)
}

// Whoever goes on sending after the end is read no further, and still hears why.
func testFloodAfterTheEndIsNotRead(t *testing.T, dial dialer) {
	for name, bad := range map[string][]byte{"too big": frame(0x81, strings.Repeat("x", 100<<10)), "small": {0x83, 1, 0}} {
		s := dial(t, Limits{}, nil)
		flood := bytes.Repeat(bad, 1+(64<<10)/len(bad))
		var err error
		for sent := 0; err == nil && sent < 1<<30; sent += len(flood) {
			_ = s.conn.SetWriteDeadline(time.Now().Add(closeTimeout / 4))
			_, err = s.conn.Write(flood)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the flood ends with %v, want that nobody reads it", name, err)
		}
		want := map[string]int{"too big": 1009, "small": 1002}[name]
		s.wantClose(want)
		s.wantEnded(want)
	}
}

func testEndIsToldToWhoHasGoneOnAndStopped(t *testing.T, dial dialer) {
	tests := []struct {
		name  string
		bytes []byte
		code  int
	}{
		{"bad frame that claims to be endless, and more", join([]byte{0xf6, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, []byte("more")), 1002},
		{"bad frame and close", join(frame(0x83, "x"), frame(0x88, "")), 1002},
		{"bad frame, text and close", join(frame(0x81, "\xff"), frame(0x81, "more"), frame(0x88, "")), 1007},
		{"close twice", join(frame(0x88, closePayload(1000, "")), frame(0x88, closePayload(1001, ""))), 1000},
		{"close and text", join(frame(0x88, closePayload(1000, "")), frame(0x81, "too late")), 1000},
		{"ping and close", join(frame(0x89, "x"), frame(0x88, closePayload(1000, ""))), 1000},
	}
	for _, tt := range tests {
		for _, half := range []bool{false, true} {
			s := dial(t, Limits{}, nil)
			s.raw(tt.bytes...)
			if half {
				_ = s.conn.CloseWrite()
			}
			s.wantClose(tt.code)
			s.wantEnded(tt.code)
			if got := s.peer.texts(); len(got) > 0 {
				t.Errorf("%s: received %q", tt.name, got)
			}
		}
	}
}

// What the server had read with the handshake, and what came until the driver began, is not lost.
func TestEarlyBytesArrive(t *testing.T) {
	stream, want := mixed()
	for _, d := range drivers() {
		for _, buffered := range []int{1, 4, 100, 512} {
			t.Run(d.name, func(t *testing.T) {
				client, server := tcpPair(t)
				defer client.Close()
				if _, err := client.Write(stream); err != nil {
					t.Fatal(err)
				}
				in := bufferedConn(server)
				if _, err := in.r.Peek(buffered); err != nil {
					t.Fatal(err)
				}
				p, done := newFakePeer(), make(chan struct{})
				d.start(t, server, in, p, Limits{}, func() { close(done) })
				waitFor(t, func() bool { return len(p.texts()) == len(want) })
				for i, got := range p.texts() {
					if got != want[i] {
						t.Errorf("message %d is %.40q, want %.40q", i, got, want[i])
					}
				}
				_ = client.Close()
				<-done
			})
		}
	}
}

// randomFrame is a frame, or something like it.
func randomFrame(r *rand.Rand) []byte {
	ops := []byte{0x81, 0x81, 0x01, 0x00, 0x80, 0x89, 0x8A, 0x88, 0x82, byte(r.Uint32())}
	payload := make([]byte, r.IntN(200))
	for i := range payload {
		payload[i] = 'a' + byte(r.IntN(26))
	}
	if r.IntN(10) == 0 {
		payload = append(payload, 0xff, byte(r.Uint32()))
	}
	b := frame(ops[r.IntN(len(ops))], string(payload))
	switch r.IntN(40) {
	case 0:
		b[r.IntN(len(b))] ^= byte(r.Uint32()) // anywhere
	case 1:
		b = b[:r.IntN(len(b))] // what follows is read as its rest
	}
	return b
}

// A hundred thousand random frames leave a driver alive and no goroutine behind (see TestMain).
func TestRandomFrames(t *testing.T) {
	const frames, workers = 100_000, 8
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			serve, stop := d.shared(t, Limits{MaxFrame: 1000})
			defer stop()
			var all sync.WaitGroup
			for w := range workers {
				all.Go(func() {
					r := rand.New(rand.NewPCG(uint64(w), 7))
					for sent := 0; sent < frames/workers; {
						sent += throwFrames(t, r, serve)
					}
				})
			}
			all.Wait()
			client, server := tcpPair(t)
			p := newFakePeer()
			serve(server, p, func() {})
			_, _ = client.Write(frame(0x81, "alive"))
			waitFor(t, func() bool { return len(p.texts()) == 1 })
			_ = client.Close()
			<-p.ended
		})
	}
}

// throwFrames sends random frames over one connection until it ends, and returns how many.
func throwFrames(t *testing.T, r *rand.Rand, serve func(*net.TCPConn, Peer, func())) int {
	t.Helper()
	client, server := tcpPair(t)
	p := newFakePeer()
	p.send("hello")
	serve(server, p, func() {})
	n := 5 + r.IntN(80)
	var stream []byte
	for range n {
		stream = append(stream, randomFrame(r)...)
	}
	stream = append(stream, frame(0x88, "")...)
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, client)
	}()
	for len(stream) > 0 {
		cut := min(len(stream), 1+r.IntN(2000))
		if _, err := client.Write(stream[:cut]); err != nil {
			break
		}
		stream = stream[cut:]
	}
	_ = client.CloseWrite()
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		t.Error("a connection did not end")
	}
	_ = client.Close()
	<-read
	for _, text := range p.texts() {
		if len(text) > 1000 {
			t.Errorf("a message of %d bytes came through", len(text))
		}
	}
	return n
}

// Two thousand connections come and go while all are written to: nobody ever reads a byte that is another's, though
// descriptors are used again at once.
func TestNobodyReadsWhatIsAnothers(t *testing.T) {
	const connections, workers = 2000, 40
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			serve, stop := d.shared(t, Limits{})
			defer stop()
			var all sync.WaitGroup
			for w := range workers {
				all.Go(func() {
					r := rand.New(rand.NewPCG(uint64(w), 11))
					for i := range connections / workers {
						readOwn(t, r, strings.Repeat(string(rune('A'+w))+string(rune('a'+i%26))+string(rune('0'+i/26)), 20), serve)
					}
				})
			}
			all.Wait()
		})
	}
}

// readOwn opens a connection whose peer has only own to write, again and again, and closes it somehow.
func readOwn(t *testing.T, r *rand.Rand, own string, serve func(*net.TCPConn, Peer, func())) {
	t.Helper()
	client, server := tcpPair(t)
	p := newFakePeer()
	p.receive = func(string) { p.send(own, own) }
	p.send(own)
	serve(server, p, func() {})
	in := bufio.NewReader(client)
	want := serverFrame(own)
	got := make([]byte, len(want))
	for range r.IntN(10) {
		_, _ = client.Write(frame(0x81, "x"))
		if _, err := io.ReadFull(in, got); err != nil {
			t.Errorf("read: %v", err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("read %q, want %q", got, want)
		}
	}
	switch r.IntN(4) {
	case 0:
		_ = client.SetLinger(0)
	case 1:
		p.end(1001, "bye")
		_, _ = client.Write(frame(0x88, closePayload(1001, "")))
	case 2:
		go p.send(own, own, own)
	}
	_ = client.Close()
	p.wake() // after the end nothing may come of it
	<-p.ended
	p.wake()
}

func FuzzParser(f *testing.F) {
	stream, _ := mixed()
	f.Add(stream, uint64(1))
	f.Add([]byte{0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x88, 0x80, 0, 0, 0, 0}, uint64(2))
	f.Add(join(frame(0x01, "a"), frame(0x81, "b"), frame(0x88, "")), uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		whole := parse(t, data, func(n int) int { return n })
		r := rand.New(rand.NewPCG(seed, 0))
		cut := parse(t, data, func(n int) int { return 1 + r.IntN(n) })
		if whole != cut {
			t.Errorf("at once: %s\nin pieces: %s", whole, cut)
		}
	})
}

// parse says what a parser makes of data that comes in pieces; piece tells how many of n bytes come next.
func parse(t *testing.T, data []byte, piece func(n int) int) string {
	t.Helper()
	var said strings.Builder
	p := parser{pulse: new(pulse), limit: 1000, controls: 50}
	for len(data) > 0 {
		n := piece(len(data))
		b := bytes.Clone(data[:n])
		data = data[n:]
		for len(b) > 0 {
			used, ev := p.next(b, time.Second)
			b = b[used:]
			if ev.kind == evNothing && len(b) > 0 {
				t.Fatal("the parser stopped before the end")
			}
			if ev.kind == evMessage && len(ev.data) > 1000 {
				t.Fatal("a message is longer than the limit")
			}
			if ev.kind != evNothing {
				said.WriteString(string('0'+rune(ev.kind)) + string(ev.data) + ev.end.reason + "\n")
			}
		}
	}
	if p.begun == 0 != !p.inside {
		t.Fatal("a message has no beginning, or a beginning no message")
	}
	return said.String()
}
