package store

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// Mark is what is kept of a member in a room: how far it has read, and whether the room is on its list. Marks are
// merged, not journaled: every field is a maximum, so the order in which they come does not matter.
type Mark struct {
	Room     string
	Seq      int64 // everything up to this number has been read
	Messages int64 // ordinal of the last message up to Seq; what is unread is the room's ordinal without it
	Visited  int64 // Unix milliseconds of the last visit
	Gone     int64 // Unix milliseconds of taking the room off the list
}

// Merge makes m the mark that has read and seen what either has.
func (m Mark) Merge(o Mark) Mark {
	m.Seq, m.Messages = max(m.Seq, o.Seq), max(m.Messages, o.Messages)
	m.Visited, m.Gone = max(m.Visited, o.Visited), max(m.Gone, o.Gone)
	return m
}

// Listed tells whether the room is on the member's list.
func (m Mark) Listed() bool { return m.Visited > m.Gone }

// MemberMark is a mark and whose it is.
type MemberMark struct {
	Member protocol.MemberID
	Mark
}

// addMark keeps nothing of members without a row: a guest who has said nothing.
const addMark = "INSERT INTO reads (member, room, seq, messages, visited, gone) SELECT num, ?, ?, ?, ?, ? FROM members WHERE id = ? AND num > 0" +
	" ON CONFLICT (member, room) DO UPDATE SET seq = max(seq, excluded.seq), messages = max(messages, excluded.messages)," +
	" visited = max(visited, excluded.visited), gone = max(gone, excluded.gone)"

// MergeMarks merges marks into the file, in one transaction. What is said of rooms or members that the store does not
// know is dropped. An append waits meanwhile, so the caller gives a few hundred at most.
func (s *Store) MergeMarks(ctx context.Context, marks []MemberMark) error {
	if len(marks) == 0 {
		return nil
	}
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	if err := s.usable(); err != nil {
		return fmt.Errorf("merge read marks: %w", err)
	}
	if err := s.mergeMarks(marks); err != nil {
		s.suspect(err)
		if !s.w.conn.AutocommitEnabled() {
			s.suspect(run(s.w.rollback))
		}
		return fmt.Errorf("merge read marks: %w", err)
	}
	s.checkpoints.nudge()
	return nil
}

func (s *Store) mergeMarks(marks []MemberMark) error {
	if err := run(s.w.begin); err != nil {
		return err
	}
	for _, m := range marks {
		r := s.rooms[m.Room]
		if r == nil {
			continue
		}
		stmt := s.w.addMark
		stmt.BindInt64(1, r.ID)
		stmt.BindInt64(2, m.Seq)
		stmt.BindInt64(3, m.Messages)
		stmt.BindInt64(4, m.Visited)
		stmt.BindInt64(5, m.Gone)
		stmt.BindBytes(6, m.Member[:])
		if err := run(stmt); err != nil {
			return err
		}
	}
	return run(s.w.commit)
}

// Marks reads the marks of a member, in no order.
func (s *Store) Marks(ctx context.Context, m protocol.MemberID) ([]Mark, error) {
	const query = "SELECT r.name, d.seq, d.messages, d.visited, d.gone FROM members m CROSS JOIN reads d ON d.member = m.num" +
		" CROSS JOIN rooms r ON r.num = d.room WHERE m.id = +?"
	var marks []Mark
	err := s.readers.do(ctx, query, func(stmt *sqlite.Stmt) error {
		stmt.BindBytes(1, m[:])
		for {
			more, err := stmt.Step()
			if err != nil || !more {
				return err
			}
			marks = append(marks, Mark{
				Room: stmt.ColumnText(0), Seq: stmt.ColumnInt64(1), Messages: stmt.ColumnInt64(2),
				Visited: stmt.ColumnInt64(3), Gone: stmt.ColumnInt64(4),
			})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the marks of a member: %w", err)
	}
	return marks, nil
}

// Ordinal is the ordinal of a room's last message up to a number, 0 when there is none.
func (s *Store) Ordinal(ctx context.Context, room string, seq int64) (ordinal int64, err error) {
	r, ok := s.Room(room)
	switch {
	case !ok || seq <= 0:
		return 0, nil
	case seq >= r.Last:
		return r.Messages, nil
	}
	const query = "SELECT e.ordinal, n.seq FROM numbered n CROSS JOIN events e" +
		" WHERE e.pos = n.pos AND n.room = +? AND n.seq <= +? AND e.kind = 'message' ORDER BY n.seq DESC LIMIT 1"
	err = s.readers.do(ctx, query, func(stmt *sqlite.Stmt) error {
		stmt.BindInt64(1, r.ID)
		stmt.BindInt64(2, seq)
		found, err := stmt.Step()
		if found {
			ordinal = stmt.ColumnInt64(0)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read the ordinal of a message: %w", err)
	}
	return ordinal, nil
}

// WithMentions reads those of a room's messages after a number that mention somebody, the newest first; only the last span numbers
// are looked at, and at most limit are returned.
func (s *Store) WithMentions(ctx context.Context, room string, after, span int64, limit int) ([]protocol.Event, error) {
	r, ok := s.Room(room)
	if !ok {
		return nil, nil
	}
	return s.query(ctx, queryMentions, room, limit, func(stmt *sqlite.Stmt) {
		stmt.BindInt64(1, r.ID)
		stmt.BindInt64(2, max(after, r.Last-span))
	})
}

const queryMentions = byNumber + " AND n.seq > +? AND e.kind = 'message' AND coalesce(c.mentions, e.mentions) <> '' ORDER BY n.seq DESC LIMIT +?"
