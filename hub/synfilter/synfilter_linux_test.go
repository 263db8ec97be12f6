package synfilter

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ground is a listener that greets whoever connects.
type ground struct {
	ln     *net.TCPListener
	filter *Filter
}

func newGround(t *testing.T, network, at string) *ground {
	t.Helper()
	ln := listen(t, network, at)
	g := &ground{ln: ln.(*net.TCPListener)} //nolint:forcetypeassert // it is one
	g.filter = New([]net.Listener{ln})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			g.filter.Free(c)
			if filtered(c) {
				t.Error("a connection keeps the filter of its listener")
			}
			_, _ = c.Write([]byte("hello"))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		g.filter.Stop()
		_ = ln.Close()
		<-ended
	})
	return g
}

func listen(t *testing.T, network, at string) net.Listener {
	t.Helper()
	var cfg net.ListenConfig
	cfg.SetMultipathTCP(false) // such a socket takes no filter
	ln, err := cfg.Listen(t.Context(), network, at)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// filtered tells whether the socket has a filter.
func filtered(c net.Conn) bool {
	socket, err := c.(*net.TCPConn).SyscallConn() //nolint:forcetypeassert // it is one
	return err == nil && detach(socket) == nil
}

// come connects from there; there are so many seconds for it.
func (g *ground) come(from string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	to := netip.MustParseAddrPort(g.ln.Addr().String())
	where := netip.AddrPortFrom(netip.MustParseAddr(from), to.Port())
	if where.Addr().Is4() {
		where = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), to.Port())
	}
	c, err := dialer.DialContext(ctx, "tcp", where.String())
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, err = io.ReadFull(c, make([]byte, len("hello")))
	return err
}

func (g *ground) wantDropped(t *testing.T, from string) {
	t.Helper()
	if err := g.come(from, 200*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who comes from %s: %v; want to be kept waiting", from, err)
	}
}

func (g *ground) wantIn(t *testing.T, from string) {
	t.Helper()
	if err := g.come(from, 20*time.Second); err != nil {
		t.Errorf("who comes from %s: %v", from, err)
	}
}

func TestDropsWhoIsToldAndNobodyElse(t *testing.T) {
	for _, c := range []struct{ network, at string }{{"tcp4", "127.0.0.1:0"}, {"tcp", "[::]:0"}} {
		t.Run(c.at, func(t *testing.T) {
			g := newGround(t, c.network, c.at)
			g.wantIn(t, "127.0.0.2")
			for _, from := range []string{"192.0.2.1", "2001:db8::1", "127.0.0.2", "127.0.0.4"} {
				if !g.filter.Drop(netip.MustParseAddr(from), time.Hour) {
					t.Fatal("this kernel filters nothing, though it is Linux")
				}
			}
			g.wantDropped(t, "127.0.0.2")
			g.wantDropped(t, "127.0.0.4")
			g.wantIn(t, "127.0.0.3")
			g.filter.lift(netip.MustParseAddr("127.0.0.2"))
			g.wantIn(t, "127.0.0.2")
			g.wantDropped(t, "127.0.0.4")
		})
	}
}

func TestDropsOfIPv6TheNetwork(t *testing.T) {
	g := newGround(t, "tcp", "[::]:0")
	if g.come("::1", time.Second) != nil {
		t.Skip("this machine has no IPv6")
	}
	g.filter.Drop(netip.MustParseAddr("2001:db8::1"), time.Hour)
	g.wantIn(t, "::1")
	g.filter.Drop(netip.MustParseAddr("::2"), time.Hour)
	g.wantDropped(t, "::1")
	g.wantIn(t, "127.0.0.1")
}

// Whoever is dropped is let in when the time is over, by the attempt that was made before, and what was connected goes on.
func TestDropsForAWhile(t *testing.T) {
	g := newGround(t, "tcp4", "127.0.0.1:0")
	if !g.filter.Drop(netip.MustParseAddr("127.0.0.2"), 300*time.Millisecond) || !g.filter.Drop(netip.MustParseAddr("127.0.0.2"), time.Hour) {
		t.Fatal("it is not dropped")
	}
	start := time.Now()
	g.wantIn(t, "127.0.0.2")
	if took := time.Since(start); took < 300*time.Millisecond {
		t.Errorf("it came in after %v", took)
	}
}

func TestConnectionsGoOnWhileTheirAddressIsDropped(t *testing.T) {
	ln := listen(t, "tcp4", "127.0.0.1:0")
	defer ln.Close()
	f := New([]net.Listener{ln})
	defer f.Stop()
	in, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	f.Drop(netip.MustParseAddr("127.0.0.2"), time.Hour)
	out, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	_ = out.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := in.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 5)); err != nil {
		t.Error("what was connected before is not heard any more:", err)
	}
}

// A socket that another process has, too, is left to it as it was; and one that a process has left behind is as new.
func TestNothingIsLeftBehind(t *testing.T) {
	g := newGround(t, "tcp4", "127.0.0.1:0")
	g.filter.Drop(netip.MustParseAddr("127.0.0.2"), time.Hour)
	g.filter.Stop()
	g.wantIn(t, "127.0.0.2")
	if g.filter.Drop(netip.MustParseAddr("127.0.0.2"), time.Hour) {
		t.Error("after its end it drops somebody")
	}
	left := New([]net.Listener{g.ln})
	left.Drop(netip.MustParseAddr("127.0.0.2"), time.Hour)
	g.wantDropped(t, "127.0.0.2")
	New([]net.Listener{g.ln})
	g.wantIn(t, "127.0.0.2")
}

func TestDropsOnlySoMany(t *testing.T) {
	g := newGround(t, "tcp4", "127.0.0.1:0")
	for i := range maxAddrs {
		if !g.filter.Drop(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), time.Hour) {
			t.Fatalf("address %d is not dropped", i)
		}
	}
	if g.filter.Drop(netip.MustParseAddr("127.0.0.2"), time.Hour) {
		t.Error("one more is dropped")
	}
	g.wantIn(t, "127.0.0.2")
}

// What cannot be filtered is not, and nothing else happens.
func TestSocketsThatCannotBeFiltered(t *testing.T) {
	ln, err := net.Listen("unix", t.TempDir()+"/socket")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if New([]net.Listener{ln}).Drop(netip.MustParseAddr("127.0.0.2"), time.Hour) {
		t.Error("a socket in the file system knows no addresses")
	}
	closed := newGround(t, "tcp4", "127.0.0.1:0")
	_ = closed.ln.Close()
	if closed.filter.Drop(netip.MustParseAddr("127.0.0.2"), time.Hour) {
		t.Error("a closed socket drops somebody")
	}
}

// Every program that there can be is one that the kernel takes.
func TestProgramsAreNotTooLong(t *testing.T) {
	var addrs []netip.Addr
	for i := range maxAddrs {
		addrs = append(addrs, netip.AddrFrom16([16]byte{0x20, 1, byte(i)}))
	}
	if n := len(compile(addrs)); n > unix.BPF_MAXINSNS {
		t.Errorf("%d instructions", n)
	}
}
