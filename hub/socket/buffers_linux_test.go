package socket

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// For somebody who sends much, the kernel would let the buffer grow to megabytes, which stay when nothing more is read.
func TestKernelBuffersStaySmall(t *testing.T) {
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			client, server := tcpPair(t)
			fd := same(t, server)
			var got atomic.Int64
			p := newFakePeer()
			p.receive = func(s string) { got.Add(int64(len(s))) }
			done := make(chan struct{})
			d.start(t, server, server, p, Limits{}, func() { close(done) })
			much := frame(0x81, strings.Repeat("x", 60<<10))
			const frames = 500
			for range frames {
				if _, err := client.Write(much); err != nil {
					t.Fatal(err)
				}
			}
			waitFor(t, func() bool { return got.Load() == frames*60<<10 })
			for option, most := range map[int]int{unix.SO_SNDBUF: 2 * sendBuffer, unix.SO_RCVBUF: 2 * receiveBuffer} { // the kernel doubles them
				if n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option); err != nil || n > most {
					t.Errorf("option %d is %d, %v, want %d at most", option, n, err, most)
				}
			}
			_ = client.Close()
			<-done
		})
	}
}

// same is another descriptor of a socket.
func same(t *testing.T, c *net.TCPConn) int {
	t.Helper()
	fd, ok := duplicate(c)
	if !ok {
		t.Fatal("the socket has no second descriptor")
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}
