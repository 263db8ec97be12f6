package restart

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// filtered tells whether the socket has a filter, and takes it away.
func filtered(t *testing.T, socket any) bool {
	t.Helper()
	if c, ok := socket.(*conn); ok {
		socket = c.Conn
	}
	raw, err := socket.(interface { //nolint:forcetypeassert // all sockets have it
		SyscallConn() (syscall.RawConn, error)
	}).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	had := false
	_ = raw.Control(func(fd uintptr) {
		had = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0) == nil
	})
	return had
}

// A listener that drops somebody gives its filter to nobody else: not to those it accepts, nor to the next process.
func TestFilterStaysWithItsListener(t *testing.T) {
	l := listener(t)
	if err := l.keep(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Release() }()
	if !l.Drop(netip.MustParseAddr("192.0.2.1"), time.Hour) {
		t.Fatal("it drops nobody")
	}
	_, server := accepted(t, l)
	defer server.Close()
	if filtered(t, server) {
		t.Error("a connection has the filter")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if filtered(t, l.sockets[0]) {
		t.Error("the next process has the filter")
	}
}

// What a process that was killed has left at a socket of the service manager is over with the next one.
func TestFilterOfAnotherProcessIsTakenAway(t *testing.T) {
	left := listener(t)
	if !left.Drop(netip.MustParseAddr("192.0.2.1"), time.Hour) {
		t.Fatal("it drops nobody")
	}
	newListener(left.all)
	if filtered(t, left.all[0]) {
		t.Error("the next process has the filter")
	}
}
