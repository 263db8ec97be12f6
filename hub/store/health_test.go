package store

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/protocol"
)

// ten are ten messages into the lobby, with ids that begin with n.
func ten(n int) []protocol.Event {
	var batch []protocol.Event
	for i := range 10 {
		batch = append(batch, message("lobby", fmt.Sprintf("%d-%d", n, i), 1, "раз"))
	}
	return batch
}

func TestReplacedFileIsUnavailable(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("open files cannot be moved here")
	}
	for what, replace := range map[string]func(t *testing.T, path string){
		"deleted": func(t *testing.T, path string) {
			t.Helper()
			remove(t, path)
		},
		"moved away and another put there": func(t *testing.T, path string) {
			t.Helper()
			rename(t, path, path+".old")
			if err := create(path); err != nil {
				t.Fatal(err)
			}
		},
		"log deleted": func(t *testing.T, path string) {
			t.Helper()
			remove(t, path+"-wal")
		},
		"directory moved": func(t *testing.T, path string) {
			t.Helper()
			rename(t, strings.TrimSuffix(path, "/"+fileName), t.TempDir()+"/moved")
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := newStore(t)
			apply(t, s, ten(1)...)
			if err := s.Writable(t.Context()); err != nil {
				t.Fatalf("Writable = %v", err)
			}
			replace(t, s.path)
			if err := s.Writable(t.Context()); !errors.Is(err, ErrReplaced) {
				t.Errorf("Writable = %v", err)
			}
			for n := range 2 {
				if _, err := s.Apply(t.Context(), ten(n+2)); !errors.Is(err, ErrReplaced) {
					t.Errorf("Apply = %v", err)
				}
			}
			if err := s.Writable(t.Context()); !errors.Is(err, ErrReplaced) {
				t.Errorf("Writable after a failed append = %v", err)
			}
		})
	}
}

func TestFileThatComesBack(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("open files cannot be moved here")
	}
	s := newStore(t)
	apply(t, s, ten(1)...)
	rename(t, s.path, s.path+".away")
	if _, err := s.Apply(t.Context(), ten(2)); !errors.Is(err, ErrReplaced) {
		t.Fatalf("Apply = %v", err)
	}
	s.suspect(sqlite.ResultIOErrFsync.ToError()) // nor is another file opened instead
	if _, err := s.Apply(t.Context(), ten(2)); !errors.Is(err, ErrReplaced) {
		t.Fatalf("Apply = %v", err)
	}
	rename(t, s.path+".away", s.path)
	if err := s.Writable(t.Context()); err != nil {
		t.Errorf("Writable = %v", err)
	}
	apply(t, s, append(ten(2), ten(3)...)...)
	if r, _ := s.Room("lobby"); r.Last != 30 {
		t.Errorf("Last = %d", r.Last)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestFullDiskIsOverWhenThereIsRoom(t *testing.T) {
	s := newStore(t)
	apply(t, s, ten(1)...)
	before, conn := digest(t, s), s.w.conn
	limit := func(pages int) {
		t.Helper()
		if err := sqlitex.ExecuteTransient(conn, fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // no more than there are
	big := message("lobby", "big", 1, strings.Repeat("x", 100_000))
	if _, err := s.Apply(t.Context(), []protocol.Event{big}); sqlite.ErrCode(err).ToPrimary() != sqlite.ResultFull {
		t.Fatalf("Apply = %v", err)
	}
	if digest(t, s) != before {
		t.Error("something was stored")
	}
	limit(1_000_000)
	if err := s.Writable(t.Context()); err != nil {
		t.Errorf("Writable = %v", err)
	}
	if r := apply(t, s, big)[0]; r.Err != nil || r.Duplicate || r.Event.Seq != 11 {
		t.Errorf("the message = %+v", r)
	}
	if s.w.conn != conn {
		t.Error("connections were opened again, although nothing was in doubt")
	}
}

func TestConnectionsAreOpenedAgainAfterAnIOError(t *testing.T) {
	s := newStore(t)
	apply(t, s, ten(1)...)
	if _, err := s.Page(t.Context(), "lobby", 0, 5); err != nil {
		t.Fatal(err)
	}
	before := s.w.conn
	s.suspect(sqlite.ResultIOErrFsync.ToError())
	apply(t, s, ten(2)...)
	if s.w.conn == before {
		t.Error("the writer's connection is the old one")
	}
	before = s.w.conn
	s.suspect(sqlite.ResultIOErrRead.ToError())
	if err := s.Writable(t.Context()); err != nil || s.w.conn == before {
		t.Errorf("Writable = %v, the connection is the old one: %v", err, s.w.conn == before)
	}
	if events, err := s.Page(t.Context(), "lobby", 0, 100); err != nil || len(events) != 20 {
		t.Errorf("Page = %d events, %v", len(events), err)
	}
}

func TestFileThatWentBackIsNotWrittenTo(t *testing.T) {
	s := newStore(t)
	apply(t, s, ten(1)...)
	s.position.Add(1) // as if one more had been acknowledged
	s.suspect(sqlite.ResultIOErrFsync.ToError())
	if _, err := s.Apply(t.Context(), ten(2)); !errors.Is(err, ErrCorrupted) {
		t.Errorf("Apply = %v", err)
	}
	if err := s.Writable(t.Context()); !errors.Is(err, ErrCorrupted) {
		t.Errorf("Writable = %v", err)
	}
	if events, err := s.Page(t.Context(), "lobby", 0, 100); err != nil || len(events) != 10 {
		t.Errorf("Page = %d events, %v", len(events), err)
	}
}
