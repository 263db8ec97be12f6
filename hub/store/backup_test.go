package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/protocol"
)

// talked has two rooms, forty messages and a deletion in its directory, and no connection to it: this process must not
// open the files of a store that is open in it.
func talked(t *testing.T) (dir string) {
	t.Helper()
	s := newStore(t)
	for i := range 20 {
		apply(t, s, message("lobby", fmt.Sprintf("l%d", i), 1+i%3, fmt.Sprintf("text %d of the lobby\nline", i)),
			message("club", fmt.Sprintf("c%d", i), 1+i%3, fmt.Sprintf("text %d <of> the club", i)))
	}
	apply(t, s, deletion("club", "d", 2, 2), editing("lobby", "e", 2, 5, "another text"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.dir
}

func backup(t *testing.T, dir string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "backup.zst")
	size, err := Backup(t.Context(), dir, file)
	if err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(file)
	if err != nil || fi.Size() != size || fi.Mode().Perm() != 0o600 {
		t.Errorf("the backup: %v, %v; %d bytes were said", fi, err, size)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
		t.Errorf("left beside the backup: %v", left)
	}
	return file
}

func sound(t *testing.T, dir string) {
	t.Helper()
	if problems, err := Check(t.Context(), dir); err != nil || len(problems) > 0 {
		t.Errorf("Check = %q, %v", problems, err)
	}
}

func TestBackupIsRestored(t *testing.T) {
	dir := talked(t)
	before := digestOf(t, dir)
	file := backup(t, dir)
	to := filepath.Join(t.TempDir(), "new")
	r, err := Restore(t.Context(), to, file, false)
	if err != nil || r.Erased != 0 || r.Events != 44 {
		t.Fatalf("Restore = %+v, %v", r, err)
	}
	sound(t, to)
	if after := digestOf(t, to); after != before {
		t.Error("what was restored is not what was backed up")
	}
	list, err := readSkeletons(to)
	if err != nil || len(list) != 1 || list[0].ID != "c1" { // Open has added it
		t.Errorf("the list of what is erased = %+v, %v", list, err)
	}
}

// Whatever was erased after the backup was made is erased in what is restored, also when the file was killed between the
// commit and the line.
func TestRestoreErasesWhatWasErasedSince(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprintf("line lost %t", lost), func(t *testing.T) {
			dir := talked(t)
			file := backup(t, dir)
			s := openAt(t, dir)
			apply(t, s, deletion("lobby", "d1", 1, 1), deletion("lobby", "d4", 1, 4), message("lobby", "new", 1, "later"))
			apply(t, s, deletion("lobby", "d21", 1, 24))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, skeletonsName)
			if lost {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Restore(t.Context(), dir, file, false); !errors.Is(err, ErrLocked) {
				t.Fatalf("over a chat that is there: %v", err)
			}
			r, err := Restore(t.Context(), dir, file, true)
			if err != nil || r.Erased != 2 || r.Events != 46 {
				t.Fatalf("Restore = %+v, %v", r, err)
			}
			if f := found(t, dir, "text 0 of the lobby", "text 3 of the lobby"); len(f) > 0 {
				t.Errorf("erased and there again: %v", f)
			}
			if f := found(t, dir, "text 1 of the lobby"); len(f) == 0 {
				t.Error("what was not erased is gone")
			}
			sound(t, dir)
			s = openAt(t, dir)
			events, err := s.Events(t.Context(), "lobby", 0, 100, 100)
			if err != nil || len(events) != 23 || !events[0].Erased || !events[3].Erased || events[1].Erased || events[21].Target != 1 {
				t.Errorf("%d events: %+v, %v", len(events), events, err)
			}
			if list, err := readSkeletons(dir); err != nil || len(list) != 4 {
				t.Errorf("the list = %+v, %v", list, err)
			}
			// A retry of what was erased stays one, before the restore and after.
			if r := apply(t, s, message("lobby", "l0", 1, "text 0 of the lobby\nline"))[0]; !r.Duplicate {
				t.Errorf("a retry = %+v", r)
			}
		})
	}
}

func TestRestoreRefuses(t *testing.T) {
	dir := talked(t)
	file := backup(t, dir)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for what, content := range map[string][]byte{
		"something else": []byte("hello, I am a text"), "nothing": nil, "half": data[:len(data)/2], "changed": flip(data, len(data)/2),
	} {
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, content, 0o600); err != nil {
			t.Fatal(err)
		}
		before := digestOf(t, dir)
		if _, err := Restore(t.Context(), dir, bad, true); !errors.Is(err, ErrCorrupted) {
			t.Errorf("%s: %v, want ErrCorrupted", what, err)
		}
		if digestOf(t, dir) != before {
			t.Errorf("%s: the chat that was there has changed", what)
		}
	}
	s := openAt(t, dir)
	if _, err := Restore(t.Context(), dir, file, true); !errors.Is(err, ErrLocked) {
		t.Errorf("while it is in use: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Backup(t.Context(), dir, filepath.Join(dir, "b.zst")); !errors.Is(err, ErrNotWritable) {
		t.Errorf("a backup into the data directory: %v", err)
	}
	if _, err := Backup(t.Context(), t.TempDir(), file+"2"); !errors.Is(err, ErrNotThere) {
		t.Errorf("a backup of nothing: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "restore-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func flip(data []byte, at int) []byte {
	c := slices.Clone(data)
	c[at] ^= 0x55
	return c
}

func digestOf(t *testing.T, dir string) string {
	t.Helper()
	s := openAt(t, dir)
	defer func() { _ = s.Close() }()
	return digest(t, s)
}

// What a killed restore has left holds texts; the next start removes it.
func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "restore-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "restore-1", fileName), []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	openAt(t, dir)
	if f := found(t, dir, "canary"); len(f) > 0 {
		t.Errorf("left: %v", f)
	}
}

// A restored database that is not compressed is one, too.
func TestRestoreOfAPlainDatabase(t *testing.T) {
	dir := talked(t)
	if _, err := Restore(t.Context(), filepath.Join(t.TempDir(), "to"), filepath.Join(dir, fileName), false); err != nil {
		t.Error(err)
	}
}

func TestExport(t *testing.T) {
	dir := talked(t)
	export := func(format, room string) string {
		t.Helper()
		var b bytes.Buffer
		if err := Export(t.Context(), dir, format, room, &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	lines := strings.Split(strings.TrimSpace(export("jsonl", "")), "\n")
	if len(lines) != 40 {
		t.Fatalf("%d lines, want 40", len(lines))
	}
	var second struct {
		Room, Text string
		Seq        int64
		Erased     bool
	}
	if err := json.Unmarshal([]byte(lines[1]), &second); err != nil || second.Room != "club" || second.Seq != 2 || !second.Erased || second.Text != "" {
		t.Errorf("the second = %s, %v", lines[1], err)
	}
	if all := strings.Join(lines, "\n"); !strings.Contains(all, `"text":"another text"`) || strings.Contains(all, "text 4 of the lobby") {
		t.Error("an edited message is not as it is now")
	}
	text := export("txt", "lobby")
	if !strings.HasPrefix(text, "# lobby\n2023-11-14 22:13:21 Name1: text 0 of the lobby\n2023-11-14 22:13:21 Name1: line\n") || strings.Contains(text, "club") {
		t.Errorf("as text:\n%s", text)
	}
	page := export("html", "")
	if !strings.Contains(page, "text 3 &lt;of&gt; the club") || strings.Contains(page, "<of>") || strings.Count(page, "<p ") != 40 {
		t.Errorf("as a page:\n%s", page)
	}
	writeLobby := func(w io.Writer) error { return Export(t.Context(), dir, "txt", "lobby", w) }
	file := filepath.Join(t.TempDir(), "lobby.txt")
	if err := ExportFile(dir, file, writeLobby); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != text {
		t.Errorf("the file holds %q, %v", data, err)
	}
	if err := ExportFile(dir, filepath.Join(dir, "x"), writeLobby); !errors.Is(err, ErrNotWritable) {
		t.Errorf("an export into the data directory: %v", err)
	}
	for _, wrong := range [][2]string{{"xml", ""}, {"txt", "nowhere"}, {"txt", protocol.RoomServer}} {
		if err := Export(t.Context(), dir, wrong[0], wrong[1], &bytes.Buffer{}); !errors.Is(err, ErrNotThere) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	dir := talked(t)
	sound(t, dir)
	for script, want := range map[string]string{
		"DELETE FROM events WHERE id = 'l5'":                                                         "lobby should have the numbers 1 to 21",
		"UPDATE events SET body = '' WHERE id = 'e'":                                                 "message 5 of room 2 should have the text of an edit, and number 21",
		"UPDATE events SET kind = 'message' WHERE id = 'e'":                                          "message 5 of room 2 should have the text of an edit, and number 21",
		"DELETE FROM folds WHERE erased = 0":                                                         "edits message 5, which does not know it",
		"UPDATE events SET target = 2 WHERE id = 'e'":                                                "changed by number 21, which does not change it",
		"DELETE FROM events WHERE id = 'd'":                                                          "changed by number 21",
		"UPDATE events SET ordinal = ordinal + 1 WHERE id = 'l9'":                                    "counted as message 11 after message 9",
		"UPDATE events SET at = at - 5 WHERE id = 'l9'":                                              "older than the one before",
		"UPDATE events SET ordinal = 1 WHERE id = 'd'":                                               "is counted as message 1 and is none",
		"UPDATE rooms SET last = last + 1 WHERE name = 'club'":                                       "club should have the numbers 1 to 22",
		"UPDATE rooms SET last_id = 'x' WHERE name = 'club'":                                         "does not know the id",
		"UPDATE rooms SET messages = 7 WHERE name = 'club'":                                          "club should have 7 messages",
		"UPDATE state SET position = 7":                                                              "position is 7",
		"UPDATE events SET member = 77 WHERE id = 'l9'":                                              "member 77",
		"UPDATE events SET room = 77 WHERE id = 'l9'":                                                "room 77",
		"DELETE FROM folds":                                                                          "deletes message 2, which is not erased",
		"UPDATE folds SET erased = 0":                                                                "deletes message 2, which is not erased",
		"UPDATE events SET body = 'x' WHERE id = 'c1'":                                               "erased and still has its text",
		"INSERT INTO folds (pos, changed, by) VALUES (999, 1, 1)":                                    "message 999",
		"INSERT INTO folds (pos, changed, by, erased) SELECT pos, 3, 3, 1 FROM events WHERE id='l1'": "changed by number 3",
		"DELETE FROM new_numbers WHERE room = 2 AND seq = 5":                                         "should have the number 5 of room 2",
		"INSERT INTO new_numbers VALUES (2, 99, 1)":                                                  "have",
		"INSERT INTO numbers SELECT * FROM new_numbers; DELETE FROM new_numbers":                     "should be among the new ones",
		"UPDATE folds SET by = 1":                                                                    "does not change it",
		"INSERT INTO names VALUES ('k', 88, 1)":                                                      "held by member 88",
		`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'UNIQUE (id, member)', 'CHECK (1)') WHERE name = 'events';
			DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_events_1'; PRAGMA writable_schema = RESET;
			UPDATE events SET id = 'l3', member = (SELECT member FROM events WHERE id = 'l3') WHERE id = 'l9'`: "was stored 2 times",
	} {
		bad := t.TempDir()
		for _, name := range []string{fileName, skeletonsName} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(bad, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		conn, err := sqlite.OpenConn(filepath.Join(bad, fileName), sqlite.OpenReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(script, "writable_schema") {
			if err := conn.SetDefensive(false); err != nil {
				t.Fatal(err)
			}
		}
		if err := sqlitex.ExecScript(conn, script); err != nil {
			t.Fatalf("%s: %v", script, err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		problems, err := Check(t.Context(), bad)
		if err != nil || !strings.Contains(strings.Join(problems, "\n"), want) {
			t.Errorf("%s: %q, %v; want %q", script, problems, err, want)
		}
	}
	if err := os.Remove(filepath.Join(dir, skeletonsName)); err != nil {
		t.Fatal(err)
	}
	if problems, err := Check(t.Context(), dir); err != nil || len(problems) != 1 || !strings.Contains(problems[0], skeletonsName) {
		t.Errorf("without the list: %q, %v", problems, err)
	}
}

func TestLongReadEndsWhenTheLogGrows(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fileName+"-wal")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	watched := make(chan struct{})
	defer func() {
		cancel(nil)
		<-watched
	}()
	go func() { // ends with ctx
		defer close(watched)
		newBurden(dir).watch(ctx, cancel)
	}()
	eventually(t, "it is noticed", func() bool {
		fi, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, fi.Size()+logAllowance/8); err != nil { // takes no space
			t.Fatal(err)
		}
		return errors.Is(context.Cause(ctx), errLogGrows)
	})
}
