// Package journaltest is the suite that every implementation of journal.Journal passes.
package journaltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"govor/hub/journal"
	"govor/hub/protocol"
	"govor/hub/store"
)

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

// Run tests a kind of journal. newJournal makes one that runs, in front of an empty store, and cleans up after t;
// closing a journal twice must be allowed.
func Run(t *testing.T, newJournal func(t *testing.T) (journal.Journal, *store.Store)) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*trial)
	}{
		{"AppendedIsStored", (*trial).appendedIsStored},
		{"OrderOfOneGoroutineIsKept", (*trial).orderIsKept},
		{"RetryGetsTheFirstReceipt", (*trial).retries},
		{"RefusalsAreDecidedByApply", (*trial).refusals},
		{"DoneIsCalledFromAnotherGoroutine", (*trial).doneElsewhere},
		{"WaitEndsWithItsContext", (*trial).waitEnds},
		{"FollowFromAnyPosition", (*trial).followFromAnywhere},
		{"FollowWhileAppending", (*trial).followWhileAppending},
		{"FollowGivesNoRetryAndNoRefusal", (*trial).followOnlyStored},
		{"FollowEndsWithItsContext", (*trial).followEnds},
		{"CloseAnswersEverybody", (*trial).closeAnswers},
		{"CloseEndsFollowAfterTheLastEvent", (*trial).closeEndsFollow},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, s := newJournal(t)
			tr := &trial{T: t, journal: j, store: s}
			tr.open("lobby")
			tr.open("club")
			c.test(tr)
		})
	}
}

// trial is one test of the suite.
type trial struct {
	*testing.T

	journal journal.Journal
	store   *store.Store
}

func (t *trial) open(name string) {
	t.Helper()
	body, err := json.Marshal(protocol.RoomBody{Name: name, Kind: "public"})
	if err != nil {
		t.Fatal(err)
	}
	e := protocol.Event{Room: protocol.RoomServer, Kind: protocol.KindRoom, V: 1, ID: "open-" + name, At: 1, Body: string(body)}
	if _, err := t.wait(e); err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
}

// Message is an event of the n-th member of a test.
func Message(room, id string, n int, text string) protocol.Event {
	name := fmt.Sprintf("name%d", n)
	return protocol.Event{
		Room: room, Kind: protocol.KindMessage, V: 1, ID: id, Member: protocol.MemberID{14: 1, 15: byte(n & 255)}, Name: name, NameKey: name,
		At: 1000, Body: text,
	}
}

func (t *trial) wait(e protocol.Event) (protocol.Receipt, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return journal.Wait(ctx, t.journal, e)
}

func (t *trial) appendedIsStored() {
	for i, want := range []int64{1, 2, 3} {
		id := fmt.Sprint("m", i)
		r, err := t.wait(Message("lobby", id, 1, id))
		if err != nil || r != (protocol.Receipt{Room: "lobby", ID: id, Seq: want}) {
			t.Errorf("receipt = %+v, %v", r, err)
		}
		if events, err := t.store.Events(t.Context(), "lobby", want-1, want, 1); err != nil || len(events) != 1 || events[0].ID != id {
			t.Errorf("the store has %+v, %v", events, err)
		}
	}
}

func (t *trial) orderIsKept() {
	const senders, each = 8, 200
	var answers, calls sync.WaitGroup
	seqs := make([][]int64, senders)
	for n := range senders {
		seqs[n] = make([]int64, each)
		answers.Add(each)
		calls.Go(func() {
			for i := range each {
				t.journal.Append(Message("lobby", fmt.Sprint(n, "-", i), n, "text"), func(r protocol.Receipt, err error) {
					if err != nil || seqs[n][i] != 0 {
						t.Errorf("answer to %d-%d: %+v, %v; before it %d", n, i, r, err, seqs[n][i])
					}
					seqs[n][i] = r.Seq
					answers.Done()
				})
			}
		})
	}
	calls.Wait()
	answers.Wait()
	var all []int64
	for n := range seqs {
		if !slices.IsSorted(seqs[n]) {
			t.Errorf("the numbers of sender %d are %v", n, seqs[n])
		}
		all = append(all, seqs[n]...)
	}
	slices.Sort(all)
	for i, seq := range all {
		if seq != int64(i+1) {
			t.Fatalf("number %d is missing or doubled", i+1)
		}
	}
	if r, _ := t.store.Room("lobby"); r.Last != senders*each {
		t.Errorf("the room's last number is %d", r.Last)
	}
}

func (t *trial) retries() {
	e := Message("lobby", "a", 1, "text")
	first, err := t.wait(e)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := t.wait(Message("lobby", "b", 1, "text")); err != nil {
		t.Fatal(err)
	}
	r, err := t.wait(e)
	first.Duplicate = true
	if err != nil || r != first {
		t.Errorf("retry = %+v, %v; want %+v", r, err, first)
	}
	if r, err := t.wait(Message("lobby", "a", 2, "text")); err != nil || r.Duplicate || r.Seq != 3 {
		t.Errorf("the same id of another member = %+v, %v", r, err)
	}
}

func (t *trial) refusals() {
	if _, err := t.wait(Message("lobby", "a", 1, "text")); err != nil {
		t.Fatal(err)
	}
	for code, e := range map[protocol.Code]protocol.Event{
		protocol.CodeIDReused: Message("lobby", "a", 1, "another text"),
		protocol.CodeNoRoom:   Message("nowhere", "b", 1, "text"),
	} {
		r, err := t.wait(e)
		var pe *protocol.Error
		if !errors.As(err, &pe) || pe.Code != code || pe.ID != e.ID || errors.Is(err, journal.ErrUnavailable) || r.Room != e.Room || r.ID != e.ID {
			t.Errorf("answer = %+v, %v; want %s", r, err, code)
		}
	}
	if r, err := t.wait(Message("lobby", "c", 1, "text")); err != nil || r.Seq != 2 {
		t.Errorf("after the refusals: %+v, %v", r, err)
	}
}

func (t *trial) doneElsewhere() {
	var mu sync.Mutex
	answered := make(chan error, 2)
	done := func(r protocol.Receipt, err error) {
		mu.Lock() // Append is called under it
		defer mu.Unlock()
		if r.Room != "lobby" || r.ID == "" {
			t.Errorf("the receipt does not say of what: %+v", r)
		}
		answered <- err
	}
	appendLocked := func(id string) {
		mu.Lock()
		defer mu.Unlock()
		t.journal.Append(Message("lobby", id, 1, "text"), done)
	}
	appendLocked("a")
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if err := t.journal.Close(); err != nil {
		t.Fatal(err)
	}
	appendLocked("b")
	if err := <-answered; !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("Append after Close = %v", err)
	}
}

func (t *trial) waitEnds() {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 100 { // whether the answer or the end is seen first is chance
		_, err := journal.Wait(ctx, t.journal, Message("lobby", fmt.Sprint(i), 1, "text"))
		if err != nil && (!errors.Is(err, journal.ErrUnavailable) || !errors.Is(err, context.Canceled)) {
			t.Errorf("Wait = %v", err)
		}
	}
}

func (t *trial) closeAnswers() {
	const n = 3000
	var stored, failed int // by the journal's goroutine; read after Close
	for i := range n {
		t.journal.Append(Message("lobby", fmt.Sprint(i), i%5, "text"), func(_ protocol.Receipt, err error) {
			if err == nil {
				stored++
			} else {
				failed++
			}
		})
	}
	if err := t.journal.Close(); err != nil {
		t.Fatal(err)
	}
	if r, _ := t.store.Room("lobby"); stored != n || failed != 0 || r.Last != n {
		t.Errorf("%d of %d stored, %d failed, the room has %d", stored, n, failed, r.Last)
	}
	if err := t.journal.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
}
