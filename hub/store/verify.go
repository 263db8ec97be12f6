package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/protocol"
)

const (
	maxProblems = 100 // that Check lists
	listTries   = 5
	listPause   = 100 * time.Millisecond
)

// Check looks whether the database in dir is what Apply would have made: numbers dense in every room, ids unique, ordinals
// and folds as the events say, and SQLite's own integrity. It returns what is wrong, in sentences, at most about a
// hundred. It takes no lock: the server may be running.
func Check(ctx context.Context, dir string) (problems []string, err error) {
	if err := notOlder(dir); err != nil {
		return nil, err
	}
	c := checker{}
	for _, look := range []func() error{c.integrity, c.all} { // each looks at one state of the database
		found := c.problems
		err := longRead(ctx, dir, func(_ context.Context, conn *sqlite.Conn) (err error) {
			c.conn, c.problems = conn, found
			end := sqlitex.Transaction(conn)
			defer end(&err)
			return look()
		})
		if err != nil {
			return nil, fmt.Errorf("check the database: %w", err)
		}
	}
	err = c.list(ctx, dir)
	return c.problems, err
}

type checker struct {
	conn     *sqlite.Conn
	problems []string
	erased   []skeleton
}

func (c *checker) wrong(format string, args ...any) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, fmt.Sprintf(format, args...))
	}
}

// all compares what the events say with everything else.
func (c *checker) all() (err error) {
	for _, look := range []func() error{c.rooms, c.events, c.queries} {
		if err := look(); err != nil {
			return err
		}
	}
	c.erased, err = erasedIn(c.conn)
	return err
}

func (c *checker) each(query string, row func(*sqlite.Stmt)) error {
	return sqlitex.ExecuteTransient(c.conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		row(stmt)
		return nil
	}})
}

// integrity asks SQLite, which also compares indexes with tables.
func (c *checker) integrity() error {
	return c.each("PRAGMA integrity_check", func(stmt *sqlite.Stmt) {
		if text := stmt.ColumnText(0); text != "ok" {
			c.wrong("the file is damaged: %s", text)
		}
	})
}

// rooms compares what is written of a room with its events.
func (c *checker) rooms() error {
	query := `SELECT r.name, r.first, r.last, r.messages, count(e.pos), coalesce(min(e.seq), r.first),
			coalesce(max(e.seq), r.first - 1), coalesce(max(e.ordinal), 0),
			coalesce((SELECT l.id = r.last_id AND l.at = r.last_at FROM events l WHERE l.pos = ` + posOf("r.num", "r.last") + `), r.last = 0)
		FROM rooms r LEFT JOIN events e ON e.room = r.num GROUP BY r.num ORDER BY r.num`
	return c.each(query, func(stmt *sqlite.Stmt) {
		name, first, last, messages := stmt.ColumnText(0), stmt.ColumnInt64(1), stmt.ColumnInt64(2), stmt.ColumnInt64(3)
		count, low, high, ordinal := stmt.ColumnInt64(4), stmt.ColumnInt64(5), stmt.ColumnInt64(6), stmt.ColumnInt64(7)
		if low != first || high != last || count != last-first+1 {
			c.wrong("the room %s should have the numbers %d to %d, and has %d from %d to %d", name, first, last, count, low, high)
		}
		if ordinal != messages {
			c.wrong("the room %s should have %d messages, and its last is counted as %d", name, messages, ordinal)
		}
		if !stmt.ColumnBool(8) {
			c.wrong("the room %s does not know the id or the time of its last event, number %d", name, last)
		}
	})
}

// events goes through all of them in the order of their rooms.
func (c *checker) events() error {
	var room, seq, pos, at, ordinal int64
	const query = "SELECT n.room, n.seq, e.pos, e.at, e.ordinal, e.kind FROM numbered n CROSS JOIN events e WHERE e.pos = n.pos ORDER BY n.room, n.seq"
	return c.each(query, func(stmt *sqlite.Stmt) {
		message := stmt.ColumnText(5) == string(protocol.KindMessage)
		if stmt.ColumnInt64(0) != room {
			room, seq, pos, at, ordinal = stmt.ColumnInt64(0), stmt.ColumnInt64(1)-1, 0, 0, 0
			if message {
				ordinal = stmt.ColumnInt64(4) - 1 // a room may begin later
			}
		}
		where := fmt.Sprintf("event %d of room %d", stmt.ColumnInt64(1), room)
		if stmt.ColumnInt64(1) != seq+1 {
			c.wrong("%s comes after number %d", where, seq)
		}
		if stmt.ColumnInt64(2) <= pos || stmt.ColumnInt64(3) < at {
			c.wrong("%s is older than the one before it", where)
		}
		switch {
		case message && stmt.ColumnInt64(4) != ordinal+1:
			c.wrong("%s is counted as message %d after message %d", where, stmt.ColumnInt64(4), ordinal)
		case !message && stmt.ColumnInt64(4) != 0:
			c.wrong("%s is counted as message %d and is none", where, stmt.ColumnInt64(4))
		}
		seq, pos, at = stmt.ColumnInt64(1), stmt.ColumnInt64(2), stmt.ColumnInt64(3)
		if message {
			ordinal = stmt.ColumnInt64(4)
		}
	})
}

// actKinds are the kinds by which hosts act, for SQL.
const actKinds = `('role', 'kick', 'mute', 'unmute', 'ban', 'unban', 'close', 'open', 'slow')`

// queries find what must not be there; each gives one text per thing.
func (c *checker) queries() error {
	for _, query := range []string{
		`SELECT format('the position is %d and the last event %d', s.position, m.last)
			FROM state s, (SELECT coalesce(max(pos), 0) AS last FROM events) m WHERE s.position <> m.last`,
		`SELECT format('%d events have %d numbers', e.n, n.n) FROM (SELECT count(*) AS n FROM events) e, (SELECT count(*) AS n FROM numbered) n WHERE e.n <> n.n`,
		`SELECT format('event %d should have the number %d of room %d', e.pos, e.seq, e.room)
			FROM events e WHERE ` + posOf("e.room", "e.seq") + ` IS NOT e.pos`,
		`SELECT format('the number of event %d should be among the ' || iif(w.there, 'new', 'old') || ' ones', w.pos)
			FROM (SELECT pos, 0 AS there FROM new_numbers UNION ALL SELECT pos, 1 FROM numbers) w, state s
			WHERE (w.pos > s.position - s.position % ` + strconv.Itoa(newNumbers) + `) = w.there`,
		`SELECT format('the id %s was stored %d times for member %d', id, count(*), member)
			FROM events NOT INDEXED GROUP BY id, member HAVING count(*) > 1`,
		`SELECT format('event %d is of room %d, which is not there', e.pos, e.room)
			FROM events e LEFT JOIN rooms r ON r.num = e.room WHERE r.num IS NULL`,
		`SELECT format('event %d is by member %d, who is not there', e.pos, e.member)
			FROM events e LEFT JOIN members m ON m.num = e.member WHERE m.num IS NULL`,
		`SELECT format('the name %s is held by member %d, who is not there', n.key, n.member)
			FROM names n LEFT JOIN members m ON m.num = n.member WHERE m.num IS NULL`,
		`SELECT format('what became of message %d is known, and the message is not', f.pos)
			FROM folds f LEFT JOIN events e ON e.pos = f.pos AND e.kind = 'message' WHERE e.pos IS NULL`,
		`SELECT format('message %d of room %d is erased and still has its text', e.seq, e.room)
			FROM folds f JOIN events e ON e.pos = f.pos WHERE f.erased = 1 AND (e.body <> '' OR e.mentions <> '')`,
		`SELECT format('message %d of room %d was changed by number %d, which does not change it', e.seq, e.room, f.changed)
			FROM folds f JOIN events e ON e.pos = f.pos LEFT JOIN events d ON d.pos = f.by
			WHERE d.room IS NOT e.room OR d.seq IS NOT f.changed OR d.target IS NOT e.seq OR f.erased = 1 AND d.kind <> 'deletion'`,
		`SELECT format('message %d of room %d should have the text of an edit, and number %d is none, or has no text', e.seq, e.room, f.changed)
			FROM folds f JOIN events e ON e.pos = f.pos LEFT JOIN events d ON d.pos = f.by
			WHERE f.erased = 0 AND (d.kind IS NOT 'edit' OR d.body = '')`,
		`SELECT format('number %d of room %d edits message %d, which does not know it', d.seq, d.room, d.target)
			FROM events d LEFT JOIN events e ON e.pos = ` + posOf("d.room", "d.target") + ` LEFT JOIN folds f ON f.pos = e.pos
			WHERE d.kind = 'edit' AND coalesce(f.changed, 0) < d.seq`,
		`SELECT format('number %d of room %d still has the text of message %d, which is erased', d.seq, d.room, d.target)
			FROM events d JOIN events e ON e.pos = ` + posOf("d.room", "d.target") + ` JOIN folds f ON f.pos = e.pos
			WHERE d.kind = 'edit' AND f.erased = 1 AND (d.body <> '' OR d.mentions <> '')`,
		`SELECT format('number %d of room %d deletes message %d, which is not erased', d.seq, d.room, d.target)
			FROM events d LEFT JOIN events e ON e.pos = ` + posOf("d.room", "d.target") + ` LEFT JOIN folds f ON f.pos = e.pos
			WHERE d.kind = 'deletion' AND d.target > 0 AND coalesce(f.erased, 0) = 0`,
		`SELECT format('member %d has the role %s, which there is not', num, role) FROM members WHERE role NOT IN ('', 'moderator', 'owner')`,
		`SELECT format('the mute or ban of number %d is in force, and is not there', s.event)
			FROM sanctions s LEFT JOIN events e ON e.pos = ` + posOf("1", "s.event") + ` AND e.kind IN ('mute', 'ban') WHERE e.pos IS NULL`,
		`SELECT format('entry %d of the audit list is of event %d, which no host did', a.num, a.pos)
			FROM audit a LEFT JOIN events e ON e.pos = a.pos AND (e.room = 1 AND e.kind IN ` + actKinds + ` OR e.kind = 'deletion') WHERE e.pos IS NULL`,
		`SELECT format('number %d of room %d is what a host did, and is not in the audit list', e.seq, e.room)
			FROM events e LEFT JOIN audit a ON a.pos = e.pos WHERE a.pos IS NULL AND e.room = 1 AND e.kind IN ` + actKinds,
		`SELECT format('number %d of room %d deletes what somebody else wrote, and is not in the audit list', d.seq, d.room)
			FROM events d JOIN events e ON e.pos = ` + posOf("d.room", "d.target") + ` LEFT JOIN audit a ON a.pos = d.pos
			WHERE d.kind = 'deletion' AND d.target > 0 AND d.member <> e.member AND a.pos IS NULL`,
		`SELECT format('the audit list has %d entries up to number %d', count(*), max(num)) FROM audit HAVING count(*) <> coalesce(max(num), 0)`,
	} {
		if err := c.each(query, func(stmt *sqlite.Stmt) { c.wrong("%s", stmt.ColumnText(0)) }); err != nil {
			return err
		}
	}
	return nil
}

// list looks whether everything that is erased is in erased.jsonl. A server that is running writes it a moment after the
// database, so what is missing is looked for again.
func (c *checker) list(ctx context.Context, dir string) error {
	for try := 0; ; try++ {
		list, err := readSkeletons(dir)
		if err != nil {
			return fmt.Errorf("read the list of what was erased: %w", err)
		}
		missing := without(c.erased, list)
		if len(missing) == 0 {
			return nil
		}
		if try == listTries {
			for _, k := range missing {
				c.wrong("message %d of %s is erased and not in %s", k.Seq, k.Room, skeletonsName)
			}
			return nil
		}
		select {
		case <-time.After(listPause):
		case <-ctx.Done():
			return interrupted(ctx, ctx.Err())
		}
	}
}
