package hub

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"govor/hub/protocol"
	"govor/hub/store"
)

// How read marks reach the store.
const (
	marksInterval = 2 * time.Second // they are gathered for so long
	marksBatch    = 512             // in one transaction, for which an append may have to wait
	maxMarks      = 1 << 16         // members whose marks wait at most; of more, none are kept
	lastFlush     = 5 * time.Second // for what is left when the hub stops
)

// reads are the read marks that were set and are not in the store yet. Setting one is an entry in a map: nobody who
// sends waits for it. A crash loses those of the last marksInterval.
type reads struct {
	store *store.Store
	log   *zap.Logger
	wake  chan struct{} // capacity 1

	mu      sync.Mutex // guards the fields below; a leaf in the order of locks
	waiting memberMarks
	writing memberMarks // taken out of waiting, on their way into the store
}

type memberMarks map[protocol.MemberID]map[string]store.Mark

func newReads(s *store.Store, log *zap.Logger) *reads {
	return &reads{store: s, log: log, wake: make(chan struct{}, 1), waiting: memberMarks{}}
}

// set merges a mark with what is known of the member in the mark's room.
func (r *reads) set(m protocol.MemberID, mark store.Mark) {
	r.mu.Lock()
	r.setLocked(m, mark)
	r.mu.Unlock()
	signal(r.wake)
}

func (r *reads) setLocked(m protocol.MemberID, mark store.Mark) {
	marks := r.waiting[m]
	if marks == nil {
		if len(r.waiting) >= maxMarks {
			return
		}
		marks = map[string]store.Mark{}
		r.waiting[m] = marks
	}
	marks[mark.Room] = mark.Merge(marks[mark.Room])
}

// of are the marks of a member: what is in the store, and what will be.
func (r *reads) of(ctx context.Context, m protocol.MemberID) (map[string]store.Mark, error) {
	marks := map[string]store.Mark{}
	r.mu.Lock() // before the store is read: what is written meanwhile is there twice, and never missing
	for _, list := range []memberMarks{r.waiting, r.writing} {
		for room, mark := range list[m] {
			marks[room] = mark.Merge(marks[room])
		}
	}
	r.mu.Unlock()
	stored, err := r.store.Marks(ctx, m)
	for _, mark := range stored {
		marks[mark.Room] = mark.Merge(marks[mark.Room])
	}
	return marks, err
}

// run writes marks until ctx ends, and then what is left.
func (r *reads) run(ctx context.Context) {
	t := time.NewTicker(marksInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.Background(), lastFlush)
			r.flush(ctx)
			cancel()
			return
		case <-t.C:
		}
		select {
		case <-r.wake:
			r.flush(ctx)
		default:
		}
	}
}

// flush writes what waits. What cannot be written waits again.
func (r *reads) flush(ctx context.Context) {
	r.mu.Lock()
	r.writing, r.waiting = r.waiting, memberMarks{}
	var marks []store.MemberMark
	for m, rooms := range r.writing {
		for _, mark := range rooms {
			marks = append(marks, store.MemberMark{Member: m, Mark: mark})
		}
	}
	r.mu.Unlock()
	var err error
	for err == nil && len(marks) > 0 {
		n := min(len(marks), marksBatch)
		if err = r.store.MergeMarks(ctx, marks[:n]); err == nil {
			marks = marks[n:]
		}
	}
	r.mu.Lock()
	r.writing = nil
	for _, m := range marks {
		r.setLocked(m.Member, m.Mark)
	}
	r.mu.Unlock()
	if err != nil {
		r.log.Warn("read marks not stored yet", zap.Int("marks", len(marks)), zap.Error(err))
		signal(r.wake)
	}
}

// signal says something on a channel of capacity one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
