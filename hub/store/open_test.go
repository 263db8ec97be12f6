package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/zap"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Acknowledged is on disk only while these hold.
func TestPragmasOfTheRunningWriter(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "раз"))
	if err := s.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.release()
	for pragma, want := range map[string]string{
		"journal_mode":       "wal",
		"synchronous":        "2",
		"fullfsync":          "1",
		"secure_delete":      "1",
		"wal_autocheckpoint": "0",
		"mmap_size":          "0",
		"query_only":         "0",
	} {
		got := ""
		err := sqlitex.ExecuteTransient(s.w.conn, "PRAGMA "+pragma, &sqlitex.ExecOptions{
			ResultFunc: func(stmt *sqlite.Stmt) error { got = stmt.ColumnText(0); return nil },
		})
		// With mmap compiled out the pragma has no row.
		if err != nil || got != want && (pragma != "mmap_size" || got != "") {
			t.Errorf("%s = %q, %v; want %s", pragma, got, err, want)
		}
	}
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits here")
	}
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := openAt(t, dir)
	for path, want := range map[string]fs.FileMode{dir: 0o700, s.Path(): 0o600, s.Path() + "-wal": 0o600} {
		fi, err := os.Stat(path)
		if err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, fi.Mode().Perm(), err, want)
		}
	}
}

func TestContentOutlivesClose(t *testing.T) {
	s := talk(t)
	before, position := digest(t, s), s.Position()
	room, _ := s.Room("lobby")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), ten(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("Apply after Close = %v", err)
	}
	if _, err := s.Page(t.Context(), "lobby", 0, 5); !errors.Is(err, ErrClosed) {
		t.Errorf("Page after Close = %v", err)
	}
	if err := s.Writable(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Writable after Close = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
	again := openAt(t, s.dir)
	if r, ok := again.Room("lobby"); !ok || r != room || again.Position() != position || digest(t, again) != before {
		t.Errorf("after opening again: %+v at %d", r, again.Position())
	}
}

// openFails checks the reason and that the sentence names what a person has to know.
func openFails(t *testing.T, dir string, reason error, words ...string) {
	t.Helper()
	s, err := Open(dir, zap.NewNop())
	if err == nil {
		_ = s.Close()
		t.Fatal("Open succeeded")
	}
	var oe *OpenError
	if !errors.As(err, &oe) || !errors.Is(err, reason) {
		t.Fatalf("Open = %v, want %v", err, reason)
	}
	for _, w := range append(words, dir) {
		if !strings.Contains(oe.Sentence, w) {
			t.Errorf("%q does not name %q", oe.Sentence, w)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	s := newStore(t)
	openFails(t, s.dir, ErrLocked, "in use")
	apply(t, s, message("lobby", "a", 1, "раз")) // the one who was first goes on
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, s.dir)
}

func TestDirectoryThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	openFails(t, filepath.Join(file, "data"), ErrNotWritable)
}

func TestDirectoryThatCannotBeWritten(t *testing.T) {
	if os.Getuid() <= 0 {
		t.Skip("permissions do not bind this user")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	openFails(t, dir, ErrNotWritable)
}

func TestNetworkFileSystem(t *testing.T) {
	if name, err := networkFileSystem(t.TempDir()); err != nil || name != "" {
		t.Errorf("the directory of the tests is on a network file system: %q, %v", name, err)
	}
}

// closedStore is the path of a file with ten messages that nobody has open.
func closedStore(t *testing.T) (dir, path string) {
	t.Helper()
	s := talk(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.dir, s.path
}

// edit runs SQL on a file that nobody has open.
func edit(t *testing.T, path, sql string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitex.ExecuteScript(conn, sql, nil); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNewerFileIsRefused(t *testing.T) {
	dir, path := closedStore(t)
	if err := sqlitePragma(path, "user_version = 57"); err != nil {
		t.Fatal(err)
	}
	scripts, err := loadMigrations()
	if err != nil {
		t.Fatal(err)
	}
	openFails(t, dir, ErrNewer, "version 57", fmt.Sprintf("up to %d", len(scripts)))
}

func sqlitePragma(path, pragma string) error {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	return errors.Join(sqlitex.ExecuteTransient(conn, "PRAGMA "+pragma, nil), conn.Close())
}

func TestCorruptedFiles(t *testing.T) {
	for what, damage := range map[string]func(t *testing.T, path string){
		"garbage": func(t *testing.T, path string) {
			t.Helper()
			write(t, path, 0, []byte(strings.Repeat("not a database ", 1000)))
		},
		"a page of zeroes where the rooms are": func(t *testing.T, path string) {
			t.Helper()
			write(t, path, 2*4096, make([]byte, 8*4096))
		},
		"cut in the middle": func(t *testing.T, path string) {
			t.Helper()
			if err := os.Truncate(path, 3*4096); err != nil {
				t.Fatal(err)
			}
		},
		"lost events": func(t *testing.T, path string) {
			t.Helper()
			edit(t, path, "DELETE FROM events WHERE pos > 5")
		},
		"no server": func(t *testing.T, path string) {
			t.Helper()
			edit(t, path, "DELETE FROM rooms WHERE num = 1")
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir, path := closedStore(t)
			damage(t, path)
			openFails(t, dir, ErrCorrupted)
		})
	}
}

func write(t *testing.T, path string, at int64, data []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(data, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestForeignDatabaseIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	if err := create(path); err != nil {
		t.Fatal(err)
	}
	edit(t, path, "CREATE TABLE bookmarks (url TEXT)")
	openFails(t, dir, ErrCorrupted, "not a database of Govor")
	edit(t, path, "INSERT INTO bookmarks VALUES ('still there')")
}

func TestMigrationCopiesTheOldFileAside(t *testing.T) {
	_, path := closedStore(t)
	scripts, err := loadMigrations()
	if err != nil {
		t.Fatal(err)
	}
	next := len(scripts) + 1
	scripts = append(scripts, "CREATE TABLE polls (num INTEGER PRIMARY KEY) STRICT; INSERT INTO polls VALUES (4);")
	aside := fmt.Sprintf("%s.version-%d", path, next-1)
	if err := os.WriteFile(aside+".part", []byte("of an attempt that was cut short"), 0o600); err != nil {
		t.Fatal(err)
	}

	broken := append(scripts[:next:next], "CREATE TABLE a (x); CREATE NONSENSE;")
	if err := migrateFile(path, broken); err == nil {
		t.Fatal("a broken migration succeeded")
	}
	if v := versionOf(t, path); v != int64(next) { // the good one stays, the broken one leaves nothing
		t.Errorf("version = %d, want %d", v, next)
	}
	if v := versionOf(t, aside); v != int64(next-1) {
		t.Errorf("version of the copy = %d, want %d", v, next-1)
	}
	edit(t, path, "INSERT INTO polls VALUES (5); CREATE TABLE a (y)")
	edit(t, aside, "UPDATE events SET body = body WHERE pos = 22")
}

func migrateFile(path string, scripts []string) error {
	conn, err := dial(path, nil)
	if err != nil {
		return err
	}
	return errors.Join(prepare(conn, path, scripts, zap.NewNop()), conn.Close())
}

func versionOf(t *testing.T, path string) int64 {
	t.Helper()
	conn, err := dial(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := queryInt(conn, "PRAGMA user_version")
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
	return v
}
