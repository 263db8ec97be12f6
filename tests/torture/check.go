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

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// stored is a row of the file.
type stored struct {
	key
	room string
	seq  int64
	body string
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
		err = w.ledger.compare(rows, final)
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
	seen := map[string]int64{}
	err = sqlitex.ExecuteTransient(conn, `SELECT r.name, e.seq, m.id, e.id, e.body FROM events e
		JOIN rooms r ON r.num = e.room JOIN members m ON m.num = e.member
		WHERE r.name <> '$server' ORDER BY e.pos`, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		member := make([]byte, s.ColumnLen(2))
		s.ColumnBytes(2, member)
		row := stored{
			key{base64.RawURLEncoding.EncodeToString(member), s.ColumnText(3)}, s.ColumnText(0), s.ColumnInt64(1), s.ColumnText(4),
		}
		if want := seen[row.room] + 1; row.seq != want {
			return &violation{noGap, fmt.Sprintf("in the file, number %d of %s stands where %d should", row.seq, row.room, want)}
		}
		seen[row.room] = row.seq
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

// compare judges all that was said and told by the rows of a file. final means that nothing is under way any more.
func (l *ledger) compare(rows []stored, final bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := make(map[string]map[int64]*stored)
	byKey := make(map[key]*stored, len(rows))
	byText := make(map[string]*stored, len(rows))
	order := map[string]*said{}
	for i := range rows {
		r := &rows[i]
		if at[r.room] == nil {
			at[r.room] = map[int64]*stored{}
		}
		at[r.room][r.seq] = r
		s := l.byText[r.body]
		switch before := byText[r.body]; {
		case before != nil:
			return &violation{exactlyOnce, fmt.Sprintf("%q of %s is stored twice, as %s %d and %d", head(r.body), r.id, r.room, before.seq, r.seq)}
		case byKey[r.key] != nil:
			return &violation{exactlyOnce, fmt.Sprintf("the id %s of %s is stored twice, in %s", r.id, r.member, r.room)}
		case s == nil || s.room != r.room || s.key != (key{}) && s.key != r.key:
			return &violation{noGap, fmt.Sprintf("%q of %s is stored as %s %d, and nobody said that there", head(r.body), r.member, r.room, r.seq)}
		}
		byText[r.body], byKey[r.key] = r, r
		line := s.author + " " + s.room
		if before := order[line]; before != nil && before.n > s.n {
			return &violation{inOrder, fmt.Sprintf("%s said number %d of its messages before %d, and in %s they are stored the other way round", s.author, s.n, before.n, s.room)}
		}
		order[line] = s
	}
	return errors.Join(l.compareReceipts(byKey, final), l.compareShown(at), l.compareRuns(byText))
}

func (l *ledger) compareReceipts(byKey map[key]*stored, final bool) error {
	for k, s := range l.byKey {
		r := byKey[k]
		switch {
		case r == nil && s.seq == 0 && !final:
		case r == nil && s.seq == 0:
			return &violation{exactlyOnce, fmt.Sprintf("%s of %s was sent until it was answered, and is not stored", k.id, s.author)}
		case r == nil:
			return &violation{onDisk, fmt.Sprintf("%s of %s was acknowledged as %s %d, and is not in the file", k.id, s.author, s.room, s.seq)}
		case s.seq != 0 && (r.room != s.room || r.seq != s.seq):
			return &violation{onDisk, fmt.Sprintf("%s of %s was acknowledged as %s %d, and is %s %d in the file", k.id, s.author, s.room, s.seq, r.room, r.seq)}
		case r.body != s.text:
			return &violation{exactlyOnce, fmt.Sprintf("%s of %s was sent as %q and is stored as %q", k.id, s.author, s.text, r.body)}
		}
	}
	return nil
}

func (l *ledger) compareShown(at map[string]map[int64]*stored) error {
	for room, events := range l.shown {
		for seq, e := range events {
			if r := at[room][seq]; r == nil {
				return &violation{onDisk, fmt.Sprintf("%q was shown as %s %d, and is not in the file", head(e.text), room, seq)}
			} else if r.key != e.key || r.body != e.text {
				return &violation{noGap, fmt.Sprintf("%q was shown as %s %d, and the file has %q there", head(e.text), room, seq, head(r.body))}
			}
		}
	}
	return nil
}

// compareRuns looks at plain text, whose lines have no numbers: they must be a run of the room without gaps.
func (l *ledger) compareRuns(byText map[string]*stored) error {
	for _, run := range l.runs {
		var last int64
		for i, text := range run.texts {
			r := byText[text]
			switch {
			case r == nil:
				return &violation{onDisk, fmt.Sprintf("%s saw the line %q, which is not in the file", run.who, head(text))}
			case r.room != run.room:
				return &violation{noGap, fmt.Sprintf("%s saw the line %q, which was said in %s", run.who, head(text), r.room)}
			case i > 0 && r.seq != last+1:
				return &violation{noGap, fmt.Sprintf("%s saw, after the line with number %d of %s, that with %d", run.who, last, run.room, r.seq)}
			}
			last = r.seq
		}
		if n := len(run.texts); n > 1 { // what was judged need not be kept
			run.texts = append([]string(nil), run.texts[n-1])
		}
	}
	return nil
}

func head(s string) string {
	if i := strings.IndexByte(s, '~'); i > 0 {
		return s[:i]
	}
	return s
}
