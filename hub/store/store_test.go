package store

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/zap"

	"govor/hub/protocol"
)

const start = int64(1_700_000_000_000)

func openAt(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, zap.NewNop())
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return s
}

// newStore has the rooms lobby and club.
func newStore(t *testing.T) *Store {
	t.Helper()
	return twoRooms.open(t, func(s *Store) {
		for i, r := range apply(t, s, opening("lobby"), opening("club")) {
			if r.Err != nil || r.Duplicate || r.Event.Seq != int64(i+1) {
				t.Fatalf("opening a room = %+v", r)
			}
		}
	})
}

var twoRooms seed

// seed is a database with which many tests begin: it is made once, and each gets a copy.
type seed struct {
	once sync.Once
	file []byte
}

// open opens a copy of what fill makes of an empty store.
func (d *seed) open(t *testing.T, fill func(*Store)) *Store {
	t.Helper()
	d.once.Do(func() {
		dir := t.TempDir()
		s, err := Open(dir, zap.NewNop())
		if err != nil {
			t.Fatalf("Open = %v", err)
		}
		fill(s)
		if err := s.Close(); err != nil { // merges the log
			t.Fatalf("Close = %v", err)
		}
		if d.file, err = os.ReadFile(filepath.Join(dir, fileName)); err != nil {
			t.Fatal(err)
		}
	})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), d.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return openAt(t, dir)
}

func apply(t *testing.T, s *Store, batch ...protocol.Event) []Result {
	t.Helper()
	results, err := s.Apply(context.Background(), batch)
	if err != nil {
		t.Fatalf("Apply = %v", err)
	}
	return results
}

func body(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func opening(name string) protocol.Event {
	return protocol.Event{
		Room: protocol.RoomServer, Kind: protocol.KindRoom, V: 1, ID: "open-" + name, At: start,
		Body: body(protocol.RoomBody{Name: name, Kind: "public"}),
	}
}

// person is the n-th member of the tests.
func person(n int) protocol.MemberID { return protocol.MemberID{15: byte(n), 14: byte(n >> 8)} }

func message(room, id string, n int, text string) protocol.Event {
	name := fmt.Sprintf("Name%d", n)
	return protocol.Event{
		Room: room, Kind: protocol.KindMessage, V: 1, ID: id, Member: person(n), Name: name, NameKey: "name" + fmt.Sprint(n),
		At: start + 1000, Body: text,
	}
}

func claim(id string, n int, name, key string, at, until int64) protocol.Event {
	return protocol.Event{
		Room: protocol.RoomServer, Kind: protocol.KindMember, V: 1, ID: id, Member: person(n), Name: name, NameKey: key,
		At: at, Body: body(protocol.MemberBody{Until: until}),
	}
}

func TestMessagesAreNumberedAndReadBack(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	res := apply(t, s,
		message("lobby", "a", 1, "раз"), message("club", "a2", 1, "x"), message("lobby", "b", 2, "два\x00\n"), message("lobby", "c", 1, ""))
	for i, want := range []int64{1, 1, 2, 3} {
		if r := res[i]; r.Err != nil || r.Duplicate || r.Event.Seq != want || r.Event.Ordinal != want || r.Event.Pos != int64(i+3) {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	events, err := s.Events(ctx, "lobby", 0, 3, 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 3 || events[0] != res[0].Event || events[1] != res[2].Event || events[2] != res[3].Event {
		t.Errorf("Events = %+v", events)
	}
	r, ok := s.Room("lobby")
	if want := (Room{ID: 2, Name: "lobby", Kind: "public", First: 1, Last: 3, LastID: "c", Messages: 3}); !ok || r != want {
		t.Errorf("Room = %+v, want %+v", r, want)
	}
}
