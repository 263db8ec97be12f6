package journaltest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"govor/hub/journal"
	"govor/hub/protocol"
	"govor/hub/store"
)

// Followed is what a follower has been given. Follow starts it.
type Followed struct {
	ended chan error // has the error of Follow
	grown chan struct{}

	mu     sync.Mutex
	events []protocol.Event
}

// Follow starts a follower of j, which ends with ctx or with the journal. hook, which may be nil, is called after each
// batch, from the follower's goroutine.
func Follow(ctx context.Context, j journal.Journal, after store.Position, hook func([]protocol.Event)) *Followed {
	f := &Followed{ended: make(chan error, 1), grown: make(chan struct{}, 1)}
	go func() {
		f.ended <- j.Follow(ctx, after, func(batch []protocol.Event) {
			f.mu.Lock()
			f.events = append(f.events, batch...)
			f.mu.Unlock()
			select {
			case f.grown <- struct{}{}:
			default:
			}
			if hook != nil {
				hook(batch)
			}
		})
	}()
	return f
}

// Events is what has come so far.
func (f *Followed) Events() []protocol.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events[:len(f.events):len(f.events)]
}

// Until waits until n events have come.
func (f *Followed) Until(t *testing.T, n int) []protocol.Event {
	t.Helper()
	deadline := time.After(patience)
	for {
		if events := f.Events(); len(events) >= n {
			return events
		}
		select {
		case <-f.grown:
		case err := <-f.ended:
			t.Fatalf("Follow ended with %d of %d events: %v", len(f.Events()), n, err)
		case <-deadline:
			t.Fatalf("%d of %d events came", len(f.Events()), n)
		}
	}
}

// End waits for Follow to return and gives its error.
func (f *Followed) End(t *testing.T) error {
	t.Helper()
	select {
	case err := <-f.ended:
		return err
	case <-time.After(patience):
		t.Fatal("Follow has not ended")
		return nil
	}
}

// Check says whether events are exactly those of the store after a position: in order, none twice, none missed.
func Check(t *testing.T, s *store.Store, after store.Position, events []protocol.Event) {
	t.Helper()
	for i, e := range events {
		if want := int64(after) + int64(i) + 1; e.Pos != want {
			t.Fatalf("event %d is at position %d, want %d", i, e.Pos, want)
		}
	}
	for len(events) > 0 {
		want, err := s.Since(t.Context(), after, 1000)
		if err != nil || len(want) == 0 {
			t.Fatalf("Since(%d) = %d events, %v", after, len(want), err)
		}
		want = want[:min(len(want), len(events))]
		for i := range want {
			if events[i] != want[i] {
				t.Fatalf("event %+v, and in the store %+v", events[i], want[i])
			}
		}
		events, after = events[len(want):], after+store.Position(len(want))
	}
}

// appendAll appends n messages of several members into two rooms and waits for all answers.
func (t *trial) appendAll(prefix string, n int) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Add(n)
	for i := range n {
		e := Message([]string{"lobby", "club"}[i%2], fmt.Sprint(prefix, i), i%5, fmt.Sprint("text ", i))
		t.journal.Append(e, func(_ protocol.Receipt, err error) {
			if err != nil {
				t.Errorf("append %s: %v", e.ID, err)
			}
			wg.Done()
		})
	}
	wg.Wait()
}

func (t *trial) followFromAnywhere() {
	t.appendAll("a", 1500)
	end := t.store.Position()
	var followers []*Followed
	from := []store.Position{0, 1, 2, 700, end - 1, end}
	for _, after := range from {
		followers = append(followers, Follow(t.Context(), t.journal, after, nil))
	}
	t.appendAll("b", 500)
	for i, f := range followers {
		Check(t.T, t.store, from[i], f.Until(t.T, int(t.store.Position()-from[i])))
	}
}

func (t *trial) followWhileAppending() {
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for i := range 12 {
				t.appendAll(fmt.Sprint(n, "-", i, "-"), 40)
			}
		})
	}
	var followers []*Followed
	var from []store.Position
	for range 6 { // each begins at another moment
		f := Follow(t.Context(), t.journal, 0, nil)
		f.Until(t.T, len(followers)*120)
		followers, from = append(followers, f), append(from, 0)
		after := t.store.Position()
		followers, from = append(followers, Follow(t.Context(), t.journal, after, nil)), append(from, after)
	}
	wg.Wait()
	for i, f := range followers {
		Check(t.T, t.store, from[i], f.Until(t.T, int(t.store.Position()-from[i])))
	}
}

func (t *trial) followOnlyStored() {
	after := t.store.Position()
	f := Follow(t.Context(), t.journal, after, nil)
	for _, e := range []protocol.Event{
		Message("lobby", "a", 1, "text"), Message("lobby", "a", 1, "text"), Message("lobby", "a", 1, "another"),
		Message("nowhere", "b", 1, "text"), Message("lobby", "c", 1, "last"),
	} {
		_, err := t.wait(e)
		if pe := (*protocol.Error)(nil); err != nil && !errors.As(err, &pe) {
			t.Fatal(err)
		}
	}
	events := f.Until(t.T, 2)
	if len(events) != 2 || events[0].ID != "a" || events[1].ID != "c" || events[1].Seq != 2 {
		t.Errorf("followed %+v", events)
	}
}

func (t *trial) followEnds() {
	ctx, cancel := context.WithCancel(t.Context())
	idle := Follow(ctx, t.journal, 0, nil)
	idle.Until(t.T, 2)
	fromStore := Follow(ctx, t.journal, 0, func([]protocol.Event) { cancel() })
	for _, f := range []*Followed{idle, fromStore} {
		if err := f.End(t.T); err != nil {
			t.Errorf("Follow = %v", err)
		}
	}
	if n := len(fromStore.Events()); n > 2 {
		t.Errorf("%d events came after the end", n-2)
	}
}

func (t *trial) closeEndsFollow() {
	f := Follow(t.Context(), t.journal, 0, nil)
	f.Until(t.T, 2)
	const n = 2000
	for i := range n {
		t.journal.Append(Message("lobby", fmt.Sprint(i), i%5, "text"), func(protocol.Receipt, error) {})
	}
	if err := t.journal.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.End(t.T); err != nil {
		t.Errorf("Follow = %v", err)
	}
	if got := len(f.Events()); got != n+2 {
		t.Errorf("%d of %d events came before the end", got, n+2)
	}
	Check(t.T, t.store, 0, f.Events())
	late := Follow(t.Context(), t.journal, 1, nil) // after the end: what there is, and the end
	if err := late.End(t.T); err != nil || len(late.Events()) != n+1 {
		t.Errorf("following a closed journal: %d events, %v", len(late.Events()), err)
	}
}
