package handlers

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"govor/hub"
)

// waiting counts the connections of each address that are no WebSockets: those that ask, those that keep silent after
// it, and those that never finish what they ask. A WebSocket is counted by the hub.
type waiting struct {
	// Fixed at construction.
	perAddr int
	server  *Server

	mu     sync.Mutex // guards the fields below
	byAddr map[netip.Addr]int
	open   map[net.Conn]netip.Addr
}

func newWaiting(s *Server, perAddr int) *waiting {
	return &waiting{perAddr: perAddr, server: s, byAddr: map[netip.Addr]int{}, open: map[net.Conn]netip.Addr{}}
}

// observe is told of every connection by the HTTP library. One too many of an address is closed before anything is read
// from it. A proxy's connections are other people's.
func (w *waiting) observe(c net.Conn, state fasthttp.ConnState) {
	tellWatch(c, state)
	switch state {
	case fasthttp.StateNew:
		peer, local := peerOf(c.RemoteAddr())
		if local || w.server.proxies.trust(peer) {
			return
		}
		if !w.enter(c, hub.Counted(peer)) {
			w.server.refused("waiting", hub.LimitConnections)
			w.server.log.Debug("connection refused", zap.Stringer("remote_addr", peer))
			_ = c.Close()
		}
	case fasthttp.StateHijacked, fasthttp.StateClosed:
		w.leave(c)
	case fasthttp.StateActive, fasthttp.StateIdle:
	}
}

func (w *waiting) enter(c net.Conn, addr netip.Addr) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byAddr[addr] >= w.perAddr {
		return false
	}
	w.byAddr[addr]++
	w.open[c] = addr
	return true
}

func (w *waiting) leave(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	addr, ok := w.open[c]
	if !ok {
		return
	}
	delete(w.open, c)
	if w.byAddr[addr]--; w.byAddr[addr] == 0 {
		delete(w.byAddr, addr)
	}
}

// tellWatch tells the listener, if it watches its connections, whether a request is under way over one of them. When the
// program restarts, those over which none is are handed on.
func tellWatch(c net.Conn, state fasthttp.ConnState) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	w, ok := c.(interface {
		Busy()
		Rest()
	})
	switch {
	case !ok:
	case state == fasthttp.StateActive:
		w.Busy()
	case state == fasthttp.StateIdle:
		w.Rest()
	}
}
