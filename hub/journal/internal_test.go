package journal

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"govor/hub/protocol"
	"govor/hub/store"
)

type rig struct {
	*Local
	store *store.Store
	reg   *prometheus.Registry
	logs  *observer.ObservedLogs
}

func newRig(t *testing.T) *rig {
	t.Helper()
	s, err := store.Open(t.TempDir(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	r := &rig{store: s, reg: prometheus.NewRegistry(), logs: logs}
	r.Local = NewLocal(s, zap.New(core), r.reg)
	t.Cleanup(func() {
		_ = r.Local.Close()
		_ = s.Close()
	})
	e := protocol.Event{Room: protocol.RoomServer, Kind: protocol.KindRoom, V: 1, ID: "open", At: 1, Body: `{"name":"lobby","kind":"public"}`}
	if _, err := Wait(t.Context(), r, e); err != nil {
		t.Fatal(err)
	}
	return r
}

func text(id, body string) protocol.Event {
	return protocol.Event{
		Room: "lobby", Kind: protocol.KindMessage, V: 1, ID: id, Member: protocol.MemberID{1}, Name: "Иван", NameKey: "иван", At: 1, Body: body,
	}
}

// hold keeps the journal's goroutine in a done until the function it returns is called.
func (r *rig) hold(t *testing.T) (release func()) {
	t.Helper()
	held, gate := make(chan struct{}), make(chan struct{})
	r.Append(text("held", ""), func(protocol.Receipt, error) {
		close(held)
		<-gate
	})
	<-held
	return sync.OnceFunc(func() { close(gate) })
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	r := newRig(t)
	release := r.hold(t)
	defer release()
	big := strings.Repeat("x", 1<<20-eventBytes)
	answers := make(chan error, 100)
	for i := range 16 {
		r.Append(text(fmt.Sprint("fits", i), big), func(_ protocol.Receipt, err error) { answers <- err })
	}
	if n := r.queued(); n != 16 {
		t.Errorf("%d events wait", n)
	}
	refused := make(chan error, 1)
	r.Append(text("over", "x"), func(_ protocol.Receipt, err error) { refused <- err })
	if err := <-refused; !errors.Is(err, ErrUnavailable) { // although the journal's goroutine is held
		t.Errorf("over the bound: %v", err)
	}
	release()
	for range 16 {
		if err := <-answers; err != nil {
			t.Errorf("within the bound: %v", err)
		}
	}
	if _, err := Wait(t.Context(), r, text("later", "x")); err != nil {
		t.Errorf("later: %v", err)
	}
	if n := r.queued(); n != 0 || r.bytes != 0 {
		t.Errorf("%d events and %d bytes are left", n, r.bytes)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	r := newRig(t)
	release := r.hold(t)
	var all sync.WaitGroup
	all.Add(2500)
	for i := range 2500 {
		r.Append(text(fmt.Sprint(i), "x"), func(protocol.Receipt, error) { all.Done() })
	}
	release()
	all.Wait()
	h := r.metric(t, "chat_append_batch_events")[0].GetHistogram()
	if h.GetSampleCount() != 5 || h.GetSampleSum() != 2502 { // the room, the held one, and 1024 + 1024 + 452
		t.Errorf("%d batches of %v events", h.GetSampleCount(), h.GetSampleSum())
	}
}

// A follower that does not take what is delivered is not waited for, and keeps no more than its bound in memory.
func TestSlowFollowerIsFedFromTheStore(t *testing.T) {
	r := newRig(t)
	entered, gate := make(chan struct{}, 1), make(chan struct{})
	var got []protocol.Event
	done := make(chan error, 1)
	go func() {
		done <- r.Follow(t.Context(), 0, func(batch []protocol.Event) {
			select {
			case entered <- struct{}{}:
			default:
			}
			<-gate
			got = append(got, batch...)
		})
	}()
	<-entered
	body := strings.Repeat("x", 64<<10)
	n := 2*followerBytes/len(body) + 10
	for i := range n {
		if _, err := Wait(t.Context(), r, text(fmt.Sprint(i), body)); err != nil {
			t.Fatal(err)
		}
	}
	r.mu.Lock()
	for f := range r.followers {
		if f.mu.Lock(); f.bytes > followerBytes || !f.lost {
			t.Errorf("the follower keeps %d bytes, lost: %v", f.bytes, f.lost)
		}
		f.mu.Unlock()
	}
	r.mu.Unlock()
	close(gate)
	if _, err := Wait(t.Context(), r, text("last", "x")); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("Follow = %v", err)
	}
	if len(got) != n+2 {
		t.Fatalf("%d of %d events came", len(got), n+2)
	}
	for i, e := range got {
		if e.Pos != int64(i+1) {
			t.Fatalf("event %d is at %d", i+1, e.Pos)
		}
	}
}

// What is committed between two steps of joining comes once, whichever step it falls behind.
func TestDeliverAll(t *testing.T) {
	at := func(from, to int64) (batch []protocol.Event) {
		for pos := from; pos <= to; pos++ {
			batch = append(batch, protocol.Event{Pos: pos})
		}
		return batch
	}
	for _, c := range []struct {
		name    string
		batches [][]protocol.Event
		after   store.Position
		gap     bool
	}{
		{"next", [][]protocol.Event{at(6, 8), at(9, 9)}, 9, false},
		{"read from the store already", [][]protocol.Event{at(1, 3), at(4, 5)}, 5, false},
		{"partly read", [][]protocol.Event{at(4, 7)}, 7, false},
		{"missing at the beginning", [][]protocol.Event{at(7, 8)}, 5, true},
		{"missing in between", [][]protocol.Event{at(5, 6), at(8, 8)}, 6, true},
		{"nothing", nil, 5, false},
	} {
		next := int64(6)
		after, gap := deliverAll(t.Context(), 5, c.batches, func(batch []protocol.Event) {
			for _, e := range batch {
				if e.Pos != next {
					t.Errorf("%s: event %d delivered, want %d", c.name, e.Pos, next)
				}
				next++
			}
		})
		if after != c.after || gap != c.gap || next != int64(c.after)+1 {
			t.Errorf("%s: after %d, gap %v", c.name, after, gap)
		}
	}
}

// A commit that seemed to fail may have happened: its retry is a duplicate, and followers get it all the same, once.
func TestCommitThatSeemedToFail(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("open files cannot be moved here")
	}
	r := newRig(t)
	var got []string
	done, begun := make(chan error, 1), make(chan struct{}, 10)
	go func() {
		done <- r.Follow(t.Context(), 0, func(batch []protocol.Event) {
			for _, e := range batch {
				got = append(got, e.ID)
			}
			begun <- struct{}{}
		})
	}()
	<-begun // it has a connection now
	path := r.store.Path()
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := Wait(t.Context(), r, text("a", "x")); !errors.Is(err, ErrUnavailable) || !errors.Is(err, store.ErrReplaced) {
			t.Errorf("Append = %v", err)
		}
	}
	if n := r.logs.FilterMessage("events are not stored").Len(); n != 1 {
		t.Errorf("the cause was logged %d times", n)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	rec, err := Wait(t.Context(), r, text("a", "x"))
	if err != nil { // it was so quick that it failed with what waited behind the last failure
		rec, err = Wait(t.Context(), r, text("a", "x"))
	}
	if err != nil || !rec.Duplicate || rec.Seq != 1 {
		t.Errorf("retry = %+v, %v", rec, err)
	}
	if rec, err := Wait(t.Context(), r, text("b", "x")); err != nil || rec.Duplicate || rec.Seq != 2 {
		t.Errorf("next = %+v, %v", rec, err)
	}
	if n := r.logs.FilterMessage("events are stored again").Len(); n != 1 {
		t.Errorf("the end was logged %d times", n)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || fmt.Sprint(got) != "[open a b]" {
		t.Errorf("followed %v, %v", got, err)
	}
}

// What a sender appended behind an event that failed fails too, although the file is good again by then: stored after a
// retry of the first one, it would be out of order.
func TestWhatWaitsBehindAFailureFailsToo(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("open files cannot be moved here")
	}
	r := newRig(t)
	release := r.hold(t)
	path := r.store.Path()
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	const events = 3 * maxBatch
	answers := make(chan error, events)
	mend := sync.OnceFunc(func() {
		if err := os.Rename(path+".away", path); err != nil {
			t.Error(err)
		}
	})
	for i := range events {
		r.Append(text(fmt.Sprint(i), "x"), func(_ protocol.Receipt, err error) {
			mend()
			answers <- err
		})
	}
	release()
	for i := range events {
		if err := <-answers; !errors.Is(err, ErrUnavailable) {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	later := text("later", "x")
	later.Member = protocol.MemberID{2} // who had nothing waiting is not touched
	if _, err := Wait(t.Context(), r, later); err != nil {
		t.Errorf("later: %v", err)
	}
}

func TestClosedStoreIsUnavailable(t *testing.T) {
	r := newRig(t)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Wait(t.Context(), r, text("a", "x")); !errors.Is(err, ErrUnavailable) || !errors.Is(err, store.ErrClosed) {
		t.Errorf("Append = %v", err)
	}
	if err := r.Follow(t.Context(), 0, func([]protocol.Event) {}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Follow = %v", err)
	}
}

func (r *rig) metric(t *testing.T, name string) []*dto.Metric {
	t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return nil
}

func TestMetrics(t *testing.T) {
	r := newRig(t)
	for _, e := range []protocol.Event{text("a", "x"), text("a", "x"), text("a", "y"), text("b", "x")} {
		_, _ = Wait(t.Context(), r, e)
	}
	want := map[string]uint64{"stored": 3, "duplicate": 1, "refused": 1, "unavailable": 0}
	for _, m := range r.metric(t, "chat_append_duration_seconds") {
		result := m.GetLabel()[0].GetValue()
		if got := m.GetHistogram().GetSampleCount(); got != want[result] {
			t.Errorf("%s: %d, want %d", result, got, want[result])
		}
		delete(want, result)
	}
	if len(want) != 0 {
		t.Errorf("missing: %v", want)
	}
	if v := r.metric(t, "chat_journal_queue_events")[0].GetGauge().GetValue(); v != 0 {
		t.Errorf("queue = %v", v)
	}
	r.metric(t, "chat_store_checkpoint_duration_seconds")
	for deadline := time.Now().Add(10 * time.Second); r.metric(t, "chat_store_wal_bytes")[0].GetGauge().GetValue() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nobody looked at the log")
		}
		runtime.Gosched()
	}
}

func TestStoringIsWhileATransactionIsUnderWay(t *testing.T) {
	r := newRig(t)
	for n, seen := 0, false; !seen; n++ {
		if n == 1000 {
			t.Fatal("of 1000 transactions none was seen")
		}
		answered := make(chan error, 1)
		r.Append(text(fmt.Sprint("storing ", n), "x"), func(_ protocol.Receipt, err error) {
			if r.Storing() {
				t.Error("still storing when it is answered")
			}
			answered <- err
		})
		for done := false; !done; {
			select {
			case err := <-answered:
				if done = true; err != nil {
					t.Fatal(err)
				}
			default:
				seen = seen || r.Storing()
				runtime.Gosched()
			}
		}
	}
}
