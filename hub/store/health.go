package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.uber.org/zap"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// identity notes which file is at path, by device and inode.
func identity(path string) (os.FileInfo, error) {
	fi, err := os.Stat(path) //nolint:gosec // in the directory that was chosen
	if err != nil {
		return nil, err
	}
	os.SameFile(fi, fi) // on Windows the file's number is read at the first comparison
	return fi, nil
}

// sameFile says ErrReplaced when another file than was, or none, is at path now. It does not open the file: closing it
// again would drop SQLite's locks.
func sameFile(path string, was os.FileInfo) error {
	now, err := os.Stat(path) //nolint:gosec // in the directory that was chosen
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s is not there any more", ErrReplaced, path)
	case err != nil:
		return fmt.Errorf("look at %s: %w", path, err)
	case !os.SameFile(was, now):
		return fmt.Errorf("%w: %s is another file", ErrReplaced, path)
	}
	return nil
}

func (s *Store) sameDatabase() error { return sameFile(s.path, s.file) }

func (s *Store) sameFiles() error {
	if err := s.sameDatabase(); err != nil {
		return err
	}
	return sameFile(s.path+"-wal", s.wal)
}

// suspect notes an error of a connection: after anything that may be a failing disk, all of them are opened again before
// the next append. Those to a file that was replaced are kept: they can still read it.
func (s *Store) suspect(err error) {
	if err != nil && !transient(err) && !errors.Is(err, ErrReplaced) {
		s.doubtful.Store(true)
	}
}

// usable says why nothing can be appended now, after having tried to repair it. The caller holds the writer.
func (s *Store) usable() error {
	switch {
	case s.closed:
		return ErrClosed
	case s.unknown != nil:
		return s.unknown
	}
	if s.w == nil || s.doubtful.Load() {
		return s.reopen()
	}
	if s.failed != nil {
		return s.sameFiles() // do not write into a file that nobody will find again
	}
	return nil
}

// reopen closes every connection and opens the file again. After a failed sync SQLite and the system may believe
// different things about what is on disk; only a new look at the file decides.
func (s *Store) reopen() error {
	if s.w != nil {
		if err := s.sameFiles(); err != nil {
			return err // what is open can still be read, and may come back
		}
	}
	if err := s.tryDisk(); err != nil {
		return err // who reads goes on with what is open
	}
	free := s.readers.seize()
	defer free()
	s.checkpoints.disconnect()
	if s.w != nil {
		if err := s.w.conn.Close(); err != nil {
			s.log.Warn("connection not closed cleanly", zap.Error(err))
		}
		s.w = nil
	}
	s.openWAL.Store(nil) // the last connection to be closed removes the log
	conn, err := s.dial(writerPragmas)
	if err != nil {
		return fmt.Errorf("open the database again: %w", err)
	}
	if err := s.adopt(conn); err != nil {
		return fmt.Errorf("open the database again: %w", err)
	}
	if err := s.settle(conn); err != nil {
		return fmt.Errorf("open the database again: %w", err)
	}
	s.doubtful.Store(false)
	s.checkpoints.erase() // what was erased by a commit that had seemed to fail
	s.log.Warn("database opened again after an error")
	return nil
}

// settle makes sure of what the log was found to hold. A commit whose sync failed may be in it, and a retry of it would
// be answered without any write that could fail; so it is synced and merged before anything is answered.
func (s *Store) settle(conn *sqlite.Conn) error {
	stmt, _, err := conn.PrepareTransient("PRAGMA wal_checkpoint(PASSIVE)")
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Finalize() }()
	if _, err := stmt.Step(); err != nil {
		return fmt.Errorf("merge the log: %w", err)
	}
	if pages, merged := stmt.ColumnInt64(1), stmt.ColumnInt64(2); merged < pages {
		return fmt.Errorf("merge the log: %d of its %d pages are in use by others", pages-merged, pages)
	}
	return nil
}

// Writable says whether events can be appended now: nil, or why not. After a failed append it tries: connections are
// opened again, and something is written that changes nothing.
func (s *Store) Writable(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	if err := s.usable(); err != nil {
		return err
	}
	if s.failed != nil {
		if err := s.tryWrite(); err != nil {
			s.suspect(err)
			return fmt.Errorf("try to write: %w", err)
		}
		s.failed = nil
	}
	return s.sameFiles()
}

// tryWrite commits about as many pages as a long message takes, and leaves everything as it was.
func (s *Store) tryWrite() (err error) {
	end, err := sqlitex.ImmediateTransaction(s.w.conn)
	if err != nil {
		return err
	}
	defer end(&err)
	return sqlitex.ExecuteScript(s.w.conn, `
		INSERT INTO probes VALUES (hex(zeroblob(16384)));
		DELETE FROM probes;`, nil)
}

// tryDisk writes a file beside the database, of the size of what SQLite needs to open it: a disk that takes nothing is
// no reason to close what can be read.
func (s *Store) tryDisk() (err error) {
	f, err := os.CreateTemp(s.dir, ".probe-*")
	if err != nil {
		return fmt.Errorf("try to write: %w", err)
	}
	_, err = f.Write(make([]byte, 64<<10))
	err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name())) //nolint:gosec // our own
	if err != nil {
		return fmt.Errorf("try to write: %w", err)
	}
	return nil
}
