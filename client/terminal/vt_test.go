package terminal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// vt is a terminal's screen, as far as the client uses one. It fails the test on a sequence that it does not know:
// nothing else may reach a terminal.
type vt struct {
	t *testing.T

	mu            sync.Mutex // guards the fields below
	changed       *sync.Cond
	columns, rows int
	cells         [][]string // "" = the right half of a wide character
	x, y          int
	pending       bool // the last column is written, the next character wraps
	nowrap        bool
	rest          []byte
	scrolled      []string // rows that left at the top
	writes        int
	late          bool
}

func newVT(t *testing.T, columns, rows int) *vt {
	t.Helper()
	v := &vt{t: t, columns: columns, rows: rows}
	v.changed = sync.NewCond(&v.mu)
	for range rows {
		v.cells = append(v.cells, v.blank())
	}
	return v
}

func (v *vt) blank() []string {
	row := make([]string, v.columns)
	for i := range row {
		row[i] = " "
	}
	return row
}

func (v *vt) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.writes++
	v.rest = append(v.rest, p...)
	for len(v.rest) > 0 {
		n := v.step()
		if n == 0 {
			break
		}
		v.rest = v.rest[n:]
	}
	v.changed.Broadcast()
	return len(p), nil
}

// step handles one character or sequence; 0 = incomplete.
func (v *vt) step() int {
	s := v.rest
	switch c := s[0]; {
	case c == 0x1b:
		return v.escape()
	case c == '\r':
		v.x, v.pending = 0, false
		return 1
	case c == '\n':
		v.down()
		return 1
	case c == '\a':
		return 1
	case c < 0x20 || c == 0x7f:
		v.t.Errorf("control %#x reached the terminal", c)
		return 1
	}
	if !utf8.FullRune(s) {
		return 0
	}
	r, n := utf8.DecodeRune(s)
	v.put(string(r))
	return n
}

func (v *vt) escape() int {
	s := string(v.rest)
	if len(s) < 2 {
		return 0
	}
	if s[1] != '[' {
		v.t.Errorf("sequence %q reached the terminal", s[:2])
		return 2
	}
	for i := 2; i < len(s); i++ {
		if s[i] >= 0x40 && s[i] <= 0x7e {
			v.csi(s[2:i], s[i])
			return i + 1
		}
	}
	return 0
}

func (v *vt) csi(params string, final byte) {
	n := 1
	if i, err := strconv.Atoi(params); err == nil {
		n = i
	}
	switch {
	case final == 'm', params == "?2004" && (final == 'h' || final == 'l'):
	case params == "?7":
		v.nowrap = final == 'l'
	case final == 'A':
		v.y, v.pending = max(0, v.y-n), false
	case final == 'C':
		v.x, v.pending = min(v.columns-1, v.x+n), false
	case final == 'H' && params == "":
		v.x, v.y, v.pending = 0, 0, false
	case final == 'J' && params == "":
		for i := v.x; i < v.columns; i++ {
			v.cells[v.y][i] = " "
		}
		for i := v.y + 1; i < v.rows; i++ {
			v.cells[i] = v.blank()
		}
	case final == 'J' && n == 2:
		for i := range v.cells {
			v.cells[i] = v.blank()
		}
	default:
		v.t.Errorf("sequence CSI %s %c reached the terminal", params, final)
	}
}

func (v *vt) put(char string) {
	n := width(char)
	if n == 0 {
		if x := v.x - 1; x >= 0 {
			for x > 0 && v.cells[v.y][x] == "" {
				x--
			}
			v.cells[v.y][x] += char
		}
		return
	}
	if v.pending || v.x+n > v.columns {
		if v.nowrap {
			v.x, v.pending = v.columns-n, false
		} else {
			v.x, v.pending = 0, false
			v.down()
		}
	}
	v.cells[v.y][v.x] = char
	if n == 2 {
		v.cells[v.y][v.x+1] = ""
	}
	v.x += n
	if v.x >= v.columns {
		v.x, v.pending = v.columns-1, true
	}
}

func (v *vt) down() {
	if v.y < v.rows-1 {
		v.y++
		return
	}
	v.scrolled = append(v.scrolled, strings.TrimRight(strings.Join(v.cells[0], ""), " "))
	v.cells = append(v.cells[1:], v.blank())
}

func (v *vt) linesLocked() []string {
	var out []string
	for _, row := range v.cells {
		out = append(out, strings.TrimRight(strings.Join(row, ""), " "))
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// lines is what is on the screen, without empty rows at its end.
func (v *vt) lines() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.linesLocked()
}

// all is lines with those that left at the top before them.
func (v *vt) all() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append(slices.Clone(v.scrolled), v.linesLocked()...)
}

func (v *vt) String() string { return strings.Join(v.lines(), "\n") }

// cursor is where it stands.
func (v *vt) cursor() (x, y int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.x, v.y
}

// wait blocks until the screen is as cond wants it.
func (v *vt) wait(what string, cond func(lines []string) bool) {
	v.t.Helper()
	timer := time.AfterFunc(10*time.Second, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.late = true
		v.changed.Broadcast()
	})
	defer timer.Stop()
	v.mu.Lock()
	defer v.mu.Unlock()
	for !cond(v.linesLocked()) {
		if v.late {
			v.t.Fatalf("waited in vain for %s on the screen:\n%s", what, strings.Join(v.linesLocked(), "\n"))
		}
		v.changed.Wait()
	}
}

// waitText waits until text is there, on the screen or above it: what has scrolled away was seen. waitLast waits until
// the last row is text.
func (v *vt) waitText(text string) {
	v.t.Helper()
	v.wait(fmt.Sprintf("%q", text), func(lines []string) bool {
		return strings.Contains(strings.Join(append(slices.Clone(v.scrolled), lines...), "\n"), text)
	})
}

func (v *vt) waitLast(text string) {
	v.t.Helper()
	v.wait(fmt.Sprintf("%q as the last row", text), func(lines []string) bool {
		return len(lines) > 0 && lines[len(lines)-1] == text
	})
}
