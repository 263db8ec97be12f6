package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"govor/hub/protocol"
	"govor/hub/store"
)

const (
	followerBytes = 8 << 20 // of batches that a follower has not taken yet
	catchUpEvents = 512     // read from the store at once
	readAgain     = 100 * time.Millisecond
)

// follower is one call of Follow: batches on their way to it. When it falls behind by more than its bound they are
// dropped, and it reads from the store.
type follower struct {
	wake chan struct{} // capacity 1

	mu      sync.Mutex // guards the fields below
	batches [][]protocol.Event
	bytes   int
	lost    bool // something was not put in; what is in the store counts
}

// put adds a batch, which must not be changed afterwards; nil says that something may have been missed.
func (f *follower) put(batch []protocol.Event) {
	size := 0
	for i := range batch {
		size += eventBytes + len(batch[i].Body)
	}
	f.mu.Lock()
	if batch == nil || f.lost || f.bytes+size > followerBytes {
		f.batches, f.bytes, f.lost = nil, 0, true
	} else {
		f.batches = append(f.batches, batch)
		f.bytes += size
	}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take empties the follower.
func (f *follower) take() (batches [][]protocol.Event, lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	batches, lost = f.batches, f.lost
	f.batches, f.bytes, f.lost = nil, 0, false
	return batches, lost
}

// tell hands a batch of stored events to the followers. If the store has come further than that (by a commit that had
// seemed to fail), they are told to read from it.
func (l *Local) tell(stored []protocol.Event) {
	position := l.store.Position()
	if position == l.handed {
		return
	}
	whole := l.handed+store.Position(len(stored)) == position
	l.handed = position
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.followers {
		if whole {
			f.put(stored)
		} else {
			f.put(nil)
		}
	}
}

// Follow implements Journal. It returns nil when ctx ends or, after everything that was stored has been delivered, when
// the journal is closed; while the store cannot be read it tries again. An error is that it never will be: the store was
// closed, or could not be read after the end of the journal.
func (l *Local) Follow(ctx context.Context, after store.Position, deliver func([]protocol.Event)) error {
	// Registered first, read then: what is committed in between is in the queue too, and is recognised by its position.
	f := &follower{wake: make(chan struct{}, 1)}
	l.mu.Lock()
	l.followers[f] = struct{}{}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.followers, f)
	}()
	for behind := true; ctx.Err() == nil; {
		if behind {
			events, err := l.read(ctx, after)
			if ctx.Err() != nil {
				break
			}
			if err != nil {
				return fmt.Errorf("follow the journal: %w", err)
			}
			if behind = len(events) > 0; behind {
				after = store.Position(events[len(events)-1].Pos)
				deliver(events)
			}
			continue
		}
		ended := l.ended() // asked before looking: what was put in before the end is then seen
		batches, lost := f.take()
		if after, behind = deliverAll(ctx, after, batches, deliver); behind || lost {
			behind = true
			continue
		}
		if len(batches) > 0 {
			continue
		}
		if ended {
			return nil
		}
		select {
		case <-f.wake:
		case <-l.done:
		case <-ctx.Done():
		}
	}
	return nil
}

// read reads what comes after a position. It tries again until it can, the store is closed or there is nobody left to
// wait for.
func (l *Local) read(ctx context.Context, after store.Position) ([]protocol.Event, error) {
	for try := 0; ; try++ {
		events, err := l.store.Since(ctx, after, catchUpEvents)
		if err == nil || errors.Is(err, store.ErrClosed) || l.ended() {
			return events, err
		}
		if ctx.Err() == nil && try == 0 {
			l.log.Error("journal cannot be read", zap.Error(err))
		}
		select {
		case <-time.After(readAgain):
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.done:
		}
	}
}

// deliverAll delivers what comes after a position and returns the position reached; gap says that something between
// is missing and has to be read from the store.
func deliverAll(ctx context.Context, after store.Position, batches [][]protocol.Event, deliver func([]protocol.Event)) (_ store.Position, gap bool) {
	for _, batch := range batches {
		for len(batch) > 0 && store.Position(batch[0].Pos) <= after {
			batch = batch[1:]
		}
		if len(batch) == 0 {
			continue
		}
		if store.Position(batch[0].Pos) != after+1 {
			return after, true
		}
		if ctx.Err() != nil {
			return after, false
		}
		after = store.Position(batch[len(batch)-1].Pos)
		deliver(batch)
	}
	return after, false
}

func (l *Local) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}
