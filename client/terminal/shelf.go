package terminal

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"govor/hub/protocol"
)

// shelf is where the outbox of one name in one room of one server outlives the program: a directory with a file for each
// message, so that adding and removing one costs the same however many wait. The files' names begin with a number, which
// is their order. Whoever opens it must hold the identity of that name. A nil shelf keeps nothing.
type shelf struct {
	dir  string
	last int // number of the last file
}

// saved is the content of a file.
type saved struct {
	ID   string        `json:"id"`
	Text string        `json:"text"`
	Code protocol.Code `json:"code,omitempty"` // why it failed
	Why  string        `json:"why,omitempty"`
}

// openShelf makes the directory of a room, readable for its owner only.
func openShelf(dir, server, name, room string) (*shelf, error) {
	sum := sha256.Sum256([]byte(server + "\x00" + name + "\x00" + room))
	s := &shelf{dir: filepath.Join(dir, "outbox-"+hex.EncodeToString(sum[:12]))}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make outbox: %w", err)
	}
	return s, nil
}

// load reads what is there, in order. A file that cannot be read is left where it is. Of a message that is there twice,
// because the program ended while it was moved, the later one counts. What was written to its end and had no name yet when
// the program ended, was typed last.
func (s *shelf) load() []outgoing {
	if s == nil {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.json")) // the pattern is well-formed
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(numberOf(a), numberOf(b)) })
	var out []outgoing
	for _, file := range files {
		s.last = max(s.last, numberOf(file))
		m, ok := read(file)
		if !ok {
			continue
		}
		if i := slices.IndexFunc(out, func(o outgoing) bool { return o.id == m.id }); i >= 0 {
			_ = os.Remove(out[i].file)
			out = slices.Delete(out, i, i+1)
		}
		m.file = file
		out = append(out, m)
	}
	unfinished, _ := filepath.Glob(filepath.Join(s.dir, ".new-*"))
	for _, file := range unfinished {
		m, ok := read(file)
		if ok && !slices.ContainsFunc(out, func(o outgoing) bool { return o.id == m.id }) && s.put(&m) == nil {
			out = append(out, m)
		}
		_ = os.Remove(file)
	}
	return out
}

// read reads a whole message.
func read(file string) (outgoing, bool) {
	data, err := os.ReadFile(file) //nolint:gosec // in the state directory
	var m saved
	if err != nil || json.Unmarshal(data, &m) != nil || protocol.CheckID(m.ID) != nil || m.Text == "" {
		return outgoing{}, false
	}
	return outgoing{id: m.ID, text: m.Text, code: m.Code, why: clean(m.Why)}, true
}

// numberOf is the number of a file, 0 if it has none.
func numberOf(file string) int {
	var n int
	if _, err := fmt.Sscanf(strings.TrimSuffix(filepath.Base(file), ".json"), "%d", &n); err != nil {
		return 0
	}
	return n
}

// put writes a message that is on the disk when put returns. One that has no file yet goes to the end.
func (s *shelf) put(m *outgoing) error {
	if s == nil {
		return nil
	}
	data, err := json.Marshal(saved{ID: m.id, Text: m.text, Code: m.code, Why: m.why})
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	file := m.file
	if file == "" {
		s.last++
		file = filepath.Join(s.dir, fmt.Sprintf("%09d.json", s.last))
	}
	if err := replaceFile(file, append(data, '\n')); err != nil {
		return fmt.Errorf("keep message: %w", err)
	}
	m.file = file
	if d, err := os.Open(s.dir); err == nil { // where directories cannot be synced there is no need to
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// drop removes a message. If that does not reach the disk, it is sent once more and the server recognises it.
func (s *shelf) drop(m *outgoing) {
	if m.file != "" {
		_ = os.Remove(m.file)
		m.file = ""
	}
}
