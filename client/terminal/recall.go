package terminal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
)

// maxRecall bounds what was typed before and is remembered.
const maxRecall = 1000

// recall is what was typed before, for ↑ and ↓. With a path it outlives the program: a JSON string per line, so that a
// message of several lines is one entry.
type recall struct {
	path    string // "" = not kept
	entries []string
	at      int    // entries[at] is shown; len(entries) = what is being typed
	draft   string // what was being typed before ↑
}

// newRecall reads the file, if there is one; what cannot be read is left out.
func newRecall(dir string) *recall {
	r := &recall{}
	if dir == "" || os.MkdirAll(dir, 0o700) != nil {
		return r
	}
	r.path = filepath.Join(dir, "history")
	data, err := os.ReadFile(r.path)
	if err != nil {
		return r
	}
	lines := 0
	for scan := bufio.NewScanner(bytes.NewReader(data)); scan.Scan(); lines++ {
		var entry string
		if json.Unmarshal(scan.Bytes(), &entry) == nil && entry != "" {
			r.entries = append(r.entries, entry)
		}
	}
	r.trim()
	if lines > 2*maxRecall {
		r.rewrite()
	}
	r.at = len(r.entries)
	return r
}

func (r *recall) trim() {
	if n := len(r.entries) - maxRecall; n > 0 {
		r.entries = slices.Delete(r.entries, 0, n)
	}
}

// rewrite shortens the file. Failing does no harm: it stays long.
func (r *recall) rewrite() {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, entry := range r.entries {
		_ = enc.Encode(entry)
	}
	_ = replaceFile(r.path, b.Bytes())
}

// add remembers what was sent, unless it is the same as the last.
func (r *recall) add(entry string) {
	if n := len(r.entries); n == 0 || r.entries[n-1] != entry {
		r.entries = append(r.entries, entry)
		r.trim()
		r.append(entry)
	}
	r.at, r.draft = len(r.entries), ""
}

func (r *recall) append(entry string) {
	if r.path == "" {
		return
	}
	f, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return // not remembering is no reason to disturb
	}
	_ = json.NewEncoder(f).Encode(entry)
	_ = f.Close()
}

// up and down return the entry to show instead of current.
func (r *recall) up(current string) (string, bool) {
	if r.at == 0 {
		return "", false
	}
	if r.at == len(r.entries) {
		r.draft = current
	}
	r.at--
	return r.entries[r.at], true
}

func (r *recall) down() (string, bool) {
	if r.at >= len(r.entries) {
		return "", false
	}
	r.at++
	if r.at == len(r.entries) {
		return r.draft, true
	}
	return r.entries[r.at], true
}
