package store

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.uber.org/zap"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/mutant"
	"govor/hub/protocol"
)

const (
	fileName = "govor.db"
	lockName = "govor.lock"

	membersCached = 1 << 16 // members that Apply remembers, about 150 bytes each
	busyTimeout   = 5 * time.Second
)

// pragmas are set on every connection, here and nowhere else. What is acknowledged is on disk (synchronous), what was
// erased is not (secure_delete), and a commit never pays for a checkpoint (wal_autocheckpoint; see checkpoint.go).
var pragmas = []string{
	"synchronous = FULL",
	"fullfsync = ON", // macOS: an ordinary sync there ends in the drive's cache
	"checkpoint_fullfsync = ON",
	"secure_delete = ON",
	"wal_autocheckpoint = 0",
	"mmap_size = 0",
	"temp_store = MEMORY",
	"trusted_schema = OFF",
}

// What a connection has besides.
var (
	writerPragmas = []string{"cache_size = -32000"}
	readerPragmas = []string{"cache_size = -4000", "query_only = ON"}
)

// Open opens govor.db in dir, which is made if it is not there, readable for its owner only. It creates or migrates the
// schema, and holds a lock on dir until Close. What a person can do something about is an *OpenError.
func Open(dir string, log *zap.Logger) (*Store, error) {
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir:       dir,
		path:      filepath.Join(dir, fileName),
		log:       log,
		lock:      lock,
		writing:   make(chan struct{}, 1),
		known:     make(map[string]Room),
		taken:     make(map[uint64]struct{}),
		seed:      maphash.MakeSeed(),
		skeletons: &skeletons{path: filepath.Join(dir, skeletonsName)},
	}
	if err := s.start(); err != nil {
		_ = lock.Unlock()
		return nil, err
	}
	return s, nil
}

// start opens the file for the first time.
func (s *Store) start() error {
	if err := create(s.path); err != nil {
		return openError(ErrNotWritable, err, "cannot write the database %s", s.path)
	}
	file, err := identity(s.path)
	if err != nil {
		return openError(ErrNotWritable, err, "cannot read the database %s", s.path)
	}
	s.file = file
	scripts, err := loadMigrations()
	if err != nil {
		return err
	}
	conn, err := dial(s.path, writerPragmas)
	if err != nil {
		return explain(s.path, err)
	}
	if err := prepare(conn, s.path, scripts, s.log); err != nil {
		_ = conn.Close()
		return explain(s.path, err)
	}
	if err := s.adopt(conn); err != nil {
		return explain(s.path, err)
	}
	s.readers = newReaders(s.dialReader, s.suspect)
	s.checkpoints = newCheckpointer(s)
	return nil
}

// create makes an empty file that only its owner can read. It may be called only while this process has no connection
// to the file: closing any descriptor of it would drop SQLite's locks.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // in the directory that was chosen
	if err != nil {
		return err
	}
	return f.Close()
}

// adopt makes conn, which is closed if that fails, the writer's, and reads what Apply keeps in memory.
func (s *Store) adopt(conn *sqlite.Conn) error {
	w, err := newWriter(conn)
	if err != nil {
		_ = conn.Close()
		return err
	}
	if err := s.load(w); err != nil {
		_ = conn.Close()
		return err
	}
	if err := s.reconcile(conn); err != nil {
		_ = conn.Close()
		return err
	}
	s.w = w
	return nil
}

// load reads the journaled state that is kept in memory, and notes which files are open.
func (s *Store) load(w *writer) error {
	position, rooms, err := w.readState()
	if err != nil {
		return err
	}
	if had := s.position.Load(); position < had {
		return fmt.Errorf("%w: its last event is %d, and %d was acknowledged", ErrCorrupted, position, had)
	}
	keys, err := w.readKeys()
	if err != nil {
		return err
	}
	looks, err := w.readRoomLooks()
	if err != nil {
		return err
	}
	powers, err := w.readPowers()
	if err != nil {
		return err
	}
	members, err := simplelru.NewLRU[protocol.MemberID, member](membersCached, nil)
	if err != nil {
		return err
	}
	if err := s.readProofs(w); err != nil {
		return err
	}
	if s.wal, err = identity(s.path + "-wal"); err != nil {
		return err
	}
	if err := s.sameDatabase(); err != nil {
		return err
	}
	for _, r := range rooms {
		if s.rooms != nil { // opened again: what had seemed to fail may have been stored
			r.Changed = r.Last
		}
	}
	s.rooms, s.members = rooms, members
	s.powers.Store(powers)
	s.mu.Lock()
	s.roomLooks = looks
	for _, r := range rooms {
		s.known[r.Name] = r.Room
	}
	for _, key := range keys {
		s.taken[maphash.String(s.seed, key)] = struct{}{}
	}
	s.mu.Unlock()
	s.position.Store(position)
	wal := s.wal
	s.openWAL.Store(&wal)
	return nil
}

// dialReader opens one more connection for reading. Without the log that is open SQLite would begin another one.
func (s *Store) dialReader() (*sqlite.Conn, error) {
	if wal := s.openWAL.Load(); wal != nil {
		if err := sameFile(s.path+"-wal", *wal); err != nil {
			return nil, err
		}
	}
	return s.dial(readerPragmas)
}

// dial opens one more connection to the database that is open. Another file that lies at its place now is ErrReplaced.
func (s *Store) dial(more []string) (*sqlite.Conn, error) {
	if err := s.sameDatabase(); err != nil { // SQLite would make files beside it
		return nil, err
	}
	conn, err := dial(s.path, more)
	if same := s.sameDatabase(); same != nil { // the better reason, if there is an error as well
		if conn != nil {
			_ = conn.Close()
		}
		return nil, same
	}
	return conn, err
}

// dial opens a connection to a file that exists and sets its pragmas.
func dial(path string, more []string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	if mutant.Active == mutant.NoSync {
		more = append([]string{"synchronous = OFF"}, more...)
	}
	for _, list := range [][]string{pragmas, more} {
		for _, p := range list {
			if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+p, nil); err != nil {
				_ = conn.Close()
				return nil, fmt.Errorf("pragma %s: %w", p, err)
			}
		}
	}
	return conn, nil
}

// explain turns what SQLite said while opening into a sentence.
func explain(path string, err error) error {
	if oe := (*OpenError)(nil); errors.As(err, &oe) {
		return err
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return openError(ErrCorrupted, err, "the database %s is corrupted; restore a backup", path)
	case sqlite.ResultReadOnly, sqlite.ResultCantOpen, sqlite.ResultPerm:
		return openError(ErrNotWritable, err, "cannot write the database %s", path)
	}
	switch {
	case errors.Is(err, ErrCorrupted):
		return openError(ErrCorrupted, err, "the database %s is corrupted; restore a backup", path)
	case errors.Is(err, fs.ErrPermission):
		return openError(ErrNotWritable, err, "cannot write the database %s", path)
	}
	return fmt.Errorf("open %s: %w", path, err)
}
