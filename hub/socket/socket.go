// Package socket is one WebSocket as the hub sees it: whole text messages in, bytes of ready frames out, and one end
// with a code and a reason. It knows no rooms and no protocol of ours; a driver moves bytes between a connection and a
// Peer. There is one driver now, the portable one (Serve): the handler's goroutine reads and returns last, one more
// goroutine writes.
package socket

import "time"

// Peer is the hub's side of a connection. hub.Session is one.
//
// Who calls what: Receive is called by the reader only, one message at a time. Pending, Wrote and Ending are called by
// the writer only. Ended is called once, after reader and writer have stopped touching the peer.
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
	// Wake returns the channel of capacity 1 that holds a value when there may be something to write or to end.
	Wake() <-chan struct{}
}

// Limits of a connection. Zero values mean the defaults.
type Limits struct {
	MaxFrame     int64         // bytes of a message from the peer, fragments summed; over it: 1009. Default 65536
	PingInterval time.Duration // a ping after so long without a frame from the peer. Default 25 s
	IdleTimeout  time.Duration // ended (1001) after so long without any frame from the peer. Default 60 s
	StallTimeout time.Duration // a socket that takes no byte for so long is ended (1013, slow consumer). Default 60 s
}
