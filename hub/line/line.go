// Package line is what a session and the driver of its socket call each other by, so that neither has to know the other.
package line

// TooManyControls is the reason by which a driver ends a connection that sends more pings, pongs and tiny fragments than it
// may.
const TooManyControls = "too many control frames"

// Line is the driver's side of a connection.
type Line interface {
	// Wake is called by the session whenever there may be something to write or to end, from any goroutine and
	// perhaps with locks held; it is quick and never blocks. crowd says that a great many lines are woken with it:
	// they may have to wait while those who are woken alone are served.
	Wake(crowd bool)
}

// Fed is a line of a driver that can be fed: what many are given at once is written to one after the other, without
// waking each of them.
type Fed interface {
	Line
	// Feeder is what writes this line. It may be called from any goroutine.
	Feeder() Feeder
	// Hold says that the session has something to write that may wait for what comes next: the line is not idle until
	// the session has been asked. It may be called from any goroutine.
	Hold()
	// Idle tells whether a Share for the line can be written at once: nothing waits to be written, and the session
	// does not want to be asked. Only Feed.Next may call it.
	Idle() bool
}

// Feeder writes a number of lines: those of one event loop.
type Feeder interface {
	// Feed has f asked for shares until it has none, by a goroutine of the feeder's. It may be called from any
	// goroutine and with locks held; for the same f again only after Next has said that there is no more. crowd as
	// for Line.Wake.
	Feed(f Feed, crowd bool)
}

// Feed is what many lines of one feeder are given: the latest frames of a room.
type Feed interface {
	// Next fills dst with shares for lines that are idle, and tells whether it is to be asked again. The feeder writes
	// them at once and in their order; what a socket does not take goes back to its session. Next is quick and does
	// not block.
	Next(dst []Share) (n int, more bool)
}

// Share is what one line is to write: whole frames, which are shared and must not be changed.
type Share struct {
	To    Fed
	Bytes []byte
}

// Func is a Line of a driver that can do nothing but look.
type Func func(crowd bool)

// Wake implements Line.
func (f Func) Wake(crowd bool) { f(crowd) }
