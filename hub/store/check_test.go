package store

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// The version is the same whether it is in the database or in the log only, and looking changes nothing.
func TestCheckDataReadsWhatAnotherProcessHolds(t *testing.T) {
	dir := t.TempDir()
	if err := CheckData(dir); err != nil {
		t.Fatalf("nothing there yet: %v", err)
	}
	s, err := Open(dir, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	// The files as another process sees them while the store is open. They are copied, because closing a descriptor of
	// them here would drop the store's locks.
	held := t.TempDir()
	for _, name := range []string{fileName, fileName + "-wal"} {
		if out, err := exec.CommandContext(t.Context(), "cp", filepath.Join(dir, name), held).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for where, dir := range map[string]string{"open": held, "closed": dir} {
		if err := CheckData(dir); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
	scripts, err := loadMigrations()
	if err != nil {
		t.Fatal(err)
	}
	if v, err := readVersion(filepath.Join(held, fileName)); err != nil || v != len(scripts) {
		t.Errorf("version %d, %v", v, err)
	}

	raise := func(to string) {
		t.Helper()
		conn, err := sqlite.OpenConn(filepath.Join(held, fileName), sqlite.OpenReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		for _, q := range []string{"PRAGMA wal_autocheckpoint = 0", "PRAGMA user_version = " + to, "BEGIN", "PRAGMA user_version = 1000000", "ROLLBACK"} {
			if err := sqlitex.ExecuteTransient(conn, q, nil); err != nil {
				t.Fatal(err)
			}
		}
		files, err := os.ReadDir(held)
		if err != nil {
			t.Fatal(err)
		}
		aside := t.TempDir() // the log is not merged as long as conn is open
		for _, f := range files {
			if out, err := exec.CommandContext(context.Background(), "cp", filepath.Join(held, f.Name()), aside).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		if v, err := walVersion(filepath.Join(aside, fileName+"-wal"), -1); err != nil || v < 2 {
			t.Errorf("the log says version %d, %v", v, err)
		}
		if err := CheckData(aside); !errors.Is(err, ErrNewer) {
			t.Errorf("version %s: %v, want ErrNewer", to, err)
		}
	}
	raise("4711")
	if err := CheckData(held); !errors.Is(err, ErrNewer) { // merged by now
		t.Errorf("%v, want ErrNewer", err)
	}
}

// What reads the file beside a server says what to do where a newer program is used before its server has run.
func TestOlderFileIsNotReadBesideTheServer(t *testing.T) {
	dir, path := closedStore(t)
	if err := sqlitePragma(path, "user_version = 3"); err != nil {
		t.Fatal(err)
	}
	_, check := Check(t.Context(), dir)
	for what, err := range map[string]error{
		"export": Export(t.Context(), dir, "txt", "", io.Discard), "export --audit": ExportAudit(t.Context(), dir, io.Discard), "check": check,
	} {
		if !errors.Is(err, ErrOlder) || !strings.Contains(err.Error(), "start the server") {
			t.Errorf("%s: %v, want ErrOlder", what, err)
		}
	}
}

func TestCheckDataTellsWhatIsNoDatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckData(dir); !errors.Is(err, ErrCorrupted) {
		t.Errorf("%v, want ErrCorrupted", err)
	}
}
