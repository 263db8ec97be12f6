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

// MayRead is the one place that says whether a member may see what is in a room. Rooms are public, also those that
// nobody has opened yet; RoomServer is nobody's.
func (s *Store) MayRead(_ context.Context, _ protocol.MemberID, room string) (bool, error) {
	return room != protocol.RoomServer, nil
}
