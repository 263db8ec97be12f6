package socket

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// slowPeer takes longer than a turn to say what it has.
type slowPeer struct {
	*fakePeer
	visits *atomic.Int64 // of all of them; negative while they are quick
	first  func()
}

func (p slowPeer) Pending() []byte {
	n := p.visits.Add(1)
	if n == 1 {
		p.first()
	}
	for began := time.Now(); n > 0 && time.Since(began) < 2*timePerTurn; {
	}
	return nil
}

// A crowd of slow ones keeps nobody waiting for more than a few of them, whatever a turn would have room for.
func TestTurnEndsWhenItsTimeIsOver(t *testing.T) {
	const crowd = visitsPerTurn / 2
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	client, server := tcpPair(t)
	defer client.Close()
	var visits atomic.Int64
	visits.Store(-1 << 30)
	before := make(chan int64, 1)
	talker := newFakePeer()
	talker.receive = func(string) { before <- visits.Load() }
	if !ls.adopt(server, server, nil, talker, nil) {
		t.Fatal("not adopted")
	}
	say := func() { _, _ = client.Write(frame(0x81, "x")) }
	var slow []slowPeer
	for range crowd {
		other, server := tcpPair(t)
		t.Cleanup(func() { other.Close() })
		p := slowPeer{newFakePeer(), &visits, say}
		if !ls.adopt(server, server, nil, p, nil) {
			t.Fatal("not adopted")
		}
		slow = append(slow, p)
	}
	waitFor(t, ls.loops[0].asleep.Load)
	visits.Store(0)
	for _, p := range slow {
		p.line.Wake(true)
	}
	if n := <-before; n > crowd/4 {
		t.Errorf("who said something was heard after %d of %d slow ones", n, crowd)
	}
}
