package restart

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"govor/hub/synfilter"
)

// Listener is the sockets on which the program listens, and which can outlive the process. Its methods may be called from
// any goroutine. What it accepts, it watches until it is closed or Leave is called on it.
type Listener struct {
	net.Listener
	watch watch

	// Fixed at construction.
	all    []net.Listener // that Listener is made of
	filter *synfilter.Filter
	paths  []string // of sockets in the file system that this process has made

	// Owned by whoever stops the program.
	sockets []*os.File // the same sockets, which stay open when the listener is closed; nil = they do not

	// Guarded by watch.mu.
	inherited []net.Conn // to be accepted first

	once sync.Once // closes the listener: the shutdown does it first, and the HTTP library again
	err  error
}

// UnixPrefix stands before the path of a socket where an address can stand, too.
const UnixPrefix = "unix:"

// Listen takes an address. The error is a sentence that names flag, which sets it.
func Listen(addr, flag string) (*Listener, error) {
	// Without keep-alive packets: what is silent for too long is ended by HTTP's and WebSockets' own deadlines, and to ask for
	// them would cost four system calls for each connection.
	cfg := net.ListenConfig{KeepAlive: -1}
	cfg.SetMultipathTCP(false) // such a socket takes no filter
	ln, err := cfg.Listen(context.Background(), "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("another program listens on %s already; stop it, or choose another address with %s", addr, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (see %s): %w", addr, flag, err)
	}
	return newListener([]net.Listener{ln}), nil
}

func newListener(all []net.Listener) *Listener {
	l := &Listener{Listener: all[0], all: all, filter: synfilter.New(all)}
	if len(all) > 1 {
		l.Listener = newJoined(all)
	}
	return l
}

// Join makes one of several, none of which is used any more.
func Join(parts []*Listener) *Listener {
	var all []net.Listener
	var paths []string
	for _, p := range parts {
		all, paths = append(all, p.all...), append(paths, p.paths...)
	}
	l := newListener(all)
	l.paths = paths
	return l
}

// Addrs are the addresses on which it listens.
func (l *Listener) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(l.all))
	for i, ln := range l.all {
		addrs[i] = ln.Addr()
	}
	return addrs
}

// ListenUnix takes a socket in the file system, and lets those use it whom mode lets. A file that nobody listens on any
// more is replaced. The error is a sentence.
func ListenUnix(path string, mode os.FileMode) (*Listener, error) {
	if c, err := net.Dial("unix", path); err == nil { //nolint:noctx // it does not wait
		_ = c.Close()
		return nil, fmt.Errorf("another program listens on %s already; stop it, or choose another path with --listen", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		_ = os.Remove(path)
	}
	ln, err := net.Listen("unix", path) //nolint:noctx // it does not wait
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (see --listen): %w", path, err)
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot set who may use %s: %w", path, err), ln.Close())
	}
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false) // the next process may have it
	}
	l := newListener([]net.Listener{ln})
	l.paths = []string{path}
	return l, nil
}

// Drop has attempts to connect from addr dropped for so long, before they are accepted, and tells whether they are; see
// synfilter.
func (l *Listener) Drop(addr netip.Addr, duration time.Duration) bool {
	return l.filter.Drop(addr, duration)
}

// Sealed says that what comes over the connections is encrypted: one over which anything has come means nothing to another
// process, and is closed instead of handed on. It is called before anything is accepted.
func (l *Listener) Sealed() { l.watch.sealed = true }

// Inherit returns the listener that was handed over to this process; nil when there is none.
func Inherit(getenv func(string) string) (*Listener, error) {
	at, ok, err := inheritedAt(getenv, os.Getpid())
	if !ok {
		return nil, err
	}
	var all []net.Listener
	var sockets []*os.File
	for _, fd := range at {
		ln, socket, err := adopt(fd)
		if err != nil {
			return nil, err // the process ends
		}
		all, sockets = append(all, ln), append(sockets, socket)
	}
	l := newListener(all)
	l.sockets, l.inherited = sockets, adoptConns(getenv(envConns))
	return l, nil
}

// Close implements net.Listener. To close none does nothing.
func (l *Listener) Close() error {
	if l == nil {
		return nil
	}
	l.once.Do(func() {
		l.filter.Stop() // who has the sockets afterwards knows nothing of it
		l.err = l.Listener.Close()
	})
	return l.err
}

// keep makes the sockets outlive the listener: who connects after Close waits.
func (l *Listener) keep() error {
	if l.sockets != nil {
		return nil
	}
	var sockets []*os.File
	for _, ln := range l.all {
		of, ok := ln.(interface{ File() (*os.File, error) })
		if !ok {
			return errors.New("this listener has no descriptor")
		}
		socket, err := of.File()
		if err != nil {
			for _, s := range sockets {
				_ = s.Close()
			}
			return fmt.Errorf("keep the socket: %w", err)
		}
		sockets = append(sockets, socket)
	}
	l.sockets = sockets
	return nil
}

// Release closes what Inherit or a restart have kept: who connects after Close is refused, unless somebody else has the
// socket, too.
func (l *Listener) Release() error {
	for _, path := range l.paths {
		_ = os.Remove(path)
	}
	var err error
	for _, socket := range l.sockets {
		err = errors.Join(err, socket.Close())
	}
	l.sockets = nil
	return err
}
