package handlers

import (
	"errors"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/prometheus/client_golang/prometheus"
)

// arrivals is a listener whose connections are made by the test.
type arrivals chan net.Conn

func (a arrivals) Accept() (net.Conn, error) {
	if c, ok := <-a; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (a arrivals) Close() error   { close(a); return nil }
func (a arrivals) Addr() net.Addr { return &net.TCPAddr{} }

// arrival is a connection from somewhere, that knows whether it was closed.
type arrival struct {
	net.Conn
	from   string
	closed chan struct{}
}

func (a *arrival) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(a.from), 1))
}
func (a *arrival) Close() error { close(a.closed); return nil }

// gated is a gate and how many have come through.
type gated struct {
	*droppings
	through atomic.Int64
	ended   chan error
	logs    *observer.ObservedLogs
}

// newGated lets one in every two seconds.
func newGated(t *testing.T, burst int) *gated {
	t.Helper()
	core, logs := observer.New(zapcore.WarnLevel)
	s := &Server{log: zap.New(core), metrics: newMetrics(prometheus.NewRegistry()), limited: func(string) {}, proxies: newProxies([]string{"10.0.0.0/8"})}
	var err error
	if s.connects, err = newAddrRate(0.5, burst, true); err != nil {
		t.Fatal(err)
	}
	drops := &droppings{arrivals: make(arrivals), dropped: map[netip.Addr]time.Duration{}}
	g := &gated{droppings: drops, ended: make(chan error, 1), logs: logs}
	ln := s.Gate(drops)
	go func() { // ends with the listener
		for {
			if _, err := ln.Accept(); err != nil {
				g.ended <- err
				return
			}
			g.through.Add(1)
		}
	}()
	return g
}

// come is a connection from there, now.
func (g *gated) come(from string) *arrival {
	a := &arrival{from: from, closed: make(chan struct{})}
	g.arrivals <- a
	synctest.Wait()
	return a
}

// want fails unless so many have come through by now.
func (g *gated) want(t *testing.T, when string, n int) {
	t.Helper()
	synctest.Wait()
	if got := g.through.Load(); got != int64(n) {
		t.Errorf("%s: %d have come in, want %d", when, got, n)
	}
}

func TestGateSlowsDownBeforeItRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(t, 2)
		for range 4 {
			g.come("192.0.2.1")
		}
		g.want(t, "at once", 2)
		fifth := g.come("192.0.2.1")
		<-fifth.closed
		g.come("192.0.2.1")
		<-time.After(10 * refusalPause)
		g.want(t, "those after too many", 2)
		g.come("192.0.2.2")
		g.come("2001:db8::1")
		g.want(t, "other addresses", 4)
		for range 20 {
			g.come("10.1.2.3")
		}
		g.want(t, "a trusted proxy", 24)
		<-time.After(2 * time.Second)
		g.want(t, "after two seconds", 25)
		<-time.After(2 * time.Second)
		g.want(t, "after four", 26)
		if n := g.logs.FilterMessage("too many new connections").Len(); n != 1 {
			t.Errorf("%d lines in the log for one thing that goes on", n)
		}
		_ = g.arrivals.Close()
		if err := <-g.ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

// Whoever is sent away again and again does not keep the gate busy.
func TestGateRestsAfterRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(t, 1)
		for range 3 { // one comes in, two wait
			g.come("192.0.2.1")
		}
		start := time.Now()
		for range 2*refusalsAtOnce + 1 {
			<-g.come("192.0.2.1").closed
		}
		if took := time.Since(start); took != 2*refusalPause {
			t.Errorf("%d refusals took %v, want %v", 2*refusalsAtOnce+1, took, 2*refusalPause)
		}
		g.want(t, "whoever is not too fast", 1)
		_ = g.arrivals.Close()
		<-g.ended
	})
}

// droppings is a listener whose kernel drops.
type droppings struct {
	arrivals

	mu      sync.Mutex // guards dropped
	dropped map[netip.Addr]time.Duration
}

func (d *droppings) Drop(addr netip.Addr, duration time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropped[addr] = duration
	return true
}

// Whoever is sent away is not heard again until there is room for others of the same address.
func TestGateDropsWhoWasSentAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(t, 1)
		for _, from := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "10.1.2.3", "10.1.2.3", "10.1.2.3", "10.1.2.3"} {
			g.come(from)
		}
		if n := len(g.droppings.dropped); n != 0 {
			t.Errorf("%d addresses are dropped, of which nobody was sent away", n)
		}
		for _, from := range []string{"192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"} {
			g.come(from)
		}
		want := map[netip.Addr]time.Duration{netip.MustParseAddr("192.0.2.1"): dropFor, netip.MustParseAddr("2001:db8::"): dropFor}
		if !maps.Equal(g.droppings.dropped, want) {
			t.Errorf("dropped: %v, want %v", g.droppings.dropped, want)
		}
		_ = g.arrivals.Close()
		<-g.ended
	})
}

// Who waits when the listener is closed has been accepted, and is served.
func TestGateLetsInWhoWaitsAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(t, 1)
		for range 3 {
			g.come("192.0.2.1")
		}
		g.want(t, "before", 1)
		_ = g.arrivals.Close()
		<-g.ended
		g.want(t, "after", 3)
	})
}

// What may come at once is done one after the other, or those who wait for their turn meanwhile are others.
func TestWhatComesAtOnceIsSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := newAddrRate(50, 300, true)
		if err != nil {
			t.Fatal(err)
		}
		from, atOnce := netip.MustParseAddr("192.0.2.1"), 0
		var last time.Duration
		for range 300 {
			wait, _ := r.reserve(from, pacePatience)
			if wait == 0 {
				atOnce++
			}
			last = wait
		}
		if atOnce != spacedBurst || last < 2700*time.Millisecond || last > 2900*time.Millisecond {
			t.Errorf("%d at once and the last after %v, want %d and 2.8 s", atOnce, last, spacedBurst)
		}
		<-time.After(10 * time.Second)
		if wait, _ := r.reserve(from, pacePatience); wait != 0 {
			t.Errorf("one that comes later waits %v", wait)
		}
	})
}

// What leads to TLS lets an address in as often as the gate does, and keeps nobody waiting.
func TestWhatLeadsToTLSIsGuarded(t *testing.T) {
	leads, err := newAddrRate(0.001, 30, false)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		log: zap.NewNop(), metrics: newMetrics(prometheus.NewRegistry()), limited: func(string) {},
		proxies: newProxies([]string{"10.0.0.0/8"}), leads: leads,
	}
	in := func(from string, times int) (n int) {
		for range times {
			if s.MayConnect(&arrival{from: from}) {
				n++
			}
		}
		return n
	}
	for from, want := range map[string]int{"192.0.2.1": 30, "192.0.2.2": 30, "10.1.2.3": 40} {
		if got := in(from, 40); got != want {
			t.Errorf("of 40 connections from %s, %d came in, want %d", from, got, want)
		}
	}
}
