package socket

import (
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/fasthttp/websocket"
	"golang.org/x/sys/unix"
)

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
	return ls.hand(ws.NetConn(), head, p, done)
}

// adoption is a call of Adopt in the hands of a taker.
type adoption struct {
	in   net.Conn
	head []byte
	peer Peer
	done func()

	adopted  bool
	panicked any
	over     chan struct{} // capacity 1
}

var adoptions = sync.Pool{New: func() any { return &adoption{over: make(chan struct{}, 1)} }}

// hand has a taker adopt a connection, if one is free, and waits for it. The server calls Adopt in a goroutine that is new
// for each connection and whose stack would have to grow for it; that alone would be a twentieth of what a connection costs.
func (ls *Loops) hand(in net.Conn, head []byte, p Peer, done func()) bool {
	a := adoptions.Get().(*adoption) //nolint:errcheck,forcetypeassert // there is nothing else in it
	a.in, a.head, a.peer, a.done = in, head, p, done
	select {
	case ls.takers <- a:
		<-a.over
	default:
		a.run(ls)
	}
	adopted, panicked := a.adopted, a.panicked
	*a = adoption{over: a.over}
	adoptions.Put(a)
	if panicked != nil {
		panic(panicked) // as if it had happened here: the server knows what to do
	}
	return adopted
}

// take is a taker: a goroutine that stays, as many as there are loops.
func (ls *Loops) take() {
	for {
		select {
		case a := <-ls.takers:
			a.run(ls)
			a.over <- struct{}{}
		case <-ls.crew.quit:
			return
		}
	}
}

func (a *adoption) run(ls *Loops) {
	defer func() { a.panicked = recover() }()
	a.adopted = ls.adopt(rawOf(a.in), a.in, a.head, a.peer, a.done)
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
	var buf [64]byte // there is hardly ever anything
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
