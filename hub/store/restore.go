package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"go.uber.org/zap"
	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// Restored says what Restore has done.
type Restored struct {
	Events int64 // in the database now
	Erased int   // messages of the backup whose text was erased after it was made
}

// Restore puts the database of a backup into dir. What was erased since the backup was made, by the erased.jsonl of dir
// and by the database that is there, is erased in it before anybody can see it. Without force a directory with a database
// is left alone; one that is in use always is. It is done as a whole or not at all. What a person can do something about
// is an *OpenError.
func Restore(ctx context.Context, dir, file string, force bool) (Restored, error) {
	lock, err := lockDir(dir)
	if err != nil {
		return Restored{}, err
	}
	defer func() { _ = lock.Unlock() }()
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); err == nil && !force {
		return Restored{}, openError(ErrLocked, nil, "there is a chat in %s already; with --force it is replaced, and what it holds is lost", dir)
	}
	tmp, err := os.MkdirTemp(dir, "restore-*") // mode 0700
	if err != nil {
		return Restored{}, openError(ErrNotWritable, err, "cannot write in the data directory %s", dir)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := unpack(filepath.Join(tmp, fileName), file); err != nil {
		return Restored{}, err
	}
	list, err := allSkeletons(ctx, dir)
	if err != nil {
		return Restored{}, err
	}
	done, err := erase(ctx, tmp, list)
	if err != nil {
		return Restored{}, fmt.Errorf("prepare the backup %s: %w", file, err)
	}
	if err := addSkeletons(dir, tmp); err != nil {
		return Restored{}, err
	}
	if problems, err := Check(ctx, tmp); err != nil || len(problems) > 0 {
		return Restored{}, openError(ErrCorrupted, err, "the backup %s is damaged: %s", file, strings.Join(problems, "; "))
	}
	if err := replaceDatabase(path, filepath.Join(tmp, fileName)); err != nil {
		return Restored{}, fmt.Errorf("put the database in place: %w", err)
	}
	return done, nil
}

// lockDir makes a data directory if it is not there, and locks it.
func lockDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil { //nolint:gosec // whoever starts the program chooses the directory
		return nil, openError(ErrNotWritable, err, "cannot make the data directory %s", dir)
	}
	if name, err := networkFileSystem(dir); err != nil {
		return nil, fmt.Errorf("look at the file system of %s: %w", dir, err)
	} else if name != "" {
		return nil, openError(ErrNetworkFileSystem, nil,
			"the data directory %s is on a network file system (%s), where SQLite's locks and syncs cannot be trusted; choose a local directory", dir, name)
	}
	lock := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, openError(ErrNotWritable, err, "cannot write in the data directory %s", dir)
	}
	if !locked {
		return nil, openError(ErrLocked, nil,
			"the data directory %s is in use by another process; stop it or choose another directory", dir)
	}
	if err := sweep(dir); err != nil {
		_ = lock.Unlock()
		return nil, err
	}
	return lock, nil
}

// sweep removes what a restore or a probe that was killed has left: it may hold texts that were erased.
func sweep(dir string) error {
	for _, pattern := range []string{"restore-*", ".probe-*"} {
		left, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, path := range left {
			if err := os.RemoveAll(path); err != nil { //nolint:gosec // in the directory that was chosen
				return openError(ErrNotWritable, err, "cannot write in the data directory %s", dir)
			}
		}
	}
	return nil
}

// allSkeletons are those of erased.jsonl and those that only the database in dir knows, which are added to the file: the
// database is about to go.
func allSkeletons(ctx context.Context, dir string) ([]skeleton, error) {
	list, err := readSkeletons(dir)
	if err != nil {
		return nil, fmt.Errorf("read the list of what was erased: %w", err)
	}
	conn, err := snapshot(ctx, dir)
	if err != nil { // there is none, or it is why a backup is restored
		return list, nil
	}
	defer func() { _ = conn.Close() }()
	there, err := erasedIn(conn)
	if err != nil {
		return list, nil
	}
	missing := without(there, list)
	return append(list, missing...), writeSkeletons(dir, missing)
}

// addSkeletons adds to the list in dir what only that in from has.
func addSkeletons(dir, from string) error {
	list, err := readSkeletons(dir)
	if err != nil {
		return fmt.Errorf("read the list of what was erased: %w", err)
	}
	more, err := readSkeletons(from)
	if err != nil {
		return fmt.Errorf("read the list of what was erased: %w", err)
	}
	return writeSkeletons(dir, without(more, list))
}

func writeSkeletons(dir string, list []skeleton) error {
	file := skeletons{path: filepath.Join(dir, skeletonsName), pending: list}
	if err := file.flush(); err != nil {
		return fmt.Errorf("write the list of what was erased: %w", err)
	}
	return nil
}

// erase applies the list to the database in dir, each by a deletion as its author's would be, and leaves one file without
// a log.
func erase(ctx context.Context, dir string, list []skeleton) (done Restored, err error) {
	s, err := Open(dir, zap.NewNop())
	if err != nil {
		return Restored{}, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	s.mending = true // nobody else has the store yet
	const atOnce = 256
	var batch []protocol.Event
	apply := func() error {
		results, err := s.Apply(ctx, batch)
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.Err != nil {
				return fmt.Errorf("erase message %d of %s: %w", r.Event.Target, r.Event.Room, r.Err)
			}
		}
		done.Erased += len(batch)
		batch = batch[:0]
		return nil
	}
	for _, k := range list {
		e, there, err := s.stillThere(ctx, k)
		if err != nil {
			return Restored{}, err
		}
		if !there {
			continue
		}
		if batch = append(batch, e); len(batch) == atOnce {
			if err := apply(); err != nil {
				return Restored{}, err
			}
		}
	}
	if err := apply(); err != nil {
		return Restored{}, err
	}
	done.Events = s.position.Load()
	if cut, err := s.checkpoints.cut(ctx); err != nil || !cut {
		return Restored{}, fmt.Errorf("merge the log: done %t: %w", cut, err)
	}
	return done, nil
}

// stillThere finds a message that should have been erased, and gives the event that does it.
func (s *Store) stillThere(ctx context.Context, k skeleton) (e protocol.Event, there bool, err error) {
	member, err := protocol.ParseMemberID(k.Member)
	if err != nil {
		return e, false, fmt.Errorf("line of message %d of %s in %s: %w", k.Seq, k.Room, skeletonsName, err)
	}
	const query = `SELECT r.name, e.seq FROM members m CROSS JOIN events e ON e.id = ? AND e.member = m.num
		JOIN rooms r ON r.num = e.room LEFT JOIN folds f ON f.pos = e.pos
		WHERE m.id = ? AND e.kind = 'message' AND coalesce(f.erased, 0) = 0`
	err = s.readers.do(ctx, query, func(stmt *sqlite.Stmt) error {
		stmt.BindText(1, k.ID)
		stmt.BindBytes(2, member[:])
		var err error
		if there, err = stmt.Step(); there {
			e = protocol.Event{
				Room: stmt.ColumnText(0), Kind: protocol.KindDeletion, V: protocol.Version, ID: protocol.NewID(), Member: member,
				Target: stmt.ColumnInt64(1), At: k.At.UnixMilli(),
			}
		}
		return err
	})
	return e, there, err
}

// replaceDatabase puts the file from, which has no log, at path. The log of the old one is merged before it is removed,
// so that at every moment there is a whole database, and never the log of another one beside it.
func replaceDatabase(path, from string) error {
	if _, err := os.Stat(path); err == nil {
		if conn, err := dial(path, nil); err == nil { // a damaged one is no loss
			_ = conn.Close() // the last connection: it merges the log
		}
		for _, suffix := range []string{"-wal", "-shm"} {
			if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if err := os.Rename(from, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
