package socket

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"govor/hub/line"
)

// oneForAll is a feed of one frame for each of its peers.
type oneForAll struct {
	peers []*fedPeer
	frame func(*fedPeer) []byte
	next  int
	over  chan struct{} // told when Next has nothing more
}

func (f *oneForAll) Next(dst []line.Share) (n int, more bool) {
	for ; n < len(dst); n++ {
		if f.next == len(f.peers) {
			f.over <- struct{}{}
			return n, false
		}
		p := f.peers[f.next]
		f.next++
		dst[n] = line.Share{To: p.line, Bytes: f.frame(p)}
	}
	return n, true
}

// fedPeer has nothing pending but what its socket did not take.
type fedPeer struct {
	small, large []byte // frames
	line         line.Fed
	kept         []byte
	parts        atomic.Int64
	ended        chan struct{}
}

func (p *fedPeer) Receive([]byte)              {}
func (p *fedPeer) Ending() (int, string, bool) { return 0, "", false }
func (p *fedPeer) Ended(int, string)           { close(p.ended) }
func (p *fedPeer) Pending() []byte             { return p.kept }
func (p *fedPeer) Wrote(n int)                 { p.kept = p.kept[n:] }

func (p *fedPeer) Bind(l line.Line) {
	if fed, ok := l.(line.Fed); ok {
		p.line = fed
	}
}

func (p *fedPeer) Keep(b []byte) {
	p.parts.Add(1)
	if len(p.kept) > 0 {
		b = append(bytes.Clone(p.kept), b...)
	}
	p.kept = b
}

// What is fed arrives whole and in order, by a socket that takes it at once or in parts, also while more is fed, and
// allocates nothing.
func TestFedLinesGetEverything(t *testing.T) {
	const connections, rounds = 32, 30
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	feed := &oneForAll{over: make(chan struct{}, 1)}
	var readers sync.WaitGroup
	for i := range connections {
		client, server := tcpPair(t)
		_ = client.SetReadBuffer(16 << 10)
		p := &fedPeer{
			small: serverFrame(fmt.Sprintf("small %d", i)),
			large: serverFrame(strings.Repeat(string(rune('a'+i%26)), 256<<10)), ended: make(chan struct{}),
		}
		if !ls.adopt(server, server, nil, p, nil) {
			t.Fatal("not adopted")
		}
		if p.line.Feeder() == ls.loops[0] { // a feed belongs to one loop
			feed.peers = append(feed.peers, p)
		}
		readers.Go(func() {
			defer client.Close()
			if p.line.Feeder() != ls.loops[0] {
				return
			}
			for round := range rounds {
				want := p.small
				if round%3 == 2 {
					want = p.large
				}
				got := make([]byte, len(want))
				if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, want) {
					t.Errorf("round %d of connection %d: %v, or other bytes", round, i, err)
					return
				}
			}
		})
	}
	for round := range rounds {
		feed.next, feed.frame = 0, func(p *fedPeer) []byte { return p.small }
		if round%3 == 2 {
			feed.frame = func(p *fedPeer) []byte { return p.large }
		}
		ls.loops[0].Feed(feed, round%2 == 0)
		<-feed.over
	}
	readers.Wait()
	parts := int64(0)
	for _, p := range feed.peers {
		parts += p.parts.Load()
	}
	if len(feed.peers) == 0 || parts == 0 {
		t.Errorf("%d peers, %d parts: nothing is proved", len(feed.peers), parts)
	}
}

func TestFeedingAllocatesNothing(t *testing.T) {
	const connections = 64
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	feed := &oneForAll{over: make(chan struct{}, 1)}
	for range connections {
		client, server := tcpPair(t)
		t.Cleanup(func() { client.Close() })
		p := &fedPeer{small: serverFrame(strings.Repeat("s", 1000)), ended: make(chan struct{})}
		if !ls.adopt(server, server, nil, p, nil) {
			t.Fatal("not adopted")
		}
		if p.line.Feeder() == ls.loops[0] {
			feed.peers = append(feed.peers, p)
		}
		go func() { _, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, client, make([]byte, 4<<10)) }()
	}
	feed.frame = func(p *fedPeer) []byte { return p.small }
	deliver := func() {
		feed.next = 0
		ls.loops[0].Feed(feed, true)
		<-feed.over
	}
	deliver() // what grows once has grown
	if allocs := testing.AllocsPerRun(20, deliver) / connections; allocs > 0.05 {
		t.Errorf("%.2f allocations per delivery", allocs)
	}
}

// A crowd whose sockets were full and have room again does not go before somebody who is woken alone.
func TestWritableCrowdStaysBehindTheFew(t *testing.T) {
	ls := newTestLoops(t, Limits{})
	ls.Close() // its goroutine touches nothing any more: the test does its work
	l := ls.loops[0]
	for range 1000 {
		l.resume(&link{loop: l, many: true})
	}
	few := &link{loop: l}
	l.resume(few)
	if got, ok := l.alone.pop(); !ok || got != few || !l.alone.empty() {
		t.Error("the crowd stands among the few")
	}
	n := 0
	for ; !l.crowd.empty(); n++ {
		l.crowd.pop()
	}
	if n != 1000 {
		t.Errorf("%d wait with the crowd, want 1000", n)
	}
}
