package store

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/protocol"
)

// ExportAudit writes what hosts have done, the oldest first, as lines of JSON: those of GET /audit.jsonl. It takes no lock:
// the server may be running. What a person can do something about is an *OpenError.
func ExportAudit(ctx context.Context, dir string, w io.Writer) error {
	if err := notOlder(dir); err != nil {
		return err
	}
	conn, err := snapshot(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	b := bufio.NewWriter(w) // it keeps its first error for Flush
	for after, more := int64(0), true; more; {
		entries, err := auditIn(conn, after, exportRows)
		if err != nil {
			return fmt.Errorf("read the audit list: %w", interrupted(ctx, err))
		}
		for i := range entries {
			after = entries[i].Num
			_, _ = b.Write(append(entries[i].JSON(), '\n'))
		}
		more = len(entries) == exportRows
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return nil
}

// auditIn reads entries with numbers above after, ascending, with what they were about.
func auditIn(conn *sqlite.Conn, after int64, limit int) (entries []Entry, err error) {
	const query = "SELECT " + columns + ", r.name, a.num FROM audit a CROSS JOIN " + tables + roomNames +
		" WHERE e.pos = a.pos AND a.num > ? ORDER BY a.num LIMIT ?"
	err = sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: []any{after, limit}, ResultFunc: func(stmt *sqlite.Stmt) error {
		var x Entry
		scan(stmt, &x.Event)
		x.Event.Room, x.Num = stmt.ColumnText(numColumns), stmt.ColumnInt64(numColumns+1)
		entries = append(entries, x)
		return nil
	}})
	for i := range entries {
		e := &entries[i].Event
		if err != nil || e.Target == 0 {
			continue
		}
		err = sqlitex.Execute(conn, queryNumber, &sqlitex.ExecOptions{Args: []any{e.RoomID, e.Target}, ResultFunc: func(stmt *sqlite.Stmt) error {
			e.Of = &protocol.Event{Room: e.Room}
			scan(stmt, e.Of)
			return nil
		}})
	}
	return entries, err
}
