package store

import (
	"context"
	"fmt"

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

// MemberNamed looks up who had a name last, by its key, of those who have said or claimed something. It reads all members.
func (s *Store) MemberNamed(ctx context.Context, key string) (m Member, ok bool, err error) {
	const query = "SELECT id, name, key, generation FROM members WHERE key = ? AND num > 0 ORDER BY num DESC LIMIT 1"
	err = s.readers.do(ctx, query, func(stmt *sqlite.Stmt) error {
		stmt.BindText(1, key)
		var err error
		if ok, err = stmt.Step(); ok {
			stmt.ColumnBytes(0, m.ID[:])
			m.Name, m.NameKey, m.Generation = stmt.ColumnText(1), stmt.ColumnText(2), stmt.ColumnInt64(3)
		}
		return err
	})
	if err != nil {
		return Member{}, false, fmt.Errorf("read a member by name: %w", err)
	}
	return m, ok, nil
}

// MayRead is the one place that says whether a member may see what is in a room. Rooms are public, also those that
// nobody has opened yet; RoomServer is nobody's.
func (s *Store) MayRead(_ context.Context, _ protocol.MemberID, room string) (bool, error) {
	return room != protocol.RoomServer, nil
}
