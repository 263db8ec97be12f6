package hub

import (
	"net/netip"
	"sync"
	"time"

	"govor/hub/protocol"
)

// leases count connections from before their upgrade to the closing of their sockets.
type leases struct {
	mu     sync.Mutex // guards the fields below
	total  int
	byAddr map[netip.Addr]int
}

// Lease is a counted place for one connection. Whoever closes the socket releases it.
type Lease struct {
	leases *leases
	addr   netip.Addr
	once   sync.Once
}

// admitRetry is how long a client that found no place should wait.
const admitRetry = 10 * time.Second

// Admit takes a place for one connection from addr. The error is a *protocol.Error: too_many from one
// address, unavailable when the server is full or stops.
func (h *Hub) Admit(addr netip.Addr) (*Lease, error) {
	if h.isStopping() {
		e := protocol.Errorf(protocol.CodeUnavailable, "the server is stopping")
		e.RetryAfter = time.Second
		return nil, e
	}
	l := &h.leases
	addr = addr.Unmap()
	known := addr.IsValid() // or nothing can be counted for it
	l.mu.Lock()
	defer l.mu.Unlock()
	perAddr := h.limits.MaxConnectionsPerAddr
	if full := h.limits.MaxConnections > 0 && l.total >= h.limits.MaxConnections; full || known && perAddr > 0 && l.byAddr[addr] >= perAddr {
		e, limit := protocol.Errorf(protocol.CodeTooMany, "there are too many connections from your address"), limitAddrConnections
		if full {
			limit = limitConnections
			e = protocol.Errorf(protocol.CodeUnavailable, "the server is full")
		}
		h.metrics.limit(limit)
		e.RetryAfter = admitRetry
		return nil, e
	}
	l.total++
	l.byAddr[addr]++
	return &Lease{leases: l, addr: addr}, nil
}

// Counted is what stands for an address where addresses are counted: of IPv6 the network, since a customer has 2^64 of
// them (RFC 6177). The zero value, for an address that is not known, stays what it is.
func Counted(addr netip.Addr) netip.Addr {
	if addr = addr.Unmap().WithZone(""); addr.Is6() && !addr.IsLoopback() {
		if p, err := addr.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}

// Release gives the place back; only the first call counts.
func (l *Lease) Release() {
	l.once.Do(func() {
		l.leases.mu.Lock()
		defer l.leases.mu.Unlock()
		l.leases.total--
		if l.leases.byAddr[l.addr]--; l.leases.byAddr[l.addr] == 0 {
			delete(l.leases.byAddr, l.addr)
		}
	})
}
