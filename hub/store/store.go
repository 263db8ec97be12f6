// Package store is the SQLite file: what was said, read back by room and number; members, names, read marks.
//
// Apply is its heart and the only writer. It is deterministic: it looks at the journaled tables and at the event, never
// at a clock, the configuration or chance, so that every node that applies the same journal has the same rooms, numbers
// and refusals. Everything else reads.
package store

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.uber.org/zap"

	"govor/hub/protocol"
)

// Position is an event's place in one node's file; it never leaves the node.
type Position int64

// Result is what Apply decided about one event.
type Result struct {
	Event     protocol.Event  // as stored; for a duplicate, the event that was stored first
	Duplicate bool            // the same member sent the same id, room, kind and text before; nothing was stored
	Err       *protocol.Error // refused: no number was given, nothing was stored
}

// Room is what the store knows of a room.
type Room struct {
	ID       int64 // the same on every node
	Name     string
	Kind     string
	First    int64  // first number that is kept; 1 while nothing was pruned
	Last     int64  // last number, 0 = none yet
	LastID   string // id of the event at Last
	Messages int64  // ordinal of the last message
	Changed  int64  // what was read before this number was applied may have changed since; not kept in the file
	Closed   bool

	HostsOnly bool  // only hosts write
	Slow      int64 // milliseconds between two messages of one member; 0 = no slow mode
}

// Member is what the store knows of a member that has said or claimed something.
type Member struct {
	ID         protocol.MemberID
	Name       string
	NameKey    string
	Generation int64 // logins of an older generation have ended
	Claimed    bool  // the name has a password
	Holds      bool  // nobody else has taken the name since the member did
}

// Holder is who holds a name by a KindMember event.
type Holder struct {
	Member protocol.MemberID
	Until  time.Time
	Hash   string // of the password, "" = the name has none
}

// Store is the open file. Its methods may be called from any goroutine; those that write wait for one another.
type Store struct {
	// Fixed at construction.
	dir         string
	path        string
	log         *zap.Logger
	lock        *flock.Flock
	file        os.FileInfo // the database file that was opened
	readers     *readers
	checkpoints *checkpointer
	skeletons   *skeletons
	proofs      proofs
	seed        maphash.Seed
	openWAL     atomic.Pointer[os.FileInfo] // as wal, for readers
	position    atomic.Int64
	powers      atomic.Pointer[powers]
	doubtful    atomic.Bool // an I/O error happened: connections are to be opened again before the next append

	// writing has room for one: who has put its element in owns the fields below until it is taken out.
	writing chan struct{}
	w       *writer     // nil when the connections have to be opened again
	wal     os.FileInfo // the write-ahead log that w opened
	unknown error       // an *UnknownEventError: nothing is applied any more
	failed  error       // why the last Apply failed, nil when it did not
	closed  bool
	rooms   map[string]*room
	members *simplelru.LRU[protocol.MemberID, member]
	mending bool // what is applied is not asked whether its author may; see erase

	mu        sync.RWMutex // guards the fields below
	known     map[string]Room
	roomLooks map[string]string   // which room looks how
	taken     map[uint64]struct{} // hashes of all keys in names and of all looks, and of some that were; see maybeTaken
}

// Path is where the database file is.
func (s *Store) Path() string { return s.path }

// Position is the place of the last event that was applied.
func (s *Store) Position() Position { return Position(s.position.Load()) }

// acquire waits for the right to write.
func (s *Store) acquire(ctx context.Context) error {
	select {
	case s.writing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the writer: %w", ctx.Err())
	}
}

func (s *Store) release() { <-s.writing }

// merge takes over what a transaction changed, after its commit.
func (s *Store) merge(t *transaction) {
	for id, m := range t.members {
		s.members.Add(id, m)
	}
	s.proofs.forget(t.proven)
	s.powers.Store(t.powers)
	s.mu.Lock()
	for _, r := range t.dirty {
		r.dirty = false
		s.rooms[r.Name] = r
		s.known[r.Name] = r.Room
	}
	maps.Copy(s.roomLooks, t.roomLooks)
	for _, key := range t.claimed {
		s.taken[maphash.String(s.seed, key)] = struct{}{}
	}
	s.mu.Unlock()
	s.position.Store(t.position) // last: whoever reads up to it finds the rooms known
}

// Shrink gives back the memory in which connections keep pages of the file, if they are not in use at the moment. What
// is asked for next is read anew: it is for when many have asked and no more do.
func (s *Store) Shrink() {
	select {
	case s.writing <- struct{}{}:
		if s.w != nil && !s.closed {
			s.suspect(shrink(s.w.conn))
		}
		s.release()
	default:
	}
	s.readers.shrink()
}

// Close waits for the append and the reads in progress and closes the file; the write-ahead log is merged into it.
// Everything but Room, Rooms, Position and Path fails with ErrClosed afterwards.
func (s *Store) Close() error {
	s.checkpoints.close()
	s.writing <- struct{}{}
	defer s.release()
	if s.closed {
		return nil
	}
	s.closed = true
	s.readers.close()
	s.proofs.clear()
	var err error
	if s.w != nil {
		err = s.w.conn.Close() // the last connection: it merges the log
		s.w = nil
	}
	if uerr := s.lock.Unlock(); err == nil {
		err = uerr
	}
	if err != nil {
		return fmt.Errorf("close %s: %w", s.path, err)
	}
	return nil
}
