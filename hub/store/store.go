// Package store is the SQLite file: what was said, read back by room and number; members, names, read marks.
package store

import (
	"context"
	"time"

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
	Closed   bool
}

// Member is what the store knows of a member that has said or claimed something.
type Member struct {
	ID         protocol.MemberID
	Name       string
	NameKey    string
	Generation int64 // logins of an older generation have ended
}

// Holder is who holds a name by a KindMember event.
type Holder struct {
	Member protocol.MemberID
	Until  time.Time
}

// Store is the open file.
type Store struct{}

// API that the rest of the program uses (documented where it is implemented):
//
//	func Open(dir string, log *zap.Logger) (*Store, error)
//	func (s *Store) Apply(ctx, batch []protocol.Event) ([]Result, error)
//	func (s *Store) Close() error
//	func (s *Store) Path() string
//	func (s *Store) Position() Position
//	func (s *Store) Writable(ctx) error
//	func (s *Store) Room(name string) (Room, bool)
//	func (s *Store) Rooms(ctx) ([]Room, error)
//	func (s *Store) Events(ctx, room string, after, upto int64, limit int) ([]protocol.Event, error)
//	func (s *Store) Page(ctx, room string, before int64, limit int) ([]protocol.Event, error)
//	func (s *Store) Last(ctx, room string, n int) (after int64, err error)
//	func (s *Store) Since(ctx, after Position, limit int) ([]protocol.Event, error)
//	func (s *Store) EventID(ctx, room string, seq int64) (string, error)
//	func (s *Store) Member(ctx, id) (Member, bool, error)
//	func (s *Store) NameHolder(ctx, key string) (Holder, bool, error)
//	func (s *Store) MayRead(ctx, member, room) (bool, error)
var _ context.Context
