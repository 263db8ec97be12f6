package store

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// Member looks a member up; ok is false for one that has said and claimed nothing yet, and for the zero id.
func (s *Store) Member(ctx context.Context, id protocol.MemberID) (m Member, ok bool, err error) {
	m, _, ok, err = s.Prove(ctx, id, "")
	return m, ok, err
}

// Prove is Member, and tells whether a login is one of the member's that has not ended.
func (s *Store) Prove(ctx context.Context, id protocol.MemberID, login string) (m Member, good, ok bool, err error) {
	if id.IsZero() {
		return Member{}, false, false, nil
	}
	if m, ok = s.proofs.find(id, login); ok {
		return m, login != "", true, nil
	}
	since := s.proofs.now()
	num, m, good, ok, err := s.readProof(ctx, id, login)
	if good {
		s.proofs.add(since, num, m, login)
	}
	return m, good, ok, err
}

// Login is one login of a member: a browser, or a program with a token.
type Login struct {
	ID    string
	How   string // protocol.LoginByPage, …
	Label string
	Made  time.Time
	Seen  time.Time // noted about once a day
}

// Seen is when a login was used last, to about a day; ok is false for one that has ended.
func (s *Store) Seen(ctx context.Context, login string) (at time.Time, ok bool, err error) {
	err = s.readers.do(ctx, "SELECT seen FROM logins WHERE id = +?", func(stmt *sqlite.Stmt) error {
		stmt.BindText(1, login)
		var err error
		if ok, err = stmt.Step(); ok {
			at = time.UnixMilli(stmt.ColumnInt64(0)).UTC()
		}
		return err
	})
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read a login: %w", err)
	}
	return at, ok, nil
}

// Logins lists the logins of a member, the last one used first.
func (s *Store) Logins(ctx context.Context, id protocol.MemberID) (list []Login, err error) {
	const query = "SELECT l.id, l.how, l.label, l.made, l.seen FROM members m CROSS JOIN logins l ON l.member = m.num" +
		" WHERE m.id = +? ORDER BY l.seen DESC, l.id"
	err = s.readers.do(ctx, query, func(stmt *sqlite.Stmt) error {
		stmt.BindBytes(1, id[:])
		for {
			more, err := stmt.Step()
			if err != nil || !more {
				return err
			}
			list = append(list, Login{
				ID: stmt.ColumnText(0), How: stmt.ColumnText(1), Label: stmt.ColumnText(2),
				Made: time.UnixMilli(stmt.ColumnInt64(3)).UTC(), Seen: time.UnixMilli(stmt.ColumnInt64(4)).UTC(),
			})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the logins of a member: %w", err)
	}
	return list, nil
}

// MemberNamed looks up who had a name last, by its key, of those who have said or claimed something. It reads all members.
func (s *Store) MemberNamed(ctx context.Context, key string) (m Member, ok bool, err error) {
	const query = "SELECT id, name, key, generation FROM members WHERE key = +? AND num > 0 ORDER BY num DESC LIMIT 1"
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

// member finds a member that has a row.
func (t *transaction) member(id protocol.MemberID) (m member, known bool, err error) {
	if m, known = t.members[id]; known {
		return m, true, nil
	}
	if m, known = t.store.members.Get(id); known {
		return m, true, nil
	}
	m, known, err = t.readMember(id)
	if known {
		t.members[id] = m
	}
	return m, known, err
}

// ensure makes a row for the author of e if there is none.
func (t *transaction) ensure(e *protocol.Event, m member, known bool) (member, error) {
	if known {
		return m, nil
	}
	return t.add(e)
}

func (t *transaction) add(e *protocol.Event) (member, error) {
	t.addMember.BindBytes(1, e.Member[:])
	t.addMember.BindText(2, e.Name)
	t.addMember.BindText(3, e.NameKey)
	if err := run(t.addMember); err != nil {
		return member{}, err
	}
	m := member{num: t.conn.LastInsertRowID(), name: e.Name, key: e.NameKey}
	t.members[e.Member] = m
	return m, nil
}

func (t *transaction) rename(e *protocol.Event, m member) error {
	t.setMember.BindText(1, e.Name)
	t.setMember.BindText(2, e.NameKey)
	t.setMember.BindInt64(3, m.num)
	if err := run(t.setMember); err != nil {
		return err
	}
	m.name, m.key = e.Name, e.NameKey
	t.members[e.Member] = m
	t.proven = append(t.proven, m.num)
	return nil
}
