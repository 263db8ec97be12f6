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
