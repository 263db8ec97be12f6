//go:build !linux

package socket

import (
	"runtime"

	"github.com/fasthttp/websocket"
)

// Loops is for Linux only; here the portable driver serves everybody.
type Loops struct{}

// NewLoops returns nil: there are none on this system.
func NewLoops(Limits, func() bool, func(value any, stack []byte)) (*Loops, error) { return nil, nil }

// Adopt takes no connection; a nil Loops neither.
func (*Loops) Adopt(*websocket.Conn, []byte, Peer, func()) bool { return false }

// GiveWay lets what is ready run before what the caller does next.
func (*Loops) GiveWay() { runtime.Gosched() }

// Close does nothing.
func (*Loops) Close() {}
