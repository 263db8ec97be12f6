//go:build !linux

package socket

import "github.com/fasthttp/websocket"

// Loops is for Linux only; here the portable driver serves everybody.
type Loops struct{}

// NewLoops returns nil: there are none on this system.
func NewLoops(Limits, func(value any, stack []byte)) (*Loops, error) { return nil, nil }

// Adopt takes no connection; a nil Loops neither.
func (*Loops) Adopt(*websocket.Conn, []byte, Peer, func()) bool { return false }

// Close does nothing.
func (*Loops) Close() {}
