package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/protocol"
)

// skeletonsName is the file that says, beside the database, which messages were erased: a backup may be older than that.
const skeletonsName = "erased.jsonl"

// skeleton is what is left of an erased message: one line of erased.jsonl. Member and ID name it for ever.
type skeleton struct {
	Room   string    `json:"room"`
	Seq    int64     `json:"seq"`
	ID     string    `json:"id"`
	Member string    `json:"member"`
	At     time.Time `json:"at"` // of the erasure
}

type skeletonKey struct{ member, id string }

func (s skeleton) key() skeletonKey { return skeletonKey{s.Member, s.ID} }

// skeletonOf is that of the message which the deletion e took away.
func skeletonOf(e *protocol.Event) skeleton {
	return skeleton{Room: e.Room, Seq: e.Target, ID: e.Of.ID, Member: e.Of.Member.String(), At: e.Time()}
}

// skeletons appends to erased.jsonl. Whoever holds Store.writing owns it.
type skeletons struct {
	path    string
	pending []skeleton // not in the file yet
	latest  time.Time  // of the last erasure, as far as the list goes; with one since the start, the end of time
}

// note takes the time of an erasure into account.
func (k *skeletons) note(at time.Time) {
	if at.After(k.latest) {
		k.latest = at
	}
}

// endOfTime is after everything a file system can say.
func endOfTime() time.Time { return time.Unix(1<<40, 0) }

// erased does what follows the commit of an erasure and precedes its receipts: the skeletons are on disk, and the text
// will soon be in no file. A skeleton that cannot be written now is written later; at the latest when the file is opened
// again, because the database knows it too.
func (s *Store) erased(batch []skeleton) {
	s.skeletons.pending = append(s.skeletons.pending, batch...)
	s.skeletons.note(endOfTime())
	s.writeSkeletons()
	s.checkpoints.erase()
}

// writeSkeletons tries to write what is pending; the checkpointer tries again.
func (s *Store) writeSkeletons() {
	if err := s.skeletons.flush(); err != nil {
		s.log.Error("the list of what was erased is not written", zap.Error(err))
	}
}

// flush appends what is pending and syncs the file.
func (k *skeletons) flush() error {
	if len(k.pending) == 0 {
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, s := range k.pending {
		if err := enc.Encode(s); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(k.path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // in the directory that was chosen
	if err != nil {
		return err
	}
	err = appendWhole(f, b.Bytes())
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	k.pending = nil
	return nil
}

// appendWhole writes after the last whole line of f: an append that was cut short by a full disk or a crash has left a
// part of one.
func appendWhole(f *os.File, data []byte) error {
	end, err := wholeLines(f)
	if err != nil {
		return err
	}
	if err := f.Truncate(end); err != nil {
		return err
	}
	if _, err := f.WriteAt(data, end); err != nil {
		return err
	}
	return f.Sync()
}

// wholeLines is the length of f up to its last line end.
func wholeLines(f *os.File) (int64, error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	var chunk [4096]byte
	for end := fi.Size(); end > 0; {
		start := max(0, end-int64(len(chunk)))
		part := chunk[:end-start]
		if _, err := f.ReadAt(part, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// readSkeletons reads the file of a data directory; one that is not there is empty.
func readSkeletons(dir string) ([]skeleton, error) {
	path := filepath.Join(dir, skeletonsName)
	f, err := os.Open(path) //nolint:gosec // in the directory that was chosen
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var list []skeleton
	r := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err != nil { // the end, or a line that was cut short: the database knows it
			return list, nil
		}
		var s skeleton
		if err := json.Unmarshal(line, &s); err != nil {
			return nil, fmt.Errorf("line %d of %s: %w", n, path, err)
		}
		list = append(list, s)
	}
}

// reconcile adds to the file what the database knows as erased and the file does not: the program may have died between
// the commit and the line.
func (s *Store) reconcile(conn *sqlite.Conn) error {
	list, err := readSkeletons(s.dir)
	if err != nil {
		return fmt.Errorf("read the list of what was erased: %w", err)
	}
	there, err := erasedIn(conn)
	if err != nil {
		return err
	}
	missing := without(there, list)
	for _, k := range append(list, missing...) {
		s.skeletons.note(k.At)
	}
	s.skeletons.pending = missing
	s.writeSkeletons()
	return nil
}

// without leaves out of a list what is in another one.
func without(list, other []skeleton) []skeleton {
	known := make(map[skeletonKey]bool, len(other))
	for _, k := range other {
		known[k.key()] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(k skeleton) bool { return known[k.key()] })
}

// erasedIn lists what a database knows as erased.
func erasedIn(conn *sqlite.Conn) ([]skeleton, error) {
	const query = `SELECT r.name, e.seq, e.id, m.id, coalesce(d.at, e.at)
		FROM folds f JOIN events e ON e.pos = f.pos JOIN rooms r ON r.num = e.room JOIN members m ON m.num = e.member
		LEFT JOIN events d ON d.pos = f.by
		WHERE f.erased = 1 ORDER BY f.pos`
	var list []skeleton
	err := sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		var m protocol.MemberID
		stmt.ColumnBytes(3, m[:])
		list = append(list, skeleton{
			Room: stmt.ColumnText(0), Seq: stmt.ColumnInt64(1), ID: stmt.ColumnText(2), Member: m.String(),
			At: time.UnixMilli(stmt.ColumnInt64(4)).UTC(),
		})
		return nil
	}})
	return list, err
}
