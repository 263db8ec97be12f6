package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Bounds of what another process may do to a running server by reading for long: the write-ahead log cannot be merged
// meanwhile, nor can it be cut, so that what was erased is still in it.
const (
	logAllowance = 512 << 20 // bytes by which the log may grow
	logLook      = 200 * time.Millisecond
	longTries    = 5
)

// Variables for the sake of tests.
//
//nolint:gochecknoglobals // see above
var (
	erasePatience = 25 * time.Second // how long a read may have taken when something is erased: a minute is promised
	eraseRest     = 8 * time.Second  // for the server to cut its log
)

// Why a long read was given up.
var (
	errLogGrows = fmt.Errorf("the server writes so much that its log has grown by %d MiB meanwhile; try again when there is less going on", logAllowance>>20)
	errErasing  = errors.New("texts are deleted so often that reading takes too long for them to be gone within a minute; try again when there is less going on, or restore a backup into another directory and work with that")
)

func noChat(dir string) *OpenError {
	return openError(ErrNotThere, nil, "there is no chat in %s; choose its data directory with --data-dir", dir)
}

// snapshot opens the database in dir for reading, beside a server that may be running. The connection ends its work when
// ctx ends.
func snapshot(ctx context.Context, dir string) (*sqlite.Conn, error) {
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, noChat(dir)
	} else if err != nil {
		return nil, openError(ErrNotThere, err, "cannot read the data directory %s", dir)
	}
	if err := CheckData(dir); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return nil, explain(path, err)
	}
	conn.SetBusyTimeout(busyTimeout)
	conn.SetInterrupt(ctx.Done())
	for _, p := range []string{"temp_store = MEMORY", "mmap_size = 0", "trusted_schema = OFF"} {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+p, nil); err != nil {
			_ = conn.Close()
			return nil, explain(path, err)
		}
	}
	return conn, nil
}

// longRead calls read with a snapshot, for what may take long. The context that read gets ends when the server's log
// grows too much; or when it waits to be cut for the sake of an erasure, and then read is called again, a little later.
func longRead(ctx context.Context, dir string, read func(context.Context, *sqlite.Conn) error) error {
	for try := 1; ; try++ {
		err := readOnce(ctx, dir, read)
		if !errors.Is(err, errErasing) || try == longTries {
			return err
		}
		select {
		case <-time.After(eraseRest):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func readOnce(ctx context.Context, dir string, read func(context.Context, *sqlite.Conn) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	burden := newBurden(dir) // before anything is read: what is erased from now on has to wait for this
	conn, err := snapshot(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	watched := make(chan struct{})
	defer func() {
		cancel(nil)
		<-watched
	}()
	go func() { // ends with ctx
		defer close(watched)
		burden.watch(ctx, cancel)
	}()
	return interrupted(ctx, read(ctx, conn))
}

// burden is what a read of the database in dir costs others: the log that cannot be cut.
type burden struct {
	dir         string
	begun       time.Time
	wal, erased int64 // sizes, when the read began
}

func newBurden(dir string) burden {
	b := burden{dir: dir, begun: time.Now()}
	b.wal, b.erased = b.size(fileName+"-wal"), b.size(skeletonsName)
	return b
}

func (b burden) size(name string) int64 {
	fi, err := os.Stat(filepath.Join(b.dir, name))
	if err != nil {
		return 0
	}
	return fi.Size()
}

// watch calls cancel when the burden has become too much.
func (b burden) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(logLook)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if b.size(fileName+"-wal")-b.wal > logAllowance {
				cancel(errLogGrows)
			}
			if time.Since(b.begun) > erasePatience && b.size(skeletonsName) != b.erased {
				cancel(errErasing)
			}
		case <-ctx.Done():
			return
		}
	}
}

// interrupted prefers the reason why a read was interrupted to what SQLite says then.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
