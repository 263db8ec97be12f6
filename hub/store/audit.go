package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// Entry is one line of the list of what hosts have done.
type Entry struct {
	Num   int64          // 1, 2, 3 … without gaps
	Event protocol.Event // an act, or the deletion of what somebody else wrote
}

const queryAudit = "SELECT " + columns + ", r.name, a.num FROM audit a CROSS JOIN " + tables + roomNames +
	" WHERE e.pos = a.pos AND a.num < +? ORDER BY a.num DESC LIMIT +?"

// Audit reads the last entries with numbers below before (0 = from the end), the newest first; at most limit, and never
// more than 4,096.
func (s *Store) Audit(ctx context.Context, before int64, limit int) ([]Entry, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	var events []protocol.Event
	var nums []int64
	err := s.readers.do(ctx, queryAudit, func(stmt *sqlite.Stmt) error {
		stmt.BindInt64(1, before)
		stmt.BindInt64(2, int64(min(limit, maxRows)))
		for {
			more, err := stmt.Step()
			if err != nil || !more {
				return err
			}
			events = append(events, protocol.Event{})
			e := &events[len(events)-1]
			scan(stmt, e)
			e.Room = stmt.ColumnText(numColumns)
			nums = append(nums, stmt.ColumnInt64(numColumns+1))
		}
	})
	if err == nil {
		err = s.readTargets(ctx, events)
	}
	if err != nil {
		return nil, fmt.Errorf("read the audit list: %w", err)
	}
	entries := make([]Entry, len(events))
	for i := range events {
		entries[i] = Entry{nums[i], events[i]}
	}
	return entries, nil
}

// readPowers reads who has a role, and the mutes and bans.
func (w *writer) readPowers() (*powers, error) {
	roles := make(map[protocol.MemberID]protocol.Role)
	err := w.each("SELECT id, role FROM members WHERE role <> ''", func(stmt *sqlite.Stmt) error {
		var m protocol.MemberID
		stmt.ColumnBytes(0, m[:])
		roles[m] = protocol.Role(stmt.ColumnText(1))
		return nil
	})
	if err != nil {
		return nil, err
	}
	var sanctions []*Sanction
	err = w.each("SELECT "+columns+" FROM sanctions s CROSS JOIN "+tables+" WHERE e.pos = "+posOf("1", "s.event")+" ORDER BY s.event", func(stmt *sqlite.Stmt) error {
		var e protocol.Event
		scan(stmt, &e)
		body, err := protocol.ParseActBody(e.Body)
		if err != nil {
			return fmt.Errorf("%w: event %d of %s: %w", ErrCorrupted, e.Seq, protocol.RoomServer, err)
		}
		sanctions = append(sanctions, &Sanction{Seq: e.Seq, Kind: e.Kind, At: e.At, By: e.Name, ActBody: body})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return newPowers(roles, sanctions), nil
}

// each runs a query once.
func (w *writer) each(query string, row func(*sqlite.Stmt) error) error {
	stmt, _, err := w.conn.PrepareTransient(query)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Finalize() }()
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return err
		}
		if err := row(stmt); err != nil {
			return err
		}
	}
}

// Told is what the entry says, and the addresses that were banned.
func (e *Entry) Told() (n *protocol.Notice, nets []string) {
	if n = protocol.NoticeOf(&e.Event); n != nil {
		if b, err := protocol.ParseActBody(e.Event.Body); err == nil {
			nets = b.Nets
		}
		return n, nets
	}
	n = &protocol.Notice{Action: protocol.ActionDelete, Room: e.Event.Room, By: e.Event.Name, Why: e.Event.Body, At: e.Event.Time()}
	if of := e.Event.Of; of != nil {
		n.Member, n.Name = of.Member, of.Name
	}
	return n, nil
}

// JSON is the entry as programs read it: a notice with a number, the addresses, and of a deletion the message.
func (e *Entry) JSON() json.RawMessage {
	n, nets := e.Told()
	var fields map[string]any
	if err := json.Unmarshal(protocol.JSON{}.Append(nil, n), &fields); err != nil {
		panic("read a notice: " + err.Error()) // it was just written
	}
	delete(fields, "type")
	fields["num"] = e.Num
	if len(nets) > 0 {
		fields["nets"] = nets
	}
	if e.Event.Target != 0 {
		fields["target"] = e.Event.Target
	}
	out, err := json.Marshal(fields)
	if err != nil {
		panic("encode an entry: " + err.Error()) // what JSON has given
	}
	return out
}
