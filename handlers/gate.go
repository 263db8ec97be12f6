package handlers

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"govor/hub"
)

// gate lets connections in as fast as each address may make them. One too fast waits here, before a byte of it is read or a
// key is made for it; who has too many waiting is sent away. A proxy's connections are other people's.
type gate struct {
	net.Listener // fixed at construction

	// Fixed at construction.
	server *Server
	drops  dropper       // nil = the listener is none
	ready  chan admitted // capacity 0: what Accept returns; closed after the last
	once   sync.Once     // begins run

	refused int // owned by run

	busy sync.WaitGroup // those that are being let in after they waited

	mu   sync.Mutex // guards held
	held map[net.Conn]*time.Timer
}

// dropper is a listener whose kernel can drop attempts to connect, see restart.Listener.
type dropper interface {
	Drop(addr netip.Addr, duration time.Duration) bool
}

// admitted is a connection, or why there is none.
type admitted struct {
	conn net.Conn
	err  error
}

// Gate stands before ln, and below TLS. What it returns is closed as ln is: who waits then is let in at once.
func (s *Server) Gate(ln net.Listener) net.Listener {
	if s.connects == nil {
		return ln
	}
	g := &gate{Listener: ln, server: s, ready: make(chan admitted), held: map[net.Conn]*time.Timer{}}
	g.drops, _ = ln.(dropper)
	return g
}

// MayConnect is the gate for what leads to TLS: it keeps nobody waiting, and refuses an address that is too fast.
func (s *Server) MayConnect(c net.Conn) bool {
	peer, local := peerOf(c.RemoteAddr())
	if local || s.proxies.trust(peer) {
		return true
	}
	wait, news := s.leads.reserve(hub.Counted(peer), 0)
	if wait == 0 {
		return true
	}
	if news {
		s.log.Warn("too many new connections", zap.Stringer("remote_addr", peer))
	}
	s.refused("connects", hub.LimitConnects)
	return false
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	g.once.Do(func() { go g.run() }) // ends when the listener is closed, after the last connection was accepted
	a, ok := <-g.ready
	if !ok {
		return nil, net.ErrClosed
	}
	return a.conn, a.err
}

func (g *gate) run() {
	defer close(g.ready)
	for {
		c, err := g.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			g.letAllIn()
			return
		case err != nil:
			g.ready <- admitted{err: err} // whoever accepts waits a little
		default:
			g.take(c)
		}
	}
}

// dropFor is how long an address is not heard at all once one of it was sent away: until a quarter of those who wait have
// come in. Who tries meanwhile comes later, by the system's own second attempt.
const dropFor = pacePatience / 4

// After so many who were sent away nobody comes in for so long: who is refused comes again at once, and a refusal costs
// time, too, several in a row less than as many one by one.
const (
	refusalsAtOnce = 16
	refusalPause   = refusalsAtOnce * time.Millisecond
)

func (g *gate) take(c net.Conn) {
	peer, local := peerOf(c.RemoteAddr())
	if local || g.server.proxies.trust(peer) {
		g.ready <- admitted{conn: c}
		return
	}
	g.server.loops.GiveWay() // or a whole row would come before them
	addr := hub.Counted(peer)
	wait, news := g.server.connects.reserve(addr, pacePatience)
	if news {
		g.server.log.Warn("too many new connections", zap.Stringer("remote_addr", peer))
	}
	switch {
	case wait == 0:
		g.ready <- admitted{conn: c}
	case wait > pacePatience:
		g.server.refused("connects", hub.LimitConnects)
		if g.drops != nil {
			g.drops.Drop(addr, dropFor)
		}
		if t, ok := c.(interface{ SetLinger(int) error }); ok {
			_ = t.SetLinger(0) // nothing is left of it
		}
		_ = c.Close()
		if g.refused++; g.refused%refusalsAtOnce == 0 {
			<-time.After(refusalPause)
		}
	default:
		g.server.limited(hub.LimitConnects)
		g.hold(c, wait)
	}
}

// hold lets the connection in after so long.
func (g *gate) hold(c net.Conn, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held[c] = time.AfterFunc(wait, func() {
		g.mu.Lock()
		_, ours := g.held[c]
		delete(g.held, c)
		if ours {
			g.busy.Add(1) // before closing looks
		}
		g.mu.Unlock()
		if ours {
			defer g.busy.Done()
			g.ready <- admitted{conn: c}
		}
	})
}

// letAllIn is for the end: who waits has been accepted, and a restart hands it on.
func (g *gate) letAllIn() {
	g.mu.Lock()
	held := g.held
	g.held = map[net.Conn]*time.Timer{}
	g.mu.Unlock()
	for c, timer := range held {
		timer.Stop()
		g.ready <- admitted{conn: c}
	}
	g.busy.Wait()
}
