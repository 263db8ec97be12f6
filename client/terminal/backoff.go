package terminal

import "time"

// backoff says when to try to connect again: within a second after a cut, within the spread that a restarting server
// asked for, then at a random moment of a span that doubles up to 30 s. It belongs to the client's loop.
type backoff struct {
	tries int
	// The server's wishes for the next try only.
	spread time.Duration // try at a random moment within it; 0 = not said
	floor  time.Duration // do not try before
}

const (
	firstRetry = time.Second
	maxRetry   = 30 * time.Second
	maxFloor   = 5 * time.Minute
)

// next is how long to wait now; random is in [0, 1).
func (b *backoff) next(random float64) time.Duration {
	limit := maxRetry
	if b.tries < 5 {
		limit = min(maxRetry, firstRetry<<b.tries)
	}
	if b.spread > 0 {
		limit = b.spread
	}
	d := min(b.floor, maxFloor) + time.Duration(random*float64(limit))
	b.tries++
	b.spread, b.floor = 0, 0
	return d
}

// connected says that the connection proved to be good.
func (b *backoff) connected() { b.tries = 0 }
