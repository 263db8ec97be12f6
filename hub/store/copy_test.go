package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/protocol"
)

// A second pass makes the copy what the file is by then, however it has changed, and writes nothing else.
func TestCopyFollowsTheFile(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	content := make([]byte, 3*copyChunk+5000)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	binary.BigEndian.PutUint16(content[pageSizeAt:], 4096)
	if err := os.WriteFile(from, content, 0o600); err != nil {
		t.Fatal(err)
	}
	c := &copier{seed: maphash.MakeSeed(), lockedAt: 2 * copyChunk}
	var err error
	if c.in, err = os.OpenFile(from, os.O_RDWR, 0); err != nil {
		t.Fatal(err)
	}
	defer c.in.Close()
	if c.out, err = os.Create(to); err != nil {
		t.Fatal(err)
	}
	defer c.out.Close()
	same := func(what string) {
		t.Helper()
		if err := c.pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if len(want) > 2*copyChunk {
			clear(want[2*copyChunk : 2*copyChunk+4096]) // the page of the locks
		}
		if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the copy has %d bytes, the file %d, and they differ (%v)", what, len(got), len(want), err)
		}
	}
	same("at first")
	if _, err := c.in.WriteAt([]byte("changed"), copyChunk+77); err != nil {
		t.Fatal(err)
	}
	same("changed")
	if _, err := c.in.WriteAt(content, int64(len(content))); err != nil {
		t.Fatal(err)
	}
	same("longer")
	for _, size := range []int64{copyChunk, 2*copyChunk + 4096 + 1, 100} {
		if err := c.in.Truncate(size); err != nil {
			t.Fatal(err)
		}
		same("shorter")
	}
}

// What two generations of the log would make of the copy is not let in: the database alone is complete then.
func TestLogThatBeginsAnewIsNotCopied(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := copyLog(t.Context(), from, to); err != nil {
		t.Errorf("there is none: %v", err)
	}
	if err := os.WriteFile(from, bytes.Repeat([]byte("a"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := copyLog(t.Context(), from, to); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(to); err != nil || len(got) != 100 {
			t.Errorf("copied: %d bytes, %v", len(got), err)
		}
	}
	ctx := looking{t.Context(), func() {
		if err := os.WriteFile(from, bytes.Repeat([]byte("b"), 100), 0o600); err != nil {
			t.Error(err)
		}
	}}
	if err := copyLog(ctx, from, to); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of two logs, %d bytes are copied (%v)", len(got), err)
	}
}

// looking is a context that does something when it is asked whether it has ended, which it has not.
type looking struct {
	context.Context
	do func()
}

func (l looking) Err() error { l.do(); return nil }

// An erasure does not wait for whoever reads for long: the reader is sent away and begins again once the text is gone.
func TestErasureGoesBeforeLongReads(t *testing.T) {
	was := erasePatience
	erasePatience = 100 * time.Millisecond
	t.Cleanup(func() { erasePatience = was })
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "the text canary-51ab"))
	begun := make(chan struct{})
	done := make(chan error, 1)
	tries := 0
	go func() {
		done <- longRead(t.Context(), s.dir, func(ctx context.Context, conn *sqlite.Conn) (err error) {
			defer sqlitex.Transaction(conn)(&err)
			if err := sqlitex.ExecuteTransient(conn, "SELECT count(*) FROM events", nil); err != nil {
				return err
			}
			if tries++; tries > 1 {
				return nil
			}
			close(begun)
			<-ctx.Done() // it would go on for ever
			return context.Cause(ctx)
		})
	}()
	<-begun
	apply(t, s, deletion("lobby", "d", 1, 1))
	if err := <-done; err != nil || tries != 2 {
		t.Errorf("the reader ends with %v after %d tries", err, tries)
	}
	if f := found(t, s.dir, "canary-51ab"); len(f) > 0 {
		t.Errorf("while it read again, the text was in %v", f)
	}
}

// What is erased after a read has begun sends it away, however late its watch starts.
func TestErasureBeforeTheWatchStartsCounts(t *testing.T) {
	was := erasePatience
	erasePatience = 0
	t.Cleanup(func() { erasePatience = was })
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "text"))
	b := newBurden(s.dir)
	apply(t, s, deletion("lobby", "d", 1, 1))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	b.watch(ctx, cancel)
	if err := context.Cause(ctx); !errors.Is(err, errErasing) {
		t.Errorf("the read ends with %v", err)
	}
}

// A copy that is made while much is written, and merged from the log, is the database of one moment.
func TestCopyOfABusyDatabase(t *testing.T) {
	s := newStore(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(stopped)
		text := strings.Repeat("слово ", 300)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			batch := make([]protocol.Event, 200)
			for i := range batch {
				batch[i] = message("lobby", fmt.Sprintf("%d-%d", n, i), 1, text)
			}
			if _, err := s.Apply(context.WithoutCancel(t.Context()), batch); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	defer func() {
		close(stop)
		<-stopped
	}()
	last, stored := int64(0), s.Position()
	for range 6 {
		eventually(t, "another batch is stored", func() bool { return s.Position() > stored })
		stored = s.Position()
		dir := t.TempDir()
		path := filepath.Join(dir, fileName)
		if err := copyBeside(t.Context(), s.dir, path); err != nil {
			t.Fatal(err)
		}
		if err := merge(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		sound(t, dir)
		conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		n, err := sqlitex.ResultInt64(conn.Prep("SELECT count(*) FROM events"))
		if err != nil || n <= last {
			t.Errorf("the copy has %d events (%v), the one before had %d", n, err, last)
		}
		last = n
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d events", last)
}
