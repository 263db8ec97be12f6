// Package socket is one WebSocket as the hub sees it: whole messages in, bytes of ready frames out, and one end
// with a code and a reason. It knows no rooms and no protocol of ours; a driver moves bytes between a connection and a
// Peer. There are two, which pass the same tests: the portable one (Serve), where the handler's goroutine reads and
// returns last and one more writes; and on Linux the event loops (Loops), one per core, which take a connection over
// after its handshake and give it neither goroutine nor buffer.
package socket

import (
	"crypto/tls"
	"net"
	"time"

	"govor/hub/line"
)

// Peer is the hub's side of a connection. hub.Session is one.
//
// Who calls what: Receive is called by the reader only, one message at a time. Pending, Wrote and Ending are called by
// the writer only, which may be an event loop, so they are quick and do not block. Ended is called once, after reader
// and writer have stopped touching the peer.
type Peer interface {
	// Receive handles one text message, valid UTF-8 and within the frame limit; data must not be kept. It blocks
	// while the session may not go on (rate, too many unfinished sends): not reading is the back pressure. After
	// the session's end it returns at once.
	Receive(data []byte)
	// Pending returns bytes of whole frames to write next, or nil when there is nothing. The bytes are shared and
	// must not be changed; the same bytes come again until Wrote has taken them.
	Pending() []byte
	// Wrote says that the first n bytes of what Pending returned have been written.
	Wrote(n int)
	// Ending says whether the peer wants the connection to end: what is pending is written first, then a close
	// frame with code and reason.
	Ending() (code int, reason string, ok bool)
	// Ended tells the peer that the connection is gone and why: the code and reason sent or received.
	Ended(code int, reason string)
	// Bind is called once, before anything else.
	Bind(l line.Line)
	// Keep takes what the socket did not take of a line.Share, or could not be given: Pending returns it before anything
	// else. The writer calls it.
	Keep(b []byte)
}

// BinaryPeer is a Peer that takes binary messages, too. Of any other they end the connection (1003).
type BinaryPeer interface {
	Peer
	// ReceiveBinary is Receive for a binary message.
	ReceiveBinary(data []byte)
}

// takesBinary tells whether the peer is a BinaryPeer.
func takesBinary(p Peer) bool {
	_, ok := p.(BinaryPeer)
	return ok
}

// message is what a peer gets from the other side.
type message struct {
	data   []byte
	binary bool
}

// handTo gives the message to the peer, which may block.
func (m message) handTo(p Peer) {
	if b, ok := p.(BinaryPeer); ok && m.binary {
		b.ReceiveBinary(m.data)
		return
	}
	p.Receive(m.data)
}

// Limits of a connection. Zero values mean the defaults.
type Limits struct {
	MaxFrame     int64         // bytes of a message from the peer, fragments summed; over it: 1009. Default 65536
	PingInterval time.Duration // a ping after so long without a frame from the peer. Default 25 s
	IdleTimeout  time.Duration // ended (1001) after so long without any frame from the peer, who was pinged. Default 60 s
	StallTimeout time.Duration // a socket that takes no byte for so long is ended (1013, slow consumer). Default 60 s
	// ControlRate is how many control frames a second the peer may send, controlBurst seconds' worth at once. Fragments that
	// are empty count, too, and of a message those of less than tinyFragment bytes after the first freeTiny. Over it: 1008.
	// Default 50; negative is no limit
	ControlRate int
}

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	if l.MaxFrame <= 0 {
		l.MaxFrame = 64 << 10
	}
	if l.PingInterval <= 0 {
		l.PingInterval = 25 * time.Second
	}
	if l.IdleTimeout <= 0 {
		l.IdleTimeout = 60 * time.Second
	}
	if l.StallTimeout <= 0 {
		l.StallTimeout = 60 * time.Second
	}
	if l.ControlRate == 0 {
		l.ControlRate = 50
	}
	return l
}

// answerTime is how long a ping may be unanswered. It counts besides IdleTimeout: a program that was held up for longer
// than that has pinged nobody.
func (l *Limits) answerTime() time.Duration { return max(l.IdleTimeout-l.PingInterval, 0) }

// stallStep is how often a socket that takes nothing is tried.
func stallStep(l Limits) time.Duration {
	return min(max(l.StallTimeout/12, 20*time.Millisecond), 5*time.Second)
}

// Bounds that nobody has to set.
const (
	flushTimeout = 5 * time.Second // what is pending when the peer ends is written within this, or dropped
	closeTimeout = 2 * time.Second // the close frame is written within this, and answered within this
	maxSkipped   = 256 << 10       // bytes read after a verdict, for the answer to our close frame; then no more are
	minSkipped   = 1 << 10         // what a read counts for at least: many small ones cost as much as a few that are large
	maxControl   = 1 << 10         // bytes of control frames that wait to be written
	controlBurst = 4               // seconds' worth of Limits.ControlRate that may come at once
	tinyFragment = 64              // a fragment of fewer bytes costs more to look at than it brings
	freeTiny     = 64              // so many of a message do not count
	// sendBuffer is the kernel's: what a stalled connection holds there. Its counterpart is left to the kernel: one that is
	// set does not grow, small frames fill it by what each packet costs, and what is dropped comes again ever later.
	sendBuffer = 64 << 10
	readSize   = 1 << 10  // bytes that the portable driver reads at once; the server's buffer is before it
	tlsChunk   = 16 << 10 // bytes of one write where a write that timed out cannot go on
)

// skipCost is what reading n bytes with so many frames in them counts for after a verdict. Who goes on sending has to wait
// until the socket is closed: to look for a close frame in a flood would be to go on being flooded, and not to wait would be
// to invite it again.
func skipCost(n, frames int) int { return max(n, minSkipped, frames*tinyFragment) }

// Close codes (RFC 6455 §7.4). closeNoStatus and closeLost stand for what happened and are never in a frame.
const (
	closeGoingAway   = 1001
	closeProtocol    = 1002
	closeUnsupported = 1003
	closeNoStatus    = 1005
	closeLost        = 1006
	closeBadText     = 1007
	closePolicy      = 1008
	closeTooBig      = 1009
	closeInternal    = 1011
	closeTryAgain    = 1013
)

// rawOf is the socket of an upgraded connection, without what the server has around it: its buffer, and the watch of its
// listener, which is told that the connection is ours now.
func rawOf(in net.Conn) net.Conn {
	raw := in
	if u, ok := in.(interface{ UnsafeConn() net.Conn }); ok {
		raw = u.UnsafeConn()
	}
	type watched interface{ Leave() net.Conn }
	if t, ok := raw.(*tls.Conn); ok {
		if w, ok := t.NetConn().(watched); ok {
			w.Leave()
		}
		return raw
	}
	if w, ok := raw.(watched); ok {
		raw = w.Leave()
	}
	return raw
}
