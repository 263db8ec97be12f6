// Package synfilter has the kernel drop attempts to connect (a SYN, RFC 9293 §3.5) from addresses that make too many, before
// they cost the program anything. Whoever tries meets a network that loses packets: the own system tries again in a second.
package synfilter

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// maxAddrs bounds the addresses of a Filter: each costs the kernel some instructions for every packet.
const maxAddrs = 64

// Filter drops what would connect to some listening sockets. Its methods may be called from any goroutine. Where the
// system has no such thing, it drops nothing.
type Filter struct {
	sockets []syscall.RawConn // TCP; fixed at construction

	// Whether the sockets ever had a filter: the kernel gives it to the connections that come meanwhile.
	inherited atomic.Bool

	mu      sync.Mutex   // guards the fields below
	addrs   []netip.Addr // of IPv6 the first of a /64
	timers  []*time.Timer
	stopped bool
}

// New makes one that drops nothing, and takes away what an earlier process has left at the sockets.
func New(listeners []net.Listener) *Filter {
	f := &Filter{}
	for _, ln := range listeners {
		tcp, ok := ln.(*net.TCPListener)
		if !ok {
			continue
		}
		if socket, err := tcp.SyscallConn(); err == nil {
			f.sockets = append(f.sockets, socket)
			if detach(socket) == nil {
				f.inherited.Store(true)
			}
		}
	}
	return f
}

// Drop drops attempts from addr, of IPv6 from its /64, for so long from now; an address that is dropped already stays so
// no longer. It tells whether they are dropped: not after Stop, not of too many addresses, not where the kernel cannot.
func (f *Filter) Drop(addr netip.Addr, duration time.Duration) bool {
	addr = network(addr)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case slices.Contains(f.addrs, addr):
		return true
	case f.stopped || len(f.sockets) == 0 || !addr.IsValid() || len(f.addrs) == maxAddrs:
		return false
	}
	f.addrs = append(f.addrs, addr)
	if f.attachLocked() != nil {
		f.addrs = f.addrs[:len(f.addrs)-1]
		_ = f.attachLocked() // or one of several sockets would have it
		return false
	}
	f.timers = append(f.timers, time.AfterFunc(duration, func() { f.lift(addr) }))
	return true
}

func (f *Filter) lift(addr netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.addrs, addr); i >= 0 {
		f.addrs, f.timers = slices.Delete(f.addrs, i, i+1), slices.Delete(f.timers, i, i+1)
		_ = f.attachLocked() // the sockets are closed
	}
}

func (f *Filter) attachLocked() error {
	var failed error
	for _, socket := range f.sockets {
		if len(f.addrs) == 0 {
			failed = errors.Join(failed, detach(socket))
			continue
		}
		failed = errors.Join(failed, attach(socket, f.addrs))
		f.inherited.Store(true)
	}
	return failed
}

// Stop lets everybody in again, for good. It is called before the sockets are closed: another process may have them, too.
func (f *Filter) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	for _, timer := range f.timers {
		timer.Stop()
	}
	if len(f.addrs) > 0 {
		f.addrs, f.timers = nil, nil
		_ = f.attachLocked()
	}
}

// Free takes the filter from a connection that was accepted from one of the sockets: it would do nothing there but keep
// the kernel's memory, for each second of a flood another one.
func (f *Filter) Free(conn net.Conn) {
	if !f.inherited.Load() {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if socket, err := tcp.SyscallConn(); err == nil {
			_ = detach(socket)
		}
	}
}

// network is what addr is dropped with.
func network(addr netip.Addr) netip.Addr {
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}
