// Package journal decides the order of events and makes them durable. Local is for one machine; a cluster's is to come.
// Both pass the suite in journaltest.
package journal

import (
	"context"
	"errors"

	"govor/hub/protocol"
	"govor/hub/store"
)

// ErrUnavailable means that an event may or may not have been stored; it may be appended again with the same id.
var ErrUnavailable = errors.New("the journal is unavailable")

// Journal decides the order of events. Every implementation passes journaltest.Run.
type Journal interface {
	// Append hands e over and returns at once; it never blocks on the disk. done is called exactly once, from a
	// goroutine of the journal's, when this node's store has applied e (or refused it): it must not block and must
	// not call Append. Events that one goroutine appends are decided in the order of its calls. The receipt has the
	// event's room and id, whatever became of it, and gives its place, for a duplicate the first one's. The error is a
	// *protocol.Error that Apply decided (the same on every node), or wraps ErrUnavailable: then so does that of every
	// event of the same member that was appended later, before done was called.
	Append(e protocol.Event, done func(protocol.Receipt, error))
	// Follow calls deliver with every event after the given position, in order, each once, in batches as they were
	// committed, until ctx ends or the journal is closed. deliver is called from this goroutine only and should be
	// quick: a follower that falls far behind is fed from the store.
	Follow(ctx context.Context, after store.Position, deliver func([]protocol.Event)) error
	// Close finishes what was appended before it, answers every waiter and returns. Append after Close is
	// ErrUnavailable.
	Close() error
}

// Wait appends e and waits for its receipt. When ctx ends first the error wraps ErrUnavailable: e may yet be stored.
func Wait(ctx context.Context, j Journal, e protocol.Event) (protocol.Receipt, error) {
	type answer struct {
		r   protocol.Receipt
		err error
	}
	ch := make(chan answer, 1)
	j.Append(e, func(r protocol.Receipt, err error) { ch <- answer{r, err} })
	select {
	case a := <-ch:
		return a.r, a.err
	case <-ctx.Done():
		return protocol.Receipt{}, errors.Join(ErrUnavailable, ctx.Err())
	}
}
