package socket

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"govor/hub/line"
)

// ringPeer writes the same frame whenever its test says so, and allocates nothing.
type ringPeer struct {
	frame []byte
	line  line.Line
	left  atomic.Int64  // bytes of the frame that are not written
	busy  *atomic.Int64 // peers with something left
	done  chan struct{} // told when there is none
	parts atomic.Int64  // writes that took only part
	ended chan struct{}
}

func (p *ringPeer) Receive([]byte)              {}
func (p *ringPeer) Ending() (int, string, bool) { return 0, "", false }
func (p *ringPeer) Ended(int, string)           { close(p.ended) }
func (p *ringPeer) Bind(l line.Line)            { p.line = l }
func (p *ringPeer) Keep([]byte)                 {}

func (p *ringPeer) Pending() []byte {
	n := p.left.Load()
	return p.frame[int64(len(p.frame))-n:]
}

func (p *ringPeer) Wrote(n int) {
	if p.left.Add(-int64(n)) > 0 {
		p.parts.Add(1)
	} else if p.busy.Add(-1) == 0 {
		p.done <- struct{}{}
	}
}

// A delivery allocates nothing, also when every second socket takes only part of a write.
func TestDeliveriesAllocateNothing(t *testing.T) {
	const connections = 64
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	var busy atomic.Int64
	done := make(chan struct{}, 1)
	small, large := serverFrame(strings.Repeat("s", 1000)), serverFrame(strings.Repeat("l", 1<<20))
	var peers []*ringPeer
	for i := range connections {
		client, server := tcpPair(t)
		t.Cleanup(func() { client.Close() })
		_ = client.SetReadBuffer(32 << 10)
		p := &ringPeer{frame: small, busy: &busy, done: done, ended: make(chan struct{})}
		if i%2 == 1 {
			p.frame = large
		}
		peers = append(peers, p)
		if !ls.adopt(server, server, nil, p, nil) {
			t.Fatal("not adopted")
		}
		go func() {
			buf := make([]byte, 8<<10)
			for {
				if _, err := client.Read(buf); err != nil {
					return
				}
			}
		}()
	}
	deliver := func() {
		busy.Store(connections)
		for _, p := range peers {
			p.left.Store(int64(len(p.frame)))
			p.line.Wake(true)
		}
		<-done
	}
	deliver() // what grows once has grown
	if allocs := testing.AllocsPerRun(20, deliver) / connections; allocs > 0.05 {
		t.Errorf("%.2f allocations per delivery", allocs)
	}
	for i, p := range peers {
		if parts := p.parts.Load(); i%2 == 1 && parts == 0 {
			t.Fatalf("the socket of peer %d took everything at once: nothing is proved", i)
		}
	}
}

func TestClosingLoopsEndsWhatIsLeft(t *testing.T) {
	ls := newTestLoops(t, Limits{})
	var peers []*fakePeer
	var clients []*net.TCPConn
	var released atomic.Int64
	adopt := func() {
		client, server := tcpPair(t)
		p := newFakePeer()
		p.receive = func(string) { p.end(1012, "while a message is handled") }
		if !ls.adopt(server, server, nil, p, func() { released.Add(1) }) {
			t.Fatal("not adopted")
		}
		peers, clients = append(peers, p), append(clients, client)
	}
	for range 20 {
		adopt()
	}
	_, _ = clients[0].Write(frame(0x81, "x"))
	ls.Close()
	adopt() // too late
	for i, p := range peers {
		select {
		case v := <-p.ended:
			if v.code != 1001 && v.code != 1012 {
				t.Errorf("peer %d ended with %d", i, v.code)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("peer %d was not told", i)
		}
		if _, err := io.ReadAll(clients[i]); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("connection %d is still there: %v", i, err)
		}
		_ = clients[i].Close()
	}
	if n := released.Load(); n != int64(len(peers)) {
		t.Errorf("%d of %d connections were released", n, len(peers))
	}
}

func TestLoopTakesTheSocketFromGo(t *testing.T) {
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	client, server := tcpPair(t)
	defer client.Close()
	p := newFakePeer()
	if !ls.adopt(server, server, nil, p, nil) {
		t.Fatal("not adopted")
	}
	if _, err := server.Write([]byte("stray")); err == nil {
		t.Error("the original connection can still be written")
	}
	_, _ = client.Write(frame(0x81, "x"))
	waitFor(t, func() bool { return len(p.texts()) == 1 })
}

type unbound struct{ *fakePeer }

func (unbound) Bind(line.Line) { panic("unbound") }

func TestPanicWhileAConnectionIsAdoptedIsTheCallers(t *testing.T) {
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	for range 2 * len(ls.loops) { // no taker is lost
		client, server := tcpPair(t)
		func() {
			defer func() {
				if v := recover(); v != "unbound" {
					t.Errorf("recovered %v", v)
				}
			}()
			ls.hand(server, nil, unbound{newFakePeer()}, nil)
		}()
		_ = client.Close()
	}
	for range ls.loops {
		a := &adoption{over: make(chan struct{}, 1)} // of nothing
		select {
		case ls.takers <- a:
			<-a.over
		case <-time.After(10 * time.Second):
			t.Fatal("no taker is left")
		}
	}
	client, server := tcpPair(t)
	defer client.Close()
	p := newFakePeer()
	if !ls.hand(server, nil, p, nil) {
		t.Fatal("not adopted")
	}
	_, _ = client.Write(frame(0x81, "x"))
	waitFor(t, func() bool { return len(p.texts()) == 1 })
}

func TestLoopsAdoptSocketsOnly(t *testing.T) {
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if ls.adopt(a, a, nil, newFakePeer(), nil) {
		t.Error("a pipe was adopted")
	}
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p := newFakePeer()
	if !ls.adopt(server, server, nil, p, nil) {
		t.Fatal("a Unix socket was not adopted")
	}
	text := strings.Repeat("u", 1<<20) // more than the socket takes at once
	p.send(text)
	got := make([]byte, len(serverFrame(text)))
	if _, err := io.ReadFull(client, got); err != nil || !slices.Equal(got, serverFrame(text)) {
		t.Errorf("the frame did not arrive whole: %v", err)
	}
}

// badPeer panics where the loop calls it.
type badPeer struct {
	*fakePeer
	pending func() []byte
}

func (p *badPeer) Pending() []byte { return p.pending() }

func TestPanicInALoopEndsOneConnectionOnly(t *testing.T) {
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	for i := range 8 { // of some, the neighbour is on the same loop
		client, server := tcpPair(t)
		t.Cleanup(func() { client.Close() })
		good := newFakePeer()
		ls.adopt(server, server, nil, good, nil)
		badClient, badServer := tcpPair(t)
		t.Cleanup(func() { badClient.Close() })
		bad := &badPeer{newFakePeer(), func() []byte { panic("secret") }}
		if i%2 == 1 {
			text := serverFrame(strings.Repeat("x", 8<<20))
			bad.pending = func() []byte { // in the middle of a frame
				if bad.wrote > 0 {
					panic("secret")
				}
				return text
			}
			bad.fakePeer.pending = text
		}
		ls.adopt(badServer, badServer, nil, bad, nil)
		go func() {
			if i%2 == 0 {
				_, _ = badClient.Read(make([]byte, 100)) // the close frame
				_ = badClient.Close()
			}
			_, _ = io.Copy(io.Discard, badClient)
		}()
		if v := <-bad.ended; v.code != closeInternal {
			t.Errorf("ended with %d %q, want %d", v.code, v.reason, closeInternal)
		}
		_, _ = client.Write(frame(0x81, "alive"))
		waitFor(t, func() bool { return len(good.texts()) == 1 })
	}
}

func TestWheelIsNeverEarlyAndHardlyLate(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	w := &wheel{}
	w.init(Limits{}.withDefaults())
	horizon := time.Duration(wheelSlots-1) * w.tick
	links := make([]*link, 500)
	wanted := map[*link]time.Duration{}
	now := time.Duration(0)
	for i := range links {
		links[i] = &link{}
	}
	for range 20_000 {
		k := links[r.IntN(len(links))]
		at := now + time.Duration(r.Int64N(int64(horizon-w.tick)))
		switch r.IntN(4) {
		case 0:
			w.remove(k)
			delete(wanted, k)
		case 1:
			if old, ok := wanted[k]; !ok || at < old {
				w.hasten(k, at)
				wanted[k] = at
			}
		default:
			w.set(k, at)
			wanted[k] = at
		}
		now += time.Duration(r.Int64N(int64(w.tick)))
		w.expire(now, func(k *link) {
			if at, ok := wanted[k]; !ok || at > now || now-at > 2*w.tick {
				t.Fatalf("at %s a link expired whose time is %s (%t)", now, at, ok)
			}
			delete(wanted, k)
		})
		for k, at := range wanted {
			if now-at > w.tick {
				t.Fatalf("at %s a link of %s has not expired, due in tick %d of %d", now, at, k.due, w.done)
			}
			break
		}
	}
	if next, ok := w.next(); ok != (len(wanted) > 0) {
		t.Errorf("next is %s, %t, and %d links wait", next, ok, len(wanted))
	}
}

// A call of rouse that comes late, after the loop has done what it was for, must not leave the loop asleep with nobody to
// wake it.
func TestLateRouseLosesNoOther(t *testing.T) {
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	l := ls.loops[0]
	var late sync.WaitGroup
	defer late.Wait()
	over := make(chan struct{})
	defer close(over)
	late.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				l.rouse()
				runtime.Gosched() // there may be one core only
			}
		}
	})
	feed := &oneForAll{over: make(chan struct{}, 1)}
	for round := range 50_000 {
		l.Feed(feed, false)
		select {
		case <-feed.over:
		case <-time.After(10 * time.Second):
			_ = l.file.SetReadDeadline(longAgo()) // or Close would wait for it
			t.Fatalf("the loop sleeps on in round %d", round)
		}
	}
}

// A buffer full of tiny frames takes long to parse, and everybody else waits for it: only who sends large ones is read by
// the whole buffer.
func TestTinyFramesAreReadInSmallParts(t *testing.T) {
	for name, tc := range map[string]struct {
		sent []byte
		read []int // bytes, read by read
	}{
		"tiny": {slices.Concat(frame(0x01, "x"), bytes.Repeat(frame(0x00, "x"), 5000)), []int{firstRead, firstRead, firstRead}},
		"large": {
			frame(0x02, strings.Repeat("x", 70<<10)), []int{firstRead, loopRead, loopRead, 70<<10 + 14 - firstRead - 2*loopRead},
		},
		"first large, then tiny": {
			slices.Concat(frame(0x02, strings.Repeat("x", 30<<10)), bytes.Repeat(frame(0x00, "x"), 5000)),
			[]int{firstRead, loopRead, firstRead, firstRead},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := newLoop(&Loops{limits: Limits{MaxFrame: 1 << 20, IdleTimeout: time.Minute}})
			if err != nil {
				t.Fatal(err)
			}
			defer l.file.Close()
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _, _ = unix.Close(pair[0]), unix.Close(pair[1]) }()
			if n, err := unix.Write(pair[0], tc.sent); n != len(tc.sent) {
				t.Fatalf("%d bytes written, %v", n, err)
			}
			k := &link{loop: l, peer: newFakePeer(), fd: int32(pair[1]), readable: true, binary: true}
			left := len(tc.sent)
			for i, want := range tc.read {
				l.read(k)
				rest, err := unix.IoctlGetInt(pair[1], unix.SIOCINQ)
				if err != nil {
					t.Fatal(err)
				}
				if left-rest != want {
					t.Errorf("read %d took %d bytes, want %d", i, left-rest, want)
				}
				left = rest
			}
		})
	}
}
