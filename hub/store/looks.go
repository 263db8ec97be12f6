package store

import (
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/protocol"
)

// looksVersion is the version of the file since which it knows what names look like.
const looksVersion = 3

// fillLooks computes what the names and rooms look like that were there before. Where two of them look alike, both stay.
func fillLooks(conn *sqlite.Conn) error {
	fill := func(query, insert string) error {
		type row struct {
			shown, key string
			owner      any
		}
		var rows []row
		err := sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
			r := row{shown: stmt.ColumnText(0), key: stmt.ColumnText(1), owner: stmt.ColumnText(1)}
			if stmt.ColumnCount() > 2 {
				r.owner = stmt.ColumnInt64(2)
			}
			rows = append(rows, r)
			return nil
		}})
		if err != nil {
			return err
		}
		for _, r := range rows {
			for _, look := range protocol.LooksOf(r.shown, r.key) {
				if look == "" {
					continue
				}
				if err := sqlitex.Execute(conn, insert, &sqlitex.ExecOptions{Args: []any{look, r.owner}}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err := fill("SELECT m.name, n.key FROM names n JOIN members m ON m.num = n.member", "INSERT INTO looks (look, key) VALUES (?, ?)")
	if err != nil {
		return err
	}
	return fill("SELECT name, name, num FROM rooms WHERE name <> '"+protocol.RoomServer+"'", "INSERT INTO room_looks (look, room) VALUES (?, ?)")
}

// readRoomLooks reads which room looks how.
func (w *writer) readRoomLooks() (map[string]string, error) {
	all := make(map[string]string)
	const query = "SELECT l.look, r.name FROM room_looks l JOIN rooms r ON r.num = l.room ORDER BY l.look, r.num DESC"
	err := sqlitex.ExecuteTransient(w.conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		all[stmt.ColumnText(0)] = stmt.ColumnText(1)
		return nil
	}})
	return all, err
}

// LikeRoom is a room that could be taken for the one with these looks, "" if there is none.
func (s *Store) LikeRoom(looks protocol.Looks) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return likeRoom(s.roomLooks, looks)
}

func likeRoom(all map[string]string, looks protocol.Looks) string {
	for _, look := range looks {
		if room := all[look]; look != "" && room != "" {
			return room
		}
	}
	return ""
}

// likeRoom is LikeRoom for what is being applied.
func (t *transaction) likeRoom(looks protocol.Looks) string {
	if room := likeRoom(t.roomLooks, looks); room != "" {
		return room
	}
	return likeRoom(t.store.roomLooks, looks) // nobody else writes it
}

// addRoomLooks stores what a new room looks like.
func (t *transaction) addRoomLooks(r *room, looks protocol.Looks) error {
	for _, look := range looks {
		if look == "" {
			continue
		}
		t.addRoomLook.BindText(1, look)
		t.addRoomLook.BindInt64(2, r.ID)
		if err := run(t.addRoomLook); err != nil {
			return err
		}
		t.roomLooks[look] = r.Name
	}
	return nil
}
