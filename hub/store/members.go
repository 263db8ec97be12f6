package store

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// Member looks a member up; ok is false for one that has said and claimed nothing yet, and for the zero id.
func (s *Store) Member(ctx context.Context, id protocol.MemberID) (m Member, ok bool, err error) {
	if id.IsZero() {
		return Member{}, false, nil
	}
	err = s.readers.do(ctx, "SELECT name, key, generation FROM members WHERE id = ?", func(stmt *sqlite.Stmt) error {
		stmt.BindBytes(1, id[:])
		var err error
		if ok, err = stmt.Step(); ok {
			m = Member{ID: id, Name: stmt.ColumnText(0), NameKey: stmt.ColumnText(1), Generation: stmt.ColumnInt64(2)}
		}
		return err
	})
	if err != nil {
		return Member{}, false, fmt.Errorf("read a member: %w", err)
	}
	return m, ok, nil
}

// NameHolder is who took a name last, by its key. The hold may have ended: compare Until with the moment that matters.
func (s *Store) NameHolder(ctx context.Context, key string) (h Holder, ok bool, err error) {
	if !s.maybeTaken(key) {
		return Holder{}, false, nil
	}
	const query = "SELECT m.id, n.until FROM names n CROSS JOIN members m ON m.num = n.member WHERE n.key = ?"
	err = s.readers.do(ctx, query, func(stmt *sqlite.Stmt) error {
		stmt.BindText(1, key)
		var err error
		if ok, err = stmt.Step(); ok {
			stmt.ColumnBytes(0, h.Member[:])
			h.Until = time.UnixMilli(stmt.ColumnInt64(1)).UTC()
		}
		return err
	})
	if err != nil {
		return Holder{}, false, fmt.Errorf("read the holder of a name: %w", err)
	}
	return h, ok, nil
}

// maybeTaken is false for a name that nobody has taken. Most guests' names are such, and every connection asks.
func (s *Store) maybeTaken(key string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, maybe := s.taken[maphash.String(s.seed, key)]
	return maybe
}

// MayRead is the one place that says whether a member may see what is in a room. Rooms are public, also those that
// nobody has opened yet; RoomServer is nobody's.
func (s *Store) MayRead(_ context.Context, _ protocol.MemberID, room string) (bool, error) {
	return room != protocol.RoomServer, nil
}
