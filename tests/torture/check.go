//go:build linux

package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// stored is a row of the file.
type stored struct {
	key
	room   string
	seq    int64
	body   string
	kind   string // "message", "edit", "deletion"
	target int64  // number of the message that it changes
	at     int64
	erased bool   // as the file says what became of a message
	fold   string // its text after edits, "" if there is none
}

// largeFile is from where a file is looked at in the end only.
const largeFile = 128 << 20

// look compares what was told with what the file holds, on a copy: opening a file repairs it.
func (w *world) look(ctx context.Context, final bool) error {
	if fi, err := os.Stat(filepath.Join(w.data, "govor.db")); err == nil && fi.Size() > largeFile && !final {
		return nil
	}
	dir, err := os.MkdirTemp(w.dir, "look-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"govor.db", "govor.db-wal"} {
		if err := copyFile(filepath.Join(w.data, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	rows, err := read(filepath.Join(dir, "govor.db"), final, func(room string) bool { return !w.seeded || !strings.HasPrefix(room, seedRooms) })
	if v := (*violation)(nil); err == nil {
		if err = w.ledger.compare(rows, final); err == nil {
			err = w.searchErased(time.Now().Add(-erasedWithin))
		}
	} else if !errors.As(err, &v) {
		err = &violation{onDisk, "the file is damaged: " + err.Error()}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // a client saw it earlier
	}
	return err
}

// seedRooms begins the names of the rooms that tests/seed fills.
const seedRooms = "room-"

// read reads all events of rooms, in the order in which they were stored, and returns those of our rooms.
func read(path string, final bool, ours func(room string) bool) (rows []stored, err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, fmt.Errorf("open the copy: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	err = sqlitex.ExecuteTransient(conn, "PRAGMA integrity_check", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		if text := s.ColumnText(0); final && text != "ok" {
			return &violation{onDisk, "SQLite says of the file: " + text}
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	last := map[string]int64{}
	err = sqlitex.ExecuteTransient(conn, "SELECT name, last FROM rooms WHERE name <> '$server'", &sqlitex.ExecOptions{
		ResultFunc: func(s *sqlite.Stmt) error {
			last[s.ColumnText(0)] = s.ColumnInt64(1)
			return nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read the rooms: %w", err)
	}
	seen, latest, messages := map[string]int64{}, map[string]int64{}, map[string]int64{}
	err = sqlitex.ExecuteTransient(conn, `SELECT r.name, e.seq, m.id, e.id, e.body, e.kind, e.target, e.at, coalesce(f.erased, 0),
		coalesce(c.body, ''), e.ordinal FROM events e
		JOIN rooms r ON r.num = e.room JOIN members m ON m.num = e.member LEFT JOIN folds f ON f.pos = e.pos
		LEFT JOIN events c ON c.pos = f.by AND c.kind = 'edit'
		WHERE r.name <> '$server' ORDER BY e.pos`, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		member := make([]byte, s.ColumnLen(2))
		s.ColumnBytes(2, member)
		row := stored{
			key:  key{base64.RawURLEncoding.EncodeToString(member), s.ColumnText(3)},
			room: s.ColumnText(0), seq: s.ColumnInt64(1), body: s.ColumnText(4), kind: s.ColumnText(5), target: s.ColumnInt64(6),
			at: s.ColumnInt64(7), erased: s.ColumnBool(8), fold: s.ColumnText(9),
		}
		if want := seen[row.room] + 1; row.seq != want {
			return &violation{noGap, fmt.Sprintf("in the file, number %d of %s stands where %d should", row.seq, row.room, want)}
		}
		if row.at < latest[row.room] {
			return &violation{noGap, fmt.Sprintf("in the file, number %d of %s is older than the one before it", row.seq, row.room)}
		}
		if row.kind == "message" { // by their ordinals it is told how many are unread
			messages[row.room]++
			if n := s.ColumnInt64(10); n != messages[row.room] {
				return &violation{noGap, fmt.Sprintf("in the file, number %d of %s is its message %d and says %d", row.seq, row.room, messages[row.room], n)}
			}
		}
		seen[row.room], latest[row.room] = row.seq, row.at
		if ours(row.room) {
			rows = append(rows, row)
		}
		return nil
	}})
	if err != nil {
		return nil, fmt.Errorf("read the events: %w", err)
	}
	for room, n := range last {
		if seen[room] != n {
			return nil, &violation{noGap, fmt.Sprintf("in the file, %s ends with number %d and says %d", room, seen[room], n)}
		}
	}
	return rows, nil
}

func head(s string) string {
	if i := strings.IndexByte(s, '~'); i > 0 {
		return s[:i]
	}
	return s
}
