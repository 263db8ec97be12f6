package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/protocol"
)

// ExportFormats are the formats that Export knows.
func ExportFormats() []string { return []string{"jsonl", "txt", "html"} }

// exportRows is how much is read at once: a reader keeps no transaction for long.
const exportRows = 1000

// Export writes the messages of a room, or with "" those of all rooms, in their present state: as lines of JSON (frames of
// govor.v1.json), as plain text in UTC, or as a page. It takes no lock: the server may be running. What a person can do
// something about is an *OpenError.
func Export(ctx context.Context, dir, format, room string, w io.Writer) error {
	formats := map[string]exporter{"jsonl": jsonLines{}, "txt": plainText{}, "html": webPage{}}
	f, ok := formats[format]
	if !ok {
		return openError(ErrNotThere, nil, "there is no format %q; choose one of %s", format, strings.Join(ExportFormats(), ", "))
	}
	if err := notOlder(dir); err != nil {
		return err
	}
	conn, err := snapshot(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	rooms, err := roomsIn(conn)
	if err != nil {
		return fmt.Errorf("read the rooms: %w", interrupted(ctx, err))
	}
	if room != "" {
		rooms = slices.DeleteFunc(rooms, func(r Room) bool { return r.Name != room })
		if len(rooms) == 0 {
			return openError(ErrNotThere, nil, "there is no room %s", room)
		}
	}
	b := bufio.NewWriter(w)
	_, _ = b.WriteString(f.head()) // a bufio.Writer keeps its first error for Flush
	for _, r := range rooms {
		_, _ = b.WriteString(f.room(r.Name))
		if err := exportRoom(conn, r, func(e *protocol.Event) { _, _ = b.Write(f.message(e)) }); err != nil {
			return fmt.Errorf("read the room %s: %w", r.Name, interrupted(ctx, err))
		}
	}
	_, _ = b.WriteString(f.tail())
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return nil
}

// ExportFile has write, which is Export or ExportAudit of the data directory dir, write into a file, readable for its owner
// only, which is there as a whole or not at all.
func ExportFile(dir, file string, write func(io.Writer) error) (err error) {
	if within(dir, file) {
		return openError(ErrNotWritable, nil,
			"a file in the data directory %s would keep the texts that people delete; choose another place than %s", dir, file)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".govor-export-*") // mode 0600
	if err != nil {
		return openError(ErrNotWritable, err, "cannot write beside %s", file)
	}
	defer func() { _ = os.Remove(f.Name()) }() // in vain when it was renamed
	err = write(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("put the export in place: %w", err)
	}
	return syncDir(filepath.Dir(file))
}

// roomsIn lists the rooms for people, by name.
func roomsIn(conn *sqlite.Conn) (rooms []Room, err error) {
	const query = "SELECT num, name FROM rooms WHERE name <> '" + protocol.RoomServer + "' ORDER BY name"
	err = sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		rooms = append(rooms, Room{ID: stmt.ColumnInt64(0), Name: stmt.ColumnText(1)})
		return nil
	}})
	return rooms, err
}

func exportRoom(conn *sqlite.Conn, r Room, show func(*protocol.Event)) error {
	const query = byNumber + " AND n.seq > ? AND e.kind = 'message' ORDER BY n.seq LIMIT ?"
	after := int64(0)
	for {
		rows := 0
		opts := sqlitex.ExecOptions{Args: []any{r.ID, after, exportRows}, ResultFunc: func(stmt *sqlite.Stmt) error {
			e := protocol.Event{Room: r.Name}
			scan(stmt, &e)
			rows, after = rows+1, e.Seq
			show(&e)
			return nil
		}}
		if err := sqlitex.Execute(conn, query, &opts); err != nil || rows < exportRows {
			return err
		}
	}
}

// exporter writes one format.
type exporter interface {
	head() string
	room(name string) string
	message(e *protocol.Event) []byte
	tail() string
}

type jsonLines struct{}

func (jsonLines) head() string       { return "" }
func (jsonLines) room(string) string { return "" }
func (jsonLines) tail() string       { return "" }
func (jsonLines) message(e *protocol.Event) []byte {
	return append(protocol.JSON{}.Append(nil, protocol.Message{Event: e}), '\n')
}

type plainText struct{}

func (plainText) head() string            { return "" }
func (plainText) room(name string) string { return "# " + name + "\n" }
func (plainText) tail() string            { return "" }
func (plainText) message(e *protocol.Event) []byte {
	at := e.Time().Format("2006-01-02 15:04:05 ")
	lines := strings.Split(string(protocol.Text{}.Append(nil, protocol.Message{Event: e})), "\n")
	return []byte(at + strings.Join(lines, "\n"+at) + "\n")
}

type webPage struct{}

func (webPage) head() string {
	return "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>Govor</title>\n" +
		"<style>body{font:16px/1.4 system-ui,sans-serif;max-width:50em;margin:2em auto;padding:0 1em}" +
		"p{margin:.3em 0;white-space:pre-wrap;overflow-wrap:anywhere}time{color:#777;font-size:.8em}</style>\n"
}
func (webPage) room(name string) string { return "<h1>" + html.EscapeString(name) + "</h1>\n" }
func (webPage) tail() string            { return "" }
func (webPage) message(e *protocol.Event) []byte {
	text := html.EscapeString(cleanLines(e.Body))
	if what, ok := protocol.Doing(e.Body); ok {
		text = "<i>" + html.EscapeString(cleanLines(what)) + "</i>"
	}
	if e.Erased {
		text = "<del>···</del>"
	}
	return fmt.Appendf(nil, "<p dir=\"auto\"><time datetime=\"%s\">%s</time> <b>%s</b> %s</p>\n", e.Time().Format("2006-01-02T15:04:05.000Z"),
		e.Time().Format("2006-01-02 15:04:05"), html.EscapeString(e.Name), text)
}

// cleanLines is protocol.CleanText for a text that may have lines.
func cleanLines(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = protocol.CleanText(lines[i])
	}
	return strings.Join(lines, "\n")
}
