package socket

import (
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fasthttp/websocket"
	"golang.org/x/sys/unix"
)

// Loops drives connections without a goroutine and without buffers for each: one loop per core waits for all of its
// sockets at once. A connection stays with the loop that took it; only that loop reads, writes and closes its socket.
type Loops struct {
	// Fixed at construction.
	limits  Limits
	onPanic func(value any, stack []byte)
	loops   []*loop
	crew    *crew

	next    atomic.Uint32
	running sync.WaitGroup // the loops and every goroutine that they start
}

// NewLoops starts a loop for each core that the program may use. Close stops them. onPanic is as for Serve. On systems
// other than Linux there are none, and it returns nil.
func NewLoops(limits Limits, onPanic func(value any, stack []byte)) (*Loops, error) {
	ls := &Loops{limits: limits.withDefaults(), onPanic: onPanic}
	ls.crew = newCrew(&ls.running)
	for range runtime.GOMAXPROCS(0) {
		l, err := newLoop(ls)
		if err != nil {
			ls.Close()
			return nil, fmt.Errorf("start an event loop: %w", err)
		}
		ls.loops = append(ls.loops, l)
		ls.running.Go(l.run)
	}
	return ls, nil
}

// Close ends the connections that are left (1001, without a word to them), waits until their peers know, and stops the
// loops. Later calls of Adopt end their connection in the same way. Closing nil does nothing.
func (ls *Loops) Close() {
	if ls == nil {
		return
	}
	for _, l := range ls.loops {
		l.stop()
	}
	close(ls.crew.quit)
	ls.running.Wait()
}

// Adopt takes an upgraded connection over from the server that upgraded it. If it returns true, the caller returns and
// the server forgets the connection: nothing of ws may be used any more. p.Ended is called when the socket is closed,
// and done after it. If it returns false, the connection is of a kind that loops cannot drive, or the system has no
// descriptor left; nothing has happened to it and Serve can drive it. A nil Loops adopts nothing.
//
// head is written before anything else of p's, as it is: the answer to the handshake, if that is not written yet. What p
// has pending goes out with it.
func (ls *Loops) Adopt(ws *websocket.Conn, head []byte, p Peer, done func()) bool {
	if ls == nil {
		return false
	}
	in := ws.NetConn()
	return ls.adopt(rawOf(in), in, head, p, done)
}

// conn is read for bytes that wait in the server's buffer, raw is the socket.
func (ls *Loops) adopt(raw, in net.Conn, head []byte, p Peer, done func()) bool {
	fd, ok := duplicate(raw)
	if !ok {
		return false
	}
	early := drainBuffer(in)
	_ = raw.Close()
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)
	k := &link{
		loop: ls.loops[int(ls.next.Add(1))%len(ls.loops)], peer: p, done: done, fd: int32(fd), slot: -1, early: early, out: head, //nolint:gosec // descriptors are small
		binary: takesBinary(p),
	}
	p.Bind(k)
	k.Wake(false)
	if k.loop.stopped.Load() {
		k.loop.turnAway()
	}
	return true
}

// duplicate returns a descriptor of raw's socket that belongs to nothing of Go's; false if there is none to be had.
func duplicate(raw net.Conn) (int, bool) {
	var control syscall.RawConn
	var err error
	switch t := raw.(type) {
	case *net.TCPConn:
		control, err = t.SyscallConn()
	case *net.UnixConn:
		control, err = t.SyscallConn()
	default:
		return 0, false
	}
	if err != nil {
		return 0, false
	}
	dup := -1
	err = control.Control(func(fd uintptr) {
		dup, _ = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	})
	return dup, err == nil && dup >= 0
}

// drainBuffer returns what came with the handshake and waits in the server's buffered reader: with a deadline in the
// past only the buffer answers.
func drainBuffer(in net.Conn) []byte {
	if in.SetReadDeadline(longAgo()) != nil {
		return nil
	}
	var early []byte
	var buf [512]byte
	for {
		n, err := in.Read(buf[:])
		early = append(early, buf[:n]...)
		if err != nil || n == 0 {
			return early
		}
	}
}

// longAgo is a deadline that has passed.
func longAgo() time.Time { return time.Unix(1, 0) }
