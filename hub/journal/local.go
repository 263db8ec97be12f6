package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"govor/hub/mutant"
	"govor/hub/protocol"
	"govor/hub/store"
)

const (
	maxBatch   = 1024                  // events of one transaction
	maxGather  = 20 * time.Millisecond // for those who are about to append
	queueBytes = 16 << 20              // of events that wait for a transaction
	eventBytes = 256                   // of an event besides its text
)

// Local is the journal of one machine: a queue in front of the store. One goroutine takes everything that waits,
// applies it in one transaction, answers the waiters and hands the batch to the followers.
type Local struct {
	// Fixed at construction.
	store   *store.Store
	log     *zap.Logger
	metrics *metrics
	wake    chan struct{} // capacity 1: something was appended, or Close was called
	done    chan struct{} // closed when the goroutine has ended

	storing atomic.Bool    // a transaction is under way
	late    sync.WaitGroup // refuseAll, and refusals after Close

	// Owned by the goroutine.
	taken  []waiter       // swapped out of waiting, not yet applied
	took   time.Duration  // what the last commit took
	spare  []waiter       // an empty one for the next swap
	handed store.Position // the last event that followers were told of
	failed string         // why the last transaction failed, "" when it did not

	mu        sync.Mutex // guards the fields below; no I/O and no done under it
	waiting   []waiter
	inHand    int      // in taken
	bytes     int      // of waiting and taken
	refused   []waiter // found no place; answered by refuseAll
	refusing  bool     // refuseAll runs: nothing finds a place until it has answered
	closed    bool
	followers map[*follower]struct{}
}

// waiter is one call of Append.
type waiter struct {
	event protocol.Event
	done  func(protocol.Receipt, error)
	since time.Time
}

func (w *waiter) bytes() int { return eventBytes + len(w.event.Body) }

// NewLocal starts a journal in front of s. The store is the caller's to close, after the journal.
func NewLocal(s *store.Store, log *zap.Logger, reg prometheus.Registerer) *Local {
	l := &Local{
		store:     s,
		log:       log,
		wake:      make(chan struct{}, 1),
		done:      make(chan struct{}),
		handed:    s.Position(),
		followers: make(map[*follower]struct{}),
	}
	l.metrics = newMetrics(reg, l)
	go l.run() // ended by Close
	return l
}

// Append implements Journal. When more than 16 MiB wait, the event is ErrUnavailable at once.
func (l *Local) Append(e protocol.Event, done func(protocol.Receipt, error)) {
	w := waiter{event: e, done: done, since: time.Now()} // not to be pointed at: it would be put on the heap
	l.mu.Lock()
	defer l.mu.Unlock()
	// Refusals have a goroutine of their own: the caller may hold locks that done needs, and the journal's may be in a
	// transaction.
	switch {
	case l.closed:
		late := w
		go l.answer(&late, receipt(&late.event, false), fmt.Errorf("%w: the journal is closed", ErrUnavailable), resultUnavailable)
	case l.refusing || l.bytes > 0 && l.bytes+w.bytes() > queueBytes:
		w.event.Body = "" // it would be what the bound is for
		l.refused = append(l.refused, w)
		if !l.refusing {
			l.refusing = true
			l.late.Go(l.refuseAll)
		}
	default:
		l.waiting = append(l.waiting, w)
		l.bytes += w.bytes()
		if len(l.waiting) == 1 {
			l.poke()
		}
	}
}

// refuseAll answers those that found no place. Until it has, nobody finds one, so that what a caller appends after a
// refused event is refused too.
func (l *Local) refuseAll() {
	for {
		l.mu.Lock()
		batch := l.refused
		l.refused = nil
		l.refusing = len(batch) > 0
		l.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		l.unavailable(batch, errors.New("too much waits to be stored"))
	}
}

func (l *Local) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Storing tells whether a transaction is under way. Any goroutine may ask.
func (l *Local) Storing() bool { return l.storing.Load() }

// Close implements Journal.
func (l *Local) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.poke()
	<-l.done
	l.late.Wait()
	return nil
}

func (l *Local) run() {
	defer close(l.done)
	for {
		if n := min(len(l.taken), maxBatch); n > 0 {
			batch := l.taken[:n]
			l.taken = l.taken[n:]
			if err := l.commit(batch); err != nil && mutant.Active != mutant.GoOn {
				l.failBehind(batch, err)
			}
			clear(batch)
			continue
		}
		l.gather()
		if closed := l.swap(); len(l.taken) > 0 {
			continue
		} else if closed {
			return
		}
		<-l.wake
	}
}

// gather lets those append first who are about to: who was just answered appends again. It goes on as long as every turn
// of the others brings more, but not longer than two commits take: so where many write at once on few cores, a batch
// holds most of them instead of the first few, and a message that comes alone waits for nobody.
func (l *Local) gather() {
	began := time.Now()
	for had := 1; ; {
		runtime.Gosched()
		l.mu.Lock()
		n := len(l.waiting)
		l.mu.Unlock()
		if n <= had || n >= maxBatch || time.Since(began) > min(2*l.took, maxGather) {
			return
		}
		had = n
	}
}

// swap takes everything that waits.
func (l *Local) swap() (closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken, l.waiting, l.spare = l.waiting, l.spare, l.waiting[:0]
	if cap(l.spare) > 8*maxBatch { // of a rush that is over
		l.spare = nil
	}
	l.inHand = len(l.taken)
	return l.closed
}

// settle counts out what has been taken into a transaction.
func (l *Local) settle(batch []waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inHand -= len(batch)
	for i := range batch {
		l.bytes -= batch[i].bytes()
	}
}

func (l *Local) queued() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) + l.inHand
}

// failBehind answers what the members of a failed batch have appended behind it: an event must not be stored when an
// earlier one of the same sender was not. Whoever has been answered by now sends everything again, in order.
func (l *Local) failBehind(batch []waiter, err error) {
	failed := make(map[protocol.MemberID]bool)
	for i := range batch {
		failed[batch[i].event.Member] = true
	}
	var behind []waiter
	without := func(waiters []waiter) []waiter {
		return slices.DeleteFunc(waiters, func(w waiter) bool {
			if failed[w.event.Member] {
				behind = append(behind, w)
			}
			return failed[w.event.Member]
		})
	}
	l.taken = without(l.taken)
	l.mu.Lock()
	l.waiting = without(l.waiting)
	l.inHand = len(l.taken)
	for i := range behind {
		l.bytes -= behind[i].bytes()
	}
	l.mu.Unlock()
	l.unavailable(behind, err)
}

// unavailable answers a batch that was not stored, as far as we know.
func (l *Local) unavailable(batch []waiter, err error) {
	for i := range batch {
		l.answer(&batch[i], receipt(&batch[i].event, false), fmt.Errorf("%w: %w", ErrUnavailable, err), resultUnavailable)
	}
}

// commit applies one batch, answers it and tells the followers.
func (l *Local) commit(batch []waiter) error {
	l.settle(batch)
	began := time.Now()
	defer func() { l.took = time.Since(began) }()
	l.spoil(batch)
	events := make([]protocol.Event, len(batch))
	for i := range batch {
		events[i] = batch[i].event
	}
	l.storing.Store(true)
	results, err := l.store.Apply(context.Background(), events) // not to be given up: somebody waits for every answer
	l.storing.Store(false)
	l.metrics.batch.Observe(float64(len(batch)))
	l.note(err)
	if err != nil {
		l.unavailable(batch, err)
		return err // if it was stored all the same, followers hear of it with the next batch, or not if the file is lost
	}
	stored := events[:0]
	for i := range results {
		res := &results[i]
		switch {
		case res.Err != nil:
			l.answer(&batch[i], receipt(&batch[i].event, false), res.Err, resultRefused)
		case res.Duplicate:
			first := receipt(&res.Event, true)
			first.ID = batch[i].event.ID // what was done before by another event is answered like a retry, too
			l.answer(&batch[i], first, nil, resultDuplicate)
		default:
			l.answer(&batch[i], receipt(&res.Event, false), nil, resultStored)
			stored = append(stored, res.Event)
		}
	}
	l.tell(stored)
	return nil
}

func (l *Local) answer(w *waiter, r protocol.Receipt, err error, result string) {
	l.metrics.observe(result, w.since)
	w.done(r, err)
}

func receipt(e *protocol.Event, duplicate bool) protocol.Receipt {
	return protocol.Receipt{Room: e.Room, ID: e.ID, Seq: e.Seq, Duplicate: duplicate}
}

// note logs why appends fail, once per reason, and when they succeed again.
func (l *Local) note(err error) {
	switch {
	case err == nil && l.failed != "":
		l.failed = ""
		l.log.Info("events are stored again")
	case err != nil && err.Error() != l.failed:
		l.failed = err.Error()
		l.log.Error("events are not stored", zap.Error(err))
	}
}
