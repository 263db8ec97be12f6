package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"govor/hub/protocol"
)

func deletion(room, id string, n int, target int64) protocol.Event {
	e := message(room, id, n, "")
	e.Kind, e.Target, e.At = protocol.KindDeletion, target, start+2000
	return e
}

// eventually waits for what another goroutine of the store does.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// found lists where in the files under dir one of the words is. Another process looks: closing a descriptor of the
// database in this one would drop SQLite's locks.
func found(t *testing.T, dir string, words ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "grep", "-raobF", "-f", "-", dir)
	cmd.Stdin = strings.NewReader(strings.Join(words, "\n") + "\n")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: none
		t.Fatalf("grep: %v", err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}

// Pages are written, filled, emptied, merged and split: nothing of what was erased may stay in a corner of one. So it is with
// what was edited here and there, and when a disk that was full is tried.
func TestErasedTextIsInNoFile(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	var words [][]string // of each message: its own, and those of its edits
	var there []int      // messages
	var erased []string
	deleted := 0
	random := func() string { return fmt.Sprintf("%08x.", dice.Uint32()) }
	filled := func(word string) string { return word + strings.Repeat(" .", dice.IntN(400)) + word }
	for range 12 {
		var batch []protocol.Event
		for range 200 {
			word := fmt.Sprintf("canary-%d-", len(words)) + random()
			there = append(there, len(words))
			words = append(words, []string{word})
			text := filled(word)
			if dice.IntN(40) == 0 { // on pages of its own
				text += strings.Repeat(word, 500)
			}
			batch = append(batch, message("lobby", fmt.Sprint("m", len(words)-1), 1, text))
		}
		apply(t, s, batch...)
		batch = nil
		dice.Shuffle(len(there), func(i, j int) { there[i], there[j] = there[j], there[i] })
		numbers := numbersOf(t, s)
		for _, i := range there[len(there)-130:] {
			word := fmt.Sprintf("canary-%d-edited-", i) + random()
			words[i] = append(words[i], word)
			batch = append(batch, editing("lobby", fmt.Sprint("e", i, "-", len(words[i])), 1, numbers[fmt.Sprint("m", i)], filled(word)))
		}
		dice.Shuffle(len(there), func(i, j int) { there[i], there[j] = there[j], there[i] })
		for _, i := range there[:160] {
			erased = append(erased, words[i]...)
			deleted++
			batch = append(batch, deletion("lobby", fmt.Sprint("d", i), 1, numbers[fmt.Sprint("m", i)]))
		}
		there = there[160:]
		for _, r := range apply(t, s, batch...) {
			if r.Err != nil || r.Duplicate {
				t.Fatalf("a change = %+v", r)
			}
		}
		if err := s.tryWrite(); err != nil {
			t.Fatal(err)
		}
	}
	// The checkpointer may cut the log at any moment, on a machine where all this takes seconds.
	for try := 0; len(found(t, s.dir, erased[len(erased)-1])) == 0; try++ {
		if try == 20 {
			t.Fatal("the log never holds what was erased: this test tests nothing")
		}
		id := fmt.Sprint("again", try)
		said := apply(t, s, message("lobby", id, 1, "canary-"+id))[0]
		apply(t, s, deletion("lobby", "d"+id, 1, said.Event.Seq))
		erased = append(erased, "canary-"+id)
		deleted++
	}
	if done, err := s.checkpoints.cut(t.Context()); !done || err != nil { // the checkpointer does it by itself, later
		t.Fatal(done, err)
	}
	if f := found(t, s.dir, erased...); len(f) > 0 {
		t.Errorf("%d of %d are still there: %v", len(f), len(erased), f[:min(4, len(f))])
	}
	for _, i := range there {
		for _, word := range words[i] {
			if len(found(t, s.dir, word)) == 0 {
				t.Fatalf("%s is gone and was not erased", word)
			}
		}
	}
	list, err := readSkeletons(s.dir)
	if err != nil || len(list) != deleted {
		t.Errorf("%d erasures are listed (%v), want %d", len(list), err, deleted)
	}
}

// numbersOf maps ids to numbers in the lobby.
func numbersOf(t *testing.T, s *Store) map[string]int64 {
	t.Helper()
	events, err := s.Page(t.Context(), "lobby", 0, maxRows)
	if err != nil {
		t.Fatal(err)
	}
	numbers := make(map[string]int64)
	for _, e := range events {
		numbers[e.ID] = e.Seq
	}
	return numbers
}

func TestDeletion(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "раз"), message("lobby", "b", 2, "два"), message("lobby", "c", 1, "три"))
	script(t, s, `INSERT INTO events SELECT pos + 3, room, seq + 3, member, 'edit', 'edit', v, 1, 0, at, 'РАЗ', '' FROM events WHERE id = 'a';
		INSERT INTO new_numbers SELECT room, seq, pos FROM events WHERE id = 'edit';
		INSERT INTO folds (pos, changed, by) SELECT pos, 4, pos + 3 FROM events WHERE id = 'a';
		UPDATE rooms SET last = 4 WHERE name = 'lobby'; UPDATE state SET position = 6`)
	s = again(t, s)

	r := apply(t, s, deletion("lobby", "d", 1, 1))[0]
	e := r.Event
	if r.Err != nil || r.Duplicate || e.Seq != 5 || e.Ordinal != 0 || e.Taken != "РАЗ" || e.Of == nil || !e.Of.Erased || e.Of.Body != "" ||
		e.Of.Changed != 5 || e.Of.ID != "a" || e.Of.Seq != 1 {
		t.Fatalf("deletion = %+v of %+v", r, e.Of)
	}
	if room, _ := s.Room("lobby"); room.Changed != 5 || room.Last != 5 || room.Messages != 3 {
		t.Errorf("Room = %+v", room)
	}
	events, err := s.Events(t.Context(), "lobby", 0, 9, 100)
	if err != nil || len(events) != 5 {
		t.Fatalf("Events = %+v, %v", events, err)
	}
	if m := events[0]; !m.Erased || m.Body != "" || m.Changed != 5 {
		t.Errorf("the message = %+v", m)
	}
	if edit := events[3]; edit.Body != "" {
		t.Errorf("the edit = %+v", edit)
	}
	if d := events[4]; d.Kind != protocol.KindDeletion || d.Target != 1 || d.Of == nil || *d.Of != events[0] || d.Taken != "" {
		t.Errorf("the deletion = %+v of %+v", d, d.Of)
	}
	for what, retry := range map[string]protocol.Event{
		"the same id":                 deletion("lobby", "d", 1, 1),
		"again":                       deletion("lobby", "d2", 1, 1),
		"the message":                 message("lobby", "a", 1, "раз"),
		"the message, whatever it is": message("lobby", "a", 1, "что-то"),
	} {
		want := int64(5)
		if retry.Kind == protocol.KindMessage {
			want = 1
		}
		if r := apply(t, s, retry)[0]; r.Err != nil || !r.Duplicate || r.Event.Seq != want {
			t.Errorf("%s = %+v", what, r)
		}
	}
	refused(t, s, deletion("lobby", "d", 1, 3), protocol.CodeIDReused)
	refused(t, s, deletion("lobby", "x1", 1, 2), protocol.CodeNotYours)
	refused(t, s, deletion("lobby", "x2", 9, 2), protocol.CodeNotYours) // of a member that has said nothing
	refused(t, s, deletion("lobby", "x3", 1, 5), protocol.CodeNoTarget) // a deletion is no message
	refused(t, s, deletion("lobby", "x4", 1, 6), protocol.CodeNoTarget)
	refused(t, s, deletion("lobby", "x5", 1, 0), protocol.CodeNoTarget)
	refused(t, s, deletion("club", "x6", 1, 1), protocol.CodeNoTarget)
	refused(t, s, deletion("nowhere", "x7", 1, 1), protocol.CodeNoRoom)
	refused(t, s, deletion(protocol.RoomServer, "x8", 1, 1), protocol.CodeNoRoom)
	if s.Position() != 7 {
		t.Errorf("Position = %d, want 7: a refusal stores nothing", s.Position())
	}
}

func TestDeletionInOneBatchWithItsMessage(t *testing.T) {
	s := newStore(t)
	r := apply(t, s, message("lobby", "a", 1, "раз"), deletion("lobby", "d", 1, 1), deletion("lobby", "d2", 1, 1), message("lobby", "b", 1, "два"))
	if r[1].Err != nil || r[1].Event.Seq != 2 || !r[2].Duplicate || r[2].Event.Seq != 2 || r[3].Event.Seq != 3 || r[3].Event.Ordinal != 2 {
		t.Errorf("results = %+v", r)
	}
}

// The program may die between the commit and the line in erased.jsonl, and in the middle of the line.
func TestListOfErasuresIsCompletedAtOpen(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "раз"), message("lobby", "b", 1, "два"), message("lobby", "c", 1, "три"))
	apply(t, s, deletion("lobby", "da", 1, 1))
	apply(t, s, deletion("lobby", "db", 1, 2), deletion("lobby", "dc", 1, 3))
	path := filepath.Join(s.dir, skeletonsName)
	whole, err := os.ReadFile(path)
	if err != nil || bytes.Count(whole, []byte("\n")) != 3 || bytes.Contains(whole, []byte("раз")) {
		t.Fatalf("%s = %s, %v", skeletonsName, whole, err)
	}
	for _, left := range []int{0, 5, bytes.IndexByte(whole, '\n') + 1, len(whole) - 4, len(whole)} {
		if err := os.WriteFile(path, whole[:left], 0o600); err != nil {
			t.Fatal(err)
		}
		s = again(t, s)
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, whole) {
			t.Errorf("after %d bytes were left: %s, %v; want %s", left, got, err, whole)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	apply(t, s, message("lobby", "e", 1, "четыре"))
	again(t, s)
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("without the file: %s, %v", got, err)
	}
}

// A copy from before a migration holds the texts; once something is erased it is in the way.
func TestCopiesFromBeforeMigrationsGoWithTheFirstErasure(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	path := s.path + ".version-1"
	if err := os.WriteFile(path, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	apply(t, s, message("lobby", "a", 1, "раз"))
	if done, err := s.checkpoints.cut(t.Context()); !done || err != nil {
		t.Fatal(done, err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the copy is gone though nothing was erased: %v", err)
	}
	apply(t, s, deletion("lobby", "d", 1, 1))
	eventually(t, "the copy is gone", func() bool { _, err := os.Stat(path); return os.IsNotExist(err) })
}

func again(t *testing.T, s *Store) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return openAt(t, s.dir)
}
