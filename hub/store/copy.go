package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	copyChunk = 1 << 20 // bytes that are read at once, compared and perhaps written
	// lockedAt is where SQLite takes its locks on a database that is so large. Nothing is ever stored in the page there
	// (sqlite.org/fileformat2.html#lock_byte_page), and some systems do not let it be read.
	lockedAt   = 1 << 30
	pageSizeAt = 16 // in the header
)

// copier copies a database beside the server that may be writing it. While the copy is consistent by a transaction, the
// server cannot cut its log and so erase anything; so that this is short, everything is copied before, as it happens to
// be, and read again within the transaction, when only what has changed is written. Reading is quick: most of it is in
// the system's cache by then.
type copier struct {
	// Fixed at construction.
	from, to string // databases
	in, out  *os.File
	seed     maphash.Seed
	lockedAt int64

	sums []uint64 // of the chunks as they are in out
}

// copyBeside copies the database in dir to a new file, as it is at one moment. What is erased while it runs may be in the
// copy or not.
func copyBeside(ctx context.Context, dir, to string) (err error) {
	c := &copier{from: filepath.Join(dir, fileName), to: to, seed: maphash.MakeSeed(), lockedAt: lockedAt}
	// Opened before SQLite opens it and closed after that: closing a descriptor drops all locks of this process.
	if c.in, err = os.Open(c.from); errors.Is(err, fs.ErrNotExist) {
		return noChat(dir)
	} else if err != nil {
		return openError(ErrNotThere, err, "cannot read the data directory %s", dir)
	}
	defer func() { _ = c.in.Close() }()
	if c.out, err = os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil { //nolint:gosec // our own
		return err
	}
	defer func() { err = errors.Join(err, c.out.Close()) }()
	if err := c.pass(ctx); err != nil {
		return err
	}
	return longRead(ctx, dir, func(ctx context.Context, conn *sqlite.Conn) error {
		return c.settle(ctx, conn)
	})
}

// settle makes the copy that of one moment.
func (c *copier) settle(ctx context.Context, conn *sqlite.Conn) (err error) {
	// From the first read to the end, nothing that is in the log by now is written over, and what is merged from it
	// into the database is in the log all the same, which is copied last.
	end := sqlitex.Transaction(conn)
	defer end(&err)
	if err := sqlitex.ExecuteTransient(conn, "SELECT count(*) FROM sqlite_schema", nil); err != nil {
		return err
	}
	if err := c.pass(ctx); err != nil {
		return err
	}
	return copyLog(ctx, c.from+"-wal", c.to+"-wal")
}

// pass reads the whole database and writes the chunks that are not in the copy as they are.
func (c *copier) pass(ctx context.Context) error {
	buf := make([]byte, copyChunk)
	for i, at := 0, int64(0); ; i, at = i+1, at+copyChunk {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := c.read(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the database: %w", err)
		}
		if n == 0 {
			c.sums = c.sums[:i]
			return c.out.Truncate(at)
		}
		if sum := maphash.Bytes(c.seed, buf[:n]); i == len(c.sums) || c.sums[i] != sum {
			if _, err := c.out.WriteAt(buf[:n], at); err != nil {
				return fmt.Errorf("write the copy: %w", err)
			}
			c.sums = append(c.sums[:i], append([]uint64{sum}, c.sums[min(i+1, len(c.sums)):]...)...)
		}
		if n < len(buf) {
			c.sums = c.sums[:i+1]
			return c.out.Truncate(at + int64(n))
		}
	}
}

// read reads a chunk; the page of SQLite's locks as zeros.
func (c *copier) read(buf []byte, at int64) (int, error) {
	if at != c.lockedAt {
		return c.in.ReadAt(buf, at)
	}
	var size [2]byte
	if _, err := c.in.ReadAt(size[:], pageSizeAt); err != nil {
		return 0, err
	}
	page := int64(binary.BigEndian.Uint16(size[:]))
	if page == 1 { // stands for 65536, which two bytes do not hold
		page = 1 << 16
	}
	clear(buf[:page])
	n, err := c.in.ReadAt(buf[page:], at+page)
	if n == 0 {
		return 0, err // no database ends with that page
	}
	return int(page) + n, err
}

// copyLog copies the write-ahead log, if there is one that counts.
func copyLog(ctx context.Context, from, to string) error {
	_ = os.Remove(to)        // of a pass that was given up
	in, err := os.Open(from) //nolint:gosec // in the directory that was chosen
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // our own
	if err != nil {
		return err
	}
	before := walHead(in)
	for err == nil && ctx.Err() == nil {
		_, err = io.CopyN(out, in, copyChunk)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err = errors.Join(err, context.Cause(ctx), out.Close()); err != nil {
		return err
	}
	// The log is begun anew only when all of it was in the database before the transaction began: what was copied of two
	// logs is worth nothing, and the database is complete.
	if before != walHead(in) {
		return os.Remove(to)
	}
	return nil
}

// walHead is the header of a log, which names its generation; zeros when there is none.
func walHead(f *os.File) (head [walHeader]byte) {
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return [walHeader]byte{}
	}
	return head
}

// merge makes one file of a copied database and its log, and looks whether it is whole.
func merge(ctx context.Context, path string) (err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetInterrupt(ctx.Done())
	for _, p := range []string{"temp_store = MEMORY", "mmap_size = 0", "trusted_schema = OFF", "secure_delete = ON"} {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+p, nil); err != nil {
			return err
		}
	}
	mode := ""
	err = sqlitex.ExecuteTransient(conn, "PRAGMA journal_mode = DELETE", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		mode = s.ColumnText(0)
		return nil
	}})
	if err == nil && mode != "delete" {
		err = fmt.Errorf("the log cannot be merged: the mode is %q", mode)
	}
	if err != nil {
		return err
	}
	return sqlitex.ExecuteTransient(conn, "PRAGMA quick_check(1)", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		if text := s.ColumnText(0); text != "ok" {
			return openError(ErrCorrupted, nil, "the database is damaged: %s; see what govor check says", text)
		}
		return nil
	}})
}
