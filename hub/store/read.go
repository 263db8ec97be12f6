package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// maxRows bounds what one read returns, and with it how long a reader keeps its transaction open.
const maxRows = 4096

// What every query for events reads, and in which order scan takes it. The joins are CROSS JOIN because SQLite then
// keeps to the written order: events by an index, then their members. Those for the numbers of a room go through both of its
// tables side by side, which SQLite does when numbered comes first and what they are ordered by is among the results.
const (
	columns = "e.pos, e.room, e.seq, e.id, e.kind, e.v, e.target, e.ordinal, e.at," +
		" CASE c.kind WHEN 'edit' THEN c.body ELSE e.body END, coalesce(f.changed, 0), coalesce(f.erased, 0), m.id, m.name, m.key, coalesce(c.at, 0), coalesce(c.mentions, e.mentions)"
	numColumns = 17
	tables     = "events e CROSS JOIN members m ON m.num = e.member LEFT JOIN folds f ON f.pos = e.pos" +
		" LEFT JOIN events c ON c.pos = f.by"
	roomNames = " JOIN rooms r ON r.num = e.room"

	byNumber = "SELECT " + columns + ", n.seq FROM numbered n CROSS JOIN " + tables + " WHERE e.pos = n.pos AND n.room = +?"

	queryEvents = byNumber + " AND n.seq > +? AND n.seq <= +? ORDER BY n.seq LIMIT +?"
	queryPage   = byNumber + " AND n.seq < +? AND e.kind = 'message' ORDER BY n.seq DESC LIMIT +?"
	querySince  = "SELECT " + columns + ", r.name FROM " + tables + roomNames + " WHERE e.pos > +? AND e.pos <= +? ORDER BY e.pos LIMIT +?"
	queryLast   = "SELECT n.seq FROM numbered n CROSS JOIN events e WHERE e.pos = n.pos AND n.room = +? AND e.kind = 'message' ORDER BY n.seq DESC LIMIT 1 OFFSET +?"
)

var (
	queryNumber = "SELECT " + columns + " FROM " + tables + " WHERE e.pos = " + posOf("+?1", "+?2")
	queryID     = "SELECT id FROM events WHERE pos = " + posOf("+?1", "+?2")
)

// scan reads an event in its present state; the room's name is the caller's to fill in.
func scan(stmt *sqlite.Stmt, e *protocol.Event) {
	e.Pos, e.RoomID, e.Seq = stmt.ColumnInt64(0), stmt.ColumnInt64(1), stmt.ColumnInt64(2)
	e.ID, e.Kind, e.V = stmt.ColumnText(3), kind(stmt.ColumnText(4)), stmt.ColumnInt(5)
	e.Target, e.Ordinal, e.At = stmt.ColumnInt64(6), stmt.ColumnInt64(7), stmt.ColumnInt64(8)
	e.Body, e.Changed, e.Erased = stmt.ColumnText(9), stmt.ColumnInt64(10), stmt.ColumnBool(11)
	stmt.ColumnBytes(12, e.Member[:])
	e.Name, e.NameKey, e.ChangedAt = stmt.ColumnText(13), stmt.ColumnText(14), stmt.ColumnInt64(15)
	e.Mentions = protocol.Mentions(stmt.ColumnText(16))
	if e.Erased {
		e.Body, e.Mentions = "", ""
	}
}

// kind keeps one string per kind.
func kind(s string) protocol.Kind {
	if s == string(protocol.KindMessage) {
		return protocol.KindMessage
	}
	return protocol.Kind(s)
}

// giveWayKey finds what WithGiveWay keeps.
type giveWayKey struct{}

// WithGiveWay is a context with which reads of events call f after each row, for others to come first: a page of them may
// take a millisecond. f is called by the goroutine that reads, and keeps a reader from others meanwhile.
func WithGiveWay(ctx context.Context, f func()) context.Context {
	return context.WithValue(ctx, giveWayKey{}, f)
}

// Room is what is known of a room, from memory: everything that Apply has returned is in it. RoomServer is a room too.
func (s *Store) Room(name string) (Room, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.known[name]
	return r, ok
}

// Rooms lists the rooms for people (all but RoomServer), by name.
func (s *Store) Rooms(context.Context) ([]Room, error) {
	s.mu.RLock()
	list := make([]Room, 0, len(s.known))
	for _, r := range s.known {
		if r.Name != protocol.RoomServer {
			list = append(list, r)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(list, func(a, b Room) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Events reads the events of a room with numbers in (after, upto], of every kind, ascending, in their present state; at
// most limit, and never more than 4,096. A room that does not exist has none.
func (s *Store) Events(ctx context.Context, room string, after, upto int64, limit int) ([]protocol.Event, error) {
	r, ok := s.Room(room)
	if !ok || upto <= after {
		return nil, nil
	}
	return s.query(ctx, queryEvents, room, limit, func(stmt *sqlite.Stmt) {
		stmt.BindInt64(1, r.ID)
		stmt.BindInt64(2, after)
		stmt.BindInt64(3, upto)
	})
}

// Page reads the last messages of a room with numbers below before (0 = from the end), ascending, in their present
// state; at most limit, and never more than 4,096. Events of other kinds are left out.
func (s *Store) Page(ctx context.Context, room string, before int64, limit int) ([]protocol.Event, error) {
	r, ok := s.Room(room)
	if !ok {
		return nil, nil
	}
	if before <= 0 {
		before = math.MaxInt64
	}
	events, err := s.query(ctx, queryPage, room, limit, func(stmt *sqlite.Stmt) {
		stmt.BindInt64(1, r.ID)
		stmt.BindInt64(2, before)
	})
	slices.Reverse(events)
	return events, err
}

// Since reads the events of all rooms after a position and up to Position, in the order of the journal, in their
// present state; at most limit, and never more than 4,096.
func (s *Store) Since(ctx context.Context, after Position, limit int) ([]protocol.Event, error) {
	upto := s.Position()
	if upto <= after {
		return nil, nil
	}
	return s.query(ctx, querySince, "", limit, func(stmt *sqlite.Stmt) {
		stmt.BindInt64(1, int64(after))
		stmt.BindInt64(2, int64(upto))
	})
}

// query runs one of the queries for events, whose last parameter is the limit. When room is empty the query's last
// column is the room's name.
func (s *Store) query(ctx context.Context, query, room string, limit int, bind func(*sqlite.Stmt)) ([]protocol.Event, error) {
	limit = min(limit, maxRows)
	if limit <= 0 {
		return nil, nil
	}
	giveWay, _ := ctx.Value(giveWayKey{}).(func())
	var events []protocol.Event
	err := s.readers.do(ctx, query, func(stmt *sqlite.Stmt) error {
		bind(stmt)
		stmt.BindInt64(stmt.BindParamCount(), int64(limit))
		for {
			more, err := stmt.Step()
			if err != nil || !more {
				return err
			}
			if events == nil {
				events = make([]protocol.Event, 0, min(limit, 256))
			}
			events = append(events, protocol.Event{Room: room})
			e := &events[len(events)-1]
			scan(stmt, e)
			if room == "" {
				e.Room = stmt.ColumnText(numColumns)
			}
			if giveWay != nil {
				giveWay()
			}
		}
	})
	if err == nil {
		err = s.readTargets(ctx, events)
	}
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return events, nil
}

// readTargets adds to the events that change others what those are now.
func (s *Store) readTargets(ctx context.Context, events []protocol.Event) error {
	for i := range events {
		e := &events[i]
		if e.Target == 0 {
			continue
		}
		err := s.readers.do(ctx, queryNumber, func(stmt *sqlite.Stmt) error {
			stmt.BindInt64(1, e.RoomID)
			stmt.BindInt64(2, e.Target)
			found, err := stmt.Step()
			if found {
				e.Of = &protocol.Event{Room: e.Room}
				scan(stmt, e.Of)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Last is the number after which the last n messages of a room come, to be used as Events' after: with n = 0 the last
// number there is.
func (s *Store) Last(ctx context.Context, room string, n int) (after int64, err error) {
	r, ok := s.Room(room)
	switch {
	case !ok:
		return 0, nil
	case n <= 0:
		return r.Last, nil
	case int64(n) >= r.Messages:
		return r.First - 1, nil
	case r.Messages == r.Last: // nothing but messages
		return max(r.Last-int64(n), r.First-1), nil
	}
	after = r.First - 1
	err = s.readers.do(ctx, queryLast, func(stmt *sqlite.Stmt) error {
		stmt.BindInt64(1, r.ID)
		stmt.BindInt64(2, int64(n)-1)
		found, err := stmt.Step()
		if found {
			after = stmt.ColumnInt64(0) - 1
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read the last messages: %w", err)
	}
	return after, nil
}

// EventID is the id of the event with a number, "" when there is none.
func (s *Store) EventID(ctx context.Context, room string, seq int64) (id string, err error) {
	r, ok := s.Room(room)
	if !ok || seq < r.First || seq > r.Last {
		return "", nil
	}
	if seq == r.Last {
		return r.LastID, nil
	}
	err = s.readers.do(ctx, queryID, func(stmt *sqlite.Stmt) error {
		stmt.BindInt64(1, r.ID)
		stmt.BindInt64(2, seq)
		found, err := stmt.Step()
		if found {
			id = stmt.ColumnText(0)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the id of an event: %w", err)
	}
	return id, nil
}
