package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"govor/hub/protocol"
)

// crossing are messages that end a little after the numbers of the first ones have moved.
func crossing() (batch []protocol.Event) {
	for i := range newNumbers + 50 {
		room := []string{"lobby", "club"}[i%2]
		batch = append(batch, message(room, fmt.Sprintf("m%d", i), i%3+1, "раз"))
	}
	return batch
}

func TestNumbersMoveTogether(t *testing.T) {
	whole, cut := newStore(t), newStore(t)
	batch := crossing()
	apply(t, whole, batch...)
	for part := range slices.Chunk(batch, 77) {
		apply(t, cut, part...)
	}
	if digest(t, whole) != digest(t, cut) {
		t.Error("what a file holds depends on how the events were cut into batches")
	}
	for table, want := range map[string]int64{"numbers": newNumbers, "new_numbers": 52} {
		if n, err := queryInt(whole.w.conn, "SELECT count(*) FROM "+table); err != nil || n != want {
			t.Errorf("%d numbers in %s (%v), want %d", n, table, err, want)
		}
	}
	s := whole
	last := func() int64 { r, _ := s.Room("lobby"); return r.Last }()
	var all []int64
	for after := int64(0); after < last; {
		events, err := s.Events(t.Context(), "lobby", after, last, 333)
		if err != nil || len(events) == 0 {
			t.Fatalf("Events after %d = %d events, %v", after, len(events), err)
		}
		for _, e := range events {
			all = append(all, e.Seq)
		}
		after = all[len(all)-1]
	}
	for i, seq := range all {
		if seq != int64(i+1) {
			t.Fatalf("number %d is read at place %d", seq, i+1)
		}
	}
	// Pages backwards, over the place where the numbers have moved.
	before := int64(0)
	for next := last; next > last-120; {
		page, err := s.Page(t.Context(), "lobby", before, 20)
		if err != nil || len(page) != 20 {
			t.Fatalf("Page before %d = %d events, %v", before, len(page), err)
		}
		for _, e := range slices.Backward(page) {
			if e.Seq != next {
				t.Fatalf("number %d comes where %d should", e.Seq, next)
			}
			next--
		}
		before = page[0].Seq
	}
	for _, seq := range []int64{1, last - 60, last - 1} {
		if id, err := s.EventID(t.Context(), "lobby", seq); err != nil || id != fmt.Sprintf("m%d", 2*(seq-1)) {
			t.Errorf("EventID(%d) = %q, %v", seq, id, err)
		}
	}
}

// A number is found by a search of both tables, never by going through one of them, however the file has grown.
func TestNumbersAreSearched(t *testing.T) {
	s := newStore(t)
	for _, query := range []string{queryEvents, queryPage, queryNumber, queryID, queryLast, queryMentions} {
		stmt, _, err := s.w.conn.PrepareTransient("EXPLAIN QUERY PLAN " + query)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for {
			more, err := stmt.Step()
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			plan = append(plan, stmt.ColumnText(3))
		}
		_ = stmt.Finalize()
		for _, table := range []string{"numbers", "new_numbers"} {
			if !slices.ContainsFunc(plan, func(line string) bool {
				return strings.HasPrefix(line, "SEARCH "+table+" USING PRIMARY KEY (room=")
			}) {
				t.Errorf("%s\nis not looked for in %s: %q", query, table, plan)
			}
		}
		if all := strings.Join(plan, "; "); strings.Contains(all, "SCAN ") || strings.Contains(all, "TEMP B-TREE") {
			t.Errorf("%s\ngoes through everything: %q", query, plan)
		}
	}
}

// A file of version 7, whose events have an index of their numbers and whose folds have texts, becomes what it would be if
// it had never had them.
func TestMigrationOfNumbersAndTexts(t *testing.T) {
	s := newStore(t)
	apply(t, s, crossing()...)
	edit := message("lobby", "e", 1, "другое")
	edit.Kind, edit.Target = protocol.KindEdit, 1
	deletion := message("lobby", "d", 2, "")
	deletion.Kind, deletion.Target = protocol.KindDeletion, 3
	for _, r := range apply(t, s, edit, deletion) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	want := digest(t, s)
	script(t, s, `CREATE TABLE old (pos INTEGER PRIMARY KEY, room INTEGER NOT NULL, seq INTEGER NOT NULL, member INTEGER NOT NULL,
			id TEXT NOT NULL, kind TEXT NOT NULL, v INTEGER NOT NULL, target INTEGER NOT NULL, ordinal INTEGER NOT NULL, at INTEGER NOT NULL,
			body TEXT NOT NULL, mentions TEXT NOT NULL DEFAULT '', UNIQUE (room, seq), UNIQUE (id, member)) STRICT;
		INSERT INTO old SELECT * FROM events;
		DROP VIEW numbered; DROP TABLE numbers; DROP TABLE new_numbers; DROP TABLE events; DROP TABLE probes;
		ALTER TABLE folds DROP COLUMN by; ALTER TABLE folds ADD COLUMN body TEXT;
		UPDATE folds SET body = (SELECT body FROM old WHERE kind = 'edit') WHERE erased = 0;
		ALTER TABLE old RENAME TO events; CREATE INDEX targets ON events (room, target) WHERE target > 0;
		PRAGMA user_version = 7`)
	s = again(t, s)
	if digest(t, s) != want {
		t.Error("the migrated file is another one")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sound(t, s.dir)
}
