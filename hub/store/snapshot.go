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
// meanwhile.
const (
	logAllowance = 512 << 20 // bytes by which the log may grow
	logLook      = 200 * time.Millisecond
)

// errLogGrows is why a long read was given up.
var errLogGrows = fmt.Errorf("the server writes so much that its log has grown by %d MiB meanwhile; try again when there is less going on", logAllowance>>20)

// snapshot opens the database in dir for reading, beside a server that may be running. The connection ends its work when
// ctx ends.
func snapshot(ctx context.Context, dir string) (*sqlite.Conn, error) {
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, openError(ErrNotThere, nil, "there is no chat in %s; choose its data directory with --data-dir", dir)
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

// longRead opens a snapshot for a read that may take long. It is interrupted, with errLogGrows as the cause of its
// context, when the server's log grows too much; done ends the watch and closes the connection.
func longRead(ctx context.Context, dir string) (read context.Context, conn *sqlite.Conn, done func(), err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	conn, err = snapshot(ctx, dir)
	if err != nil {
		cancel(nil)
		return nil, nil, nil, err
	}
	wal := filepath.Join(dir, fileName) + "-wal"
	watched := make(chan struct{})
	go func() { // ends with ctx
		defer close(watched)
		watch(ctx, wal, cancel)
	}()
	return ctx, conn, func() {
		cancel(nil)
		<-watched
		_ = conn.Close()
	}, nil
}

// watch calls cancel when the file at path has grown too much.
func watch(ctx context.Context, path string, cancel context.CancelCauseFunc) {
	size := func() int64 {
		fi, err := os.Stat(path)
		if err != nil {
			return 0
		}
		return fi.Size()
	}
	start := size()
	tick := time.NewTicker(logLook)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if size()-start > logAllowance {
				cancel(errLogGrows)
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
