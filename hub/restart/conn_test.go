//go:build unix

package restart

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// patience bounds every wait; a test that passes never waits for so long.
const patience = 10 * time.Second

// accepted is a connection with both its ends.
func accepted(t *testing.T, l *Listener) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	_ = client.SetDeadline(time.Now().Add(patience))
	return client, server
}

func listener(t *testing.T) *Listener {
	t.Helper()
	l, err := Listen("127.0.0.1:0", "--listen")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// serve reads a connection as an HTTP server does: what ends with "." is a request, and every byte is answered.
func serve(c net.Conn) (ended chan error) {
	ended = make(chan error, 1)
	go func() { // ends with the connection
		defer c.Close()
		for b := make([]byte, 1); ; {
			if _, err := c.Read(b); err != nil {
				ended <- err
				return
			}
			w, watched := c.(interface {
				Busy()
				Rest()
			})
			switch {
			case !watched:
			case b[0] == '.':
				w.Rest()
			default:
				w.Busy()
			}
			_, _ = c.Write(b)
		}
	}()
	return ended
}

// settle runs Settle and returns where its result will be.
func settle(t *testing.T, l *Listener, handOn bool) (done chan error, cancel func()) {
	t.Helper()
	_ = l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	done = make(chan error, 1)
	go func() { done <- l.Settle(ctx, handOn) }()
	return done, cancel
}

func await(t *testing.T, what string, c <-chan error) error {
	t.Helper()
	select {
	case err := <-c:
		return err
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
		return nil
	}
}

// next is the kept connections as the next process has them.
func next(t *testing.T, l *Listener) (conns []net.Conn) {
	t.Helper()
	for _, f := range l.watch.kept {
		c, err := net.FileConn(f)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
	}
	return conns
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("%q, %v, want %q", b, err, want)
	}
}

// Whoever has no request under way goes on with the next process: who has just connected, who has sent something that
// nobody has read yet, and who waits between two requests.
func TestConnectionsAtRestAreHandedOn(t *testing.T) {
	l := listener(t)
	silent, a := accepted(t, l)
	between, b := accepted(t, l)
	unread, c := accepted(t, l)
	endA, endB := serve(a), serve(b)
	say(t, between, "x.")
	hear(t, between, "x.")
	say(t, unread, "y.")
	done, _ := settle(t, l, true)
	endC := serve(c)
	for _, ended := range []chan error{endA, endB, endC} {
		if err := await(t, "the reader ends", ended); !errors.Is(err, io.EOF) {
			t.Errorf("the reader ends with %v, want EOF", err)
		}
	}
	if err := await(t, "everybody has left", done); err != nil {
		t.Error(err)
	}
	conns := next(t, l)
	if len(conns) != 3 {
		t.Fatalf("%d connections are kept, want 3", len(conns))
	}
	for _, c := range conns {
		serve(c)
	}
	say(t, silent, ".")
	say(t, between, ".")
	hear(t, silent, ".")
	hear(t, between, ".")
	hear(t, unread, "y.")
}

// A request that has begun is waited for.
func TestSettleWaitsForRequests(t *testing.T) {
	l := listener(t)
	client, c := accepted(t, l)
	serve(c)
	say(t, client, ".x")
	hear(t, client, ".x")
	_, taken := accepted(t, l)
	done, _ := settle(t, l, true)
	select {
	case err := <-done:
		t.Fatalf("settled: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	say(t, client, ".")
	hear(t, client, ".")
	taken.(interface{ Leave() net.Conn }).Leave()
	if err := await(t, "everybody has left", done); err != nil {
		t.Error(err)
	}
	if n := len(next(t, l)); n != 1 {
		t.Errorf("%d connections are kept, want 1", n)
	}
}

func TestSettleDoesNotWaitForEver(t *testing.T) {
	l := listener(t)
	client, c := accepted(t, l)
	serve(c)
	say(t, client, ".x")
	hear(t, client, ".x")
	done, cancel := settle(t, l, true)
	cancel()
	if err := await(t, "it gives up", done); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was given up", err)
	}
}

// Where there is no next process, what has come is served and the rest is closed.
func TestConnectionsAtRestAreClosed(t *testing.T) {
	l := listener(t)
	silent, a := accepted(t, l)
	unread, b := accepted(t, l)
	serve(a)
	say(t, unread, "y.")
	done, _ := settle(t, l, false)
	serve(b)
	hear(t, unread, "y.")
	for _, client := range []net.Conn{silent, unread} {
		if n, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%d, %v, want the end", n, err)
		}
	}
	if err := await(t, "everybody has left", done); err != nil {
		t.Error(err)
	}
	if n := len(l.watch.kept); n != 0 {
		t.Errorf("%d connections are kept", n)
	}
}

// What the process before has kept is accepted first.
func TestInheritedConnectionsComeFirst(t *testing.T) {
	l := listener(t)
	client, server := net.Pipe()
	defer client.Close()
	l.inherited = []net.Conn{server}
	c, err := l.Accept()
	if err != nil || c.(*conn).Conn != server {
		t.Fatalf("Accept = %v, %v", c, err)
	}
	if _, err := os.Stat("/dev/fd"); err == nil {
		if conns := adoptConns("x,1,99999"); len(conns) != 0 {
			t.Errorf("what is no connection is adopted: %v", conns)
		}
	}
}
