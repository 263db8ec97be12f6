package socket

import (
	"runtime"
	"testing"
)

// On one core whoever has something else to do, and never waits, hears those who talk when it gives way; Go by itself asks
// the network when nothing else is left to run.
func TestGiveWayHearsWhoHasSaidSomething(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	client, server := tcpPair(t)
	defer client.Close()
	p := newFakePeer()
	if !ls.adopt(server, server, nil, p, nil) {
		t.Fatal("not adopted")
	}
	raw, err := client.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for said := 1; said <= 100; said++ {
		waitFor(t, ls.loops[0].asleep.Load)
		_ = raw.Control(func(fd uintptr) {
			_, err = rawWrite(int32(fd), frame(0x81, "x"))
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			ls.GiveWay()
		}
		if n := len(p.texts()); n != said {
			t.Fatalf("of %d messages %d were heard", said, n)
		}
	}
}

// To yield costs whoever does it the rest of his slice: it is done for those who store only.
func TestGiveWayYieldsToWhoStoresOnly(t *testing.T) {
	ls := newTestLoops(t, Limits{})
	defer ls.Close()
	yielded, storing := 0, false
	ls.yield = func() { yielded++ }
	ls.GiveWay()
	ls.storing = func() bool { return storing }
	ls.GiveWay()
	if yielded != 0 {
		t.Errorf("yielded %d times while nothing was stored", yielded)
	}
	storing = true
	if ls.GiveWay(); yielded != 1 {
		t.Errorf("yielded %d times while something was stored", yielded)
	}
}
