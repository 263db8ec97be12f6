package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// talk has ten messages m1 … m10 in the lobby, mixed with others in the club.
func talk(t *testing.T) *Store {
	t.Helper()
	s := newStore(t)
	for i := 1; i <= 10; i++ {
		apply(t, s, message("lobby", fmt.Sprint("m", i), i%3, fmt.Sprint("text ", i)), message("club", fmt.Sprint("c", i), i%3, "x"))
	}
	return s
}

func ids(events []protocol.Event) []string {
	var list []string
	for _, e := range events {
		list = append(list, e.ID)
	}
	return list
}

func TestReadsGiveWay(t *testing.T) {
	s := talk(t)
	rows := 0
	ctx := WithGiveWay(t.Context(), func() { rows++ })
	if events, err := s.Page(ctx, "lobby", 0, 4); err != nil || len(events) != 4 || rows != 4 {
		t.Errorf("a page of %d, %v, gave way %d times", len(events), err, rows)
	}
	if events, err := s.Events(ctx, "lobby", 0, 10, 3); err != nil || len(events) != 3 || rows != 7 {
		t.Errorf("%d events, %v, gave way %d times with the page", len(events), err, rows)
	}
}

func TestReadsAreBounded(t *testing.T) {
	s := talk(t)
	ctx := t.Context()
	events := func(room string, after, upto int64, limit int) func() ([]protocol.Event, error) {
		return func() ([]protocol.Event, error) { return s.Events(ctx, room, after, upto, limit) }
	}
	page := func(room string, before int64, limit int) func() ([]protocol.Event, error) {
		return func() ([]protocol.Event, error) { return s.Page(ctx, room, before, limit) }
	}
	for _, c := range []struct {
		name string
		read func() ([]protocol.Event, error)
		want []string
	}{
		{"events in the middle", events("lobby", 3, 6, 100), []string{"m4", "m5", "m6"}},
		{"events, limit", events("lobby", 3, 9, 2), []string{"m4", "m5"}},
		{"events beyond the end", events("lobby", 9, 100, 100), []string{"m10"}},
		{"no events", events("lobby", 10, 10, 100), nil},
		{"events, no limit", events("lobby", 0, 10, 0), nil},
		{"events of no room", events("nowhere", 0, 10, 10), nil},
		{"page at the end", page("lobby", 0, 3), []string{"m8", "m9", "m10"}},
		{"page before", page("lobby", 8, 3), []string{"m5", "m6", "m7"}},
		{"page at the beginning", page("lobby", 3, 5), []string{"m1", "m2"}},
		{"page before the beginning", page("lobby", 1, 5), nil},
		{"page of no room", page("nowhere", 0, 5), nil},
		{"since", func() ([]protocol.Event, error) { return s.Since(ctx, 3, 3) }, []string{"c1", "m2", "c2"}},
		{"since the end", func() ([]protocol.Event, error) { return s.Since(ctx, s.Position(), 3) }, nil},
	} {
		got, err := c.read()
		if err != nil || !slices.Equal(ids(got), c.want) {
			t.Errorf("%s = %v, %v; want %v", c.name, ids(got), err, c.want)
		}
	}
}

func TestSinceNamesRooms(t *testing.T) {
	s := talk(t)
	events, err := s.Since(t.Context(), 0, 100)
	if err != nil || len(events) != 22 {
		t.Fatalf("Since = %d events, %v", len(events), err)
	}
	for i, e := range events {
		want := map[string]string{"o": protocol.RoomServer, "m": "lobby", "c": "club"}[e.ID[:1]]
		if e.Room != want || e.Pos != int64(i+1) || e.RoomID == 0 {
			t.Errorf("event %d = %+v, want room %s", i, e, want)
		}
	}
}

func TestLastAndEventID(t *testing.T) {
	s := talk(t)
	// Something else than a message at number 9, as an edit will be: pages leave it out, events do not.
	script(t, s, "UPDATE events SET kind = 'edit', ordinal = 0 WHERE id = 'm9'; UPDATE rooms SET messages = 9 WHERE name = 'lobby'")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, s.dir)
	ctx := t.Context()
	for n, want := range map[int]int64{0: 10, 1: 9, 2: 7, 3: 6, 8: 1, 9: 0, 100: 0} {
		if after, err := s.Last(ctx, "lobby", n); err != nil || after != want {
			t.Errorf("Last(%d) = %d, %v; want %d", n, after, err, want)
		}
	}
	for n, want := range map[int]int64{0: 10, 1: 9, 4: 6, 10: 0, 11: 0} {
		if after, err := s.Last(ctx, "club", n); err != nil || after != want {
			t.Errorf("Last(%d) of messages only = %d, %v; want %d", n, after, err, want)
		}
	}
	if after, err := s.Last(ctx, "nowhere", 5); err != nil || after != 0 {
		t.Errorf("Last of no room = %d, %v", after, err)
	}
	if events, err := s.Page(ctx, "lobby", 0, 3); err != nil || !slices.Equal(ids(events), []string{"m7", "m8", "m10"}) {
		t.Errorf("Page = %v, %v", ids(events), err)
	}
	if events, err := s.Events(ctx, "lobby", 7, 10, 10); err != nil || !slices.Equal(ids(events), []string{"m8", "m9", "m10"}) {
		t.Errorf("Events = %v, %v", ids(events), err)
	}
	for seq, want := range map[int64]string{-1: "", 0: "", 1: "m1", 9: "m9", 10: "m10", 11: ""} {
		if id, err := s.EventID(ctx, "lobby", seq); err != nil || id != want {
			t.Errorf("EventID(%d) = %q, %v; want %q", seq, id, err, want)
		}
	}
	if id, err := s.EventID(ctx, "nowhere", 1); err != nil || id != "" {
		t.Errorf("EventID of no room = %q, %v", id, err)
	}
}

func TestHistoryShowsThePresentState(t *testing.T) {
	s := talk(t)
	for _, r := range apply(t, s, editing("lobby", "e", 1, 4, "new text"), deletion("lobby", "d", 2, 5)) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	script(t, s, "UPDATE events SET body = 'left over' WHERE id IN ('m5', 'd')")
	ctx := t.Context()
	for name, read := range map[string]func() ([]protocol.Event, error){
		"Events": func() ([]protocol.Event, error) { return s.Events(ctx, "lobby", 2, 5, 10) },
		"Page":   func() ([]protocol.Event, error) { return s.Page(ctx, "lobby", 6, 3) },
	} {
		events, err := read()
		if err != nil || len(events) != 3 {
			t.Fatalf("%s = %v, %v", name, ids(events), err)
		}
		if e := events[0]; e.Body != "text 3" || e.Changed != 0 || e.Erased {
			t.Errorf("%s: untouched = %+v", name, e)
		}
		if e := events[1]; e.Body != "new text" || e.Changed != 11 || e.Erased {
			t.Errorf("%s: edited = %+v", name, e)
		}
		if e := events[2]; e.Body != "" || e.Changed != 12 || !e.Erased {
			t.Errorf("%s: erased = %+v", name, e)
		}
	}
}

func TestRoomsAndPermission(t *testing.T) {
	s := talk(t)
	ctx := t.Context()
	rooms, err := s.Rooms(ctx)
	if err != nil || len(rooms) != 2 || rooms[0].Name != "club" || rooms[1].Name != "lobby" || rooms[1].Last != 10 {
		t.Errorf("Rooms = %+v, %v", rooms, err)
	}
	if _, ok := s.Room(protocol.RoomServer); !ok {
		t.Error("the server's room is unknown")
	}
	if _, ok := s.Room("nowhere"); ok {
		t.Error("a room that nobody opened is known")
	}
	for room, want := range map[string]bool{"lobby": true, "nowhere": true, protocol.RoomServer: false} {
		if may, err := s.MayRead(ctx, person(1), room); err != nil || may != want {
			t.Errorf("MayRead(%s) = %v, %v", room, may, err)
		}
	}
}

func TestReadersCannotWrite(t *testing.T) {
	s := newStore(t)
	err := s.readers.do(t.Context(), "UPDATE state SET position = 7", func(stmt *sqlite.Stmt) error {
		_, err := stmt.Step()
		return err
	})
	if sqlite.ErrCode(err).ToPrimary() != sqlite.ResultReadOnly {
		t.Errorf("writing with a reader = %v", err)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	s := newStore(t)
	free := s.readers.seize()
	defer free()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Page(ctx, "lobby", 0, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("Page = %v", err)
	}
}

func TestReadsBesideAppendsCheckpointsAndReopening(t *testing.T) {
	s := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for ctx.Err() == nil {
				r, _ := s.Room("lobby")
				events, err := s.Events(context.WithoutCancel(ctx), "lobby", max(r.Last-20, 0), r.Last, 50)
				if err != nil || len(events) != int(min(r.Last, 20)) {
					t.Errorf("Events = %d of %d, %v", len(events), r.Last, err)
					return
				}
			}
		})
	}
	for i := range 200 {
		apply(t, s, message("lobby", fmt.Sprint(i), i%5, "раз"))
		if i%20 == 0 {
			if _, err := s.checkpoints.checkpoint("PASSIVE"); err != nil {
				t.Error(err)
			}
		}
		if i%50 == 0 {
			s.suspect(sqlite.ResultIOErrFsync.ToError()) // the next append opens everything again
		}
	}
	cancel()
	wg.Wait()
	if r, _ := s.Room("lobby"); r.Last != 200 {
		t.Errorf("Last = %d", r.Last)
	}
}

func TestTheLogIsMerged(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	seen := make(chan time.Duration, 100)
	s.OnCheckpoint(func(d time.Duration) { seen <- d })
	text := string(make([]byte, 4000))
	var n int
	for len(seen) == 0 {
		batch := make([]protocol.Event, 500)
		for i := range batch {
			n++
			batch[i] = message("lobby", fmt.Sprint(n), 1, text)
		}
		apply(t, s, batch...)
		if n > 40_000 {
			t.Fatal("160 MB were written and never merged")
		}
	}
	if s.WALBytes() < passivePages*4096 {
		t.Errorf("WALBytes = %d", s.WALBytes())
	}
}

func TestRestartKeepsTheLogBounded(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "раз"))
	if err := s.checkpoints.restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, err := s.checkpoints.checkpoint("NOOP")
	if err != nil || before.pages != before.merged {
		t.Errorf("after a restart: %+v, %v", before, err)
	}
	apply(t, s, message("lobby", "b", 1, "два"))
	if after, err := s.checkpoints.checkpoint("NOOP"); err != nil || after.pages >= before.pages+2 || after.merged != 0 {
		t.Errorf("the log was not begun anew: %+v after %+v, %v", after, before, err)
	}
}
