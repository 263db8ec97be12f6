package store

import (
	"errors"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"govor/hub/mutant"
	"govor/hub/protocol"
)

// room is a row of rooms as Apply sees it.
type room struct {
	Room
	lastAt int64
	opened int64
	dirty  bool // changed by the batch that is being applied
}

// member is a row of members as Apply sees it. num never leaves the store.
type member struct {
	num        int64
	name, key  string
	generation int64
	claimed    bool // has a password
}

// writer is the one connection that writes, with its statements. Whoever holds Store.writing owns it.
type writer struct {
	conn *sqlite.Conn
	loginStatements

	begin, commit, rollback                  *sqlite.Stmt
	setPosition, setRoom, addRoom            *sqlite.Stmt
	findMember, addMember, setMember, endOld *sqlite.Stmt
	findName, dropNames, addName             *sqlite.Stmt
	findLook, dropLike, addLook, addRoomLook *sqlite.Stmt
	addEvent, findEvent, findOpening         *sqlite.Stmt
	addNumber, moveNumbers, dropNumbers      *sqlite.Stmt
	findNumber, erase, eraseEdits, fold      *sqlite.Stmt
	foldEdit                                 *sqlite.Stmt
	setRole, addSanction, dropSanction       *sqlite.Stmt
	setRoomRules, findPace, setPace          *sqlite.Stmt
	dropPaces, addAudit                      *sqlite.Stmt
	addMark                                  *sqlite.Stmt
}

func newWriter(conn *sqlite.Conn) (*writer, error) {
	w := &writer{conn: conn}
	for _, p := range []struct {
		stmt **sqlite.Stmt
		sql  string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.commit, "COMMIT"},
		{&w.rollback, "ROLLBACK"},
		{&w.setPosition, "UPDATE state SET position = ?"},
		{&w.setRoom, "UPDATE rooms SET last = ?, last_id = ?, last_at = ?, messages = ? WHERE num = ?"},
		{&w.addRoom, "INSERT INTO rooms (name, kind, opened, first, last, last_id, last_at, messages, closed) VALUES (?, ?, ?, 1, 0, '', 0, 0, 0)"},
		{&w.findMember, "SELECT num, name, key, generation, password <> '' FROM members WHERE id = ?"},
		{&w.addMember, "INSERT INTO members (id, name, key) VALUES (?, ?, ?)"},
		{&w.setMember, "UPDATE members SET name = ?, key = ? WHERE num = ?"},
		{&w.endOld, "UPDATE members SET generation = generation + 1 WHERE num = ?"},
		{&w.findName, "SELECT member, until FROM names WHERE key = ?"},
		{&w.dropNames, "DELETE FROM names WHERE key = ? OR member = ? RETURNING member"},
		{&w.addName, "INSERT INTO names (key, member, until) VALUES (?, ?, ?)"},
		{&w.findLook, queryLook + " AND n.member <> ?"},
		{&w.dropLike, "DELETE FROM names WHERE key IN (SELECT key FROM looks WHERE look = ?) AND until <= ? RETURNING member"},
		{&w.addLook, "INSERT INTO looks (look, key) VALUES (?, ?)"},
		{&w.addRoomLook, "INSERT INTO room_looks (look, room) VALUES (?, ?)"},
		{&w.addEvent, "INSERT INTO events (pos, room, seq, member, id, kind, v, target, ordinal, at, body, mentions)" +
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, member) DO NOTHING"},
		{&w.addNumber, "INSERT INTO new_numbers (room, seq, pos) VALUES (?, ?, ?)"},
		{&w.moveNumbers, "INSERT OR FAIL INTO numbers SELECT room, seq, pos FROM new_numbers"}, // FAIL: the transaction goes back, so the statement need not be able to
		{&w.dropNumbers, "DELETE FROM new_numbers"},
		{&w.findEvent, "SELECT " + columns + ", r.name, e.body FROM " + tables + roomNames + " WHERE e.id = +? AND e.member = +?"},
		{&w.findOpening, "SELECT " + columns + " FROM " + tables + " WHERE e.pos = " + posOf("1", "+?1")},
		{&w.findNumber, "SELECT " + columns + ", e.member FROM " + tables + " WHERE e.pos = " + posOf("+?1", "+?2")},
		{&w.addMark, addMark},
		{&w.erase, "UPDATE events SET body = '', mentions = '' WHERE pos = ?"},
		{&w.eraseEdits, "UPDATE events SET body = '', mentions = '' WHERE room = ? AND target = ? AND target > 0 AND kind = 'edit'"},
		{&w.foldEdit, "INSERT INTO folds (pos, changed, by) VALUES (?, ?, ?)" +
			" ON CONFLICT (pos) DO UPDATE SET changed = excluded.changed, by = excluded.by"},
		{&w.fold, "INSERT INTO folds (pos, changed, by, erased) VALUES (?, ?, ?, 1)" +
			" ON CONFLICT (pos) DO UPDATE SET changed = excluded.changed, by = excluded.by, erased = 1"},
		{&w.setRole, "UPDATE members SET role = ? WHERE num = ?"},
		{&w.addSanction, "INSERT INTO sanctions (event) VALUES (?)"},
		{&w.dropSanction, "DELETE FROM sanctions WHERE event = ?"},
		{&w.setRoomRules, "UPDATE rooms SET hosts_only = ?, slow = ? WHERE num = ?"},
		{&w.findPace, "SELECT at FROM paces WHERE room = ? AND member = ?"},
		{&w.setPace, "INSERT INTO paces (room, member, at) VALUES (?, ?, ?) ON CONFLICT (room, member) DO UPDATE SET at = excluded.at"},
		{&w.dropPaces, "DELETE FROM paces WHERE room = ?"},
		{&w.addAudit, "INSERT INTO audit (pos) VALUES (?)"},
	} {
		if mutant.Active == mutant.NoIndex {
			p.sql = strings.Replace(p.sql, "ON CONFLICT (id, member) DO NOTHING", "", 1)
		}
		stmt, err := conn.Prepare(p.sql)
		if err != nil {
			return nil, err
		}
		*p.stmt = stmt
	}
	if err := w.loginStatements.prepare(conn); err != nil {
		return nil, err
	}
	return w, nil
}

// run executes a statement that returns no rows.
func run(stmt *sqlite.Stmt) error {
	if _, err := stmt.Step(); err != nil {
		return err
	}
	return stmt.Reset()
}

// readState reads the position and all rooms, in one transaction, and makes sure that they fit the events.
func (w *writer) readState() (position int64, rooms map[string]*room, err error) {
	if err := run(w.begin); err != nil { // also finds out whether the file can be written
		return 0, nil, err
	}
	defer func() {
		if rerr := run(w.rollback); err == nil {
			err = rerr
		}
	}()
	if position, err = queryInt(w.conn, "SELECT position FROM state"); err != nil {
		return 0, nil, err
	}
	last, err := queryInt(w.conn, "SELECT coalesce(max(pos), 0) FROM events")
	if err != nil {
		return 0, nil, err
	}
	if last != position {
		return 0, nil, fmt.Errorf("%w: the last event is %d and should be %d", ErrCorrupted, last, position)
	}
	rooms, err = w.readRooms()
	return position, rooms, err
}

func (w *writer) readRooms() (map[string]*room, error) {
	stmt, _, err := w.conn.PrepareTransient(
		"SELECT num, name, kind, opened, first, last, last_id, last_at, messages, closed, hosts_only, slow FROM rooms")
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Finalize() }()
	rooms := make(map[string]*room)
	for {
		more, err := stmt.Step()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		r := &room{Room: Room{
			ID: stmt.ColumnInt64(0), Name: stmt.ColumnText(1), Kind: stmt.ColumnText(2), First: stmt.ColumnInt64(4),
			Last: stmt.ColumnInt64(5), LastID: stmt.ColumnText(6), Messages: stmt.ColumnInt64(8), Closed: stmt.ColumnBool(9),
			HostsOnly: stmt.ColumnBool(10), Slow: stmt.ColumnInt64(11),
		}, opened: stmt.ColumnInt64(3), lastAt: stmt.ColumnInt64(7)}
		rooms[r.Name] = r
	}
	if rooms[protocol.RoomServer] == nil {
		return nil, fmt.Errorf("%w: there is no room %s", ErrCorrupted, protocol.RoomServer)
	}
	return rooms, nil
}

// readEvent finds what a member stored under an id. original is its text before any change.
func (w *writer) readEvent(id string, num int64) (e protocol.Event, original string, ok bool, err error) {
	w.findEvent.BindText(1, id)
	w.findEvent.BindInt64(2, num)
	ok, err = w.findEvent.Step()
	if err != nil || !ok {
		return e, "", false, errors.Join(err, w.findEvent.Reset())
	}
	scan(w.findEvent, &e)
	e.Room, original = w.findEvent.ColumnText(numColumns), w.findEvent.ColumnText(numColumns+1)
	return e, original, true, w.findEvent.Reset()
}

// readNumber finds the event with a number and its author.
func (w *writer) readNumber(r *room, seq int64) (e protocol.Event, author int64, ok bool, err error) {
	w.findNumber.BindInt64(1, r.ID)
	w.findNumber.BindInt64(2, seq)
	ok, err = w.findNumber.Step()
	if err != nil || !ok {
		return e, 0, false, errors.Join(err, w.findNumber.Reset())
	}
	scan(w.findNumber, &e)
	e.Room, author = r.Name, w.findNumber.ColumnInt64(numColumns)
	return e, author, true, w.findNumber.Reset()
}

// readOpening reads the event that opened a room.
func (w *writer) readOpening(seq int64) (e protocol.Event, err error) {
	w.findOpening.BindInt64(1, seq)
	ok, err := w.findOpening.Step()
	if err != nil {
		return e, err
	}
	if !ok {
		return e, errors.Join(fmt.Errorf("event %d of %s is missing", seq, protocol.RoomServer), w.findOpening.Reset())
	}
	scan(w.findOpening, &e)
	e.Room = protocol.RoomServer
	return e, w.findOpening.Reset()
}
