package terminal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// editor is the text that is being typed, with a cursor that stands between graphemes. It may have several lines.
type editor struct {
	text   string
	at     int // cursor, in bytes
	killed string
}

func (e *editor) set(text string) { e.text, e.at = text, len(text) }

func (e *editor) insert(s string) {
	e.text = e.text[:e.at] + s + e.text[e.at:]
	e.at += len(s)
	e.at = e.boundary(e.at) // a combining character joins what is before or after
}

// boundary is the first grapheme boundary at or after i.
func (e *editor) boundary(i int) int {
	for pos, state, left := 0, -1, e.text; ; {
		if pos >= i || left == "" {
			return pos
		}
		var cluster string
		cluster, left, _, state = uniseg.FirstGraphemeClusterInString(left, state)
		pos += len(cluster)
	}
}

// before is the boundary before the cursor.
func (e *editor) before() int {
	last := 0
	for pos, state, left := 0, -1, e.text; left != ""; {
		var cluster string
		cluster, left, _, state = uniseg.FirstGraphemeClusterInString(left, state)
		if pos += len(cluster); pos >= e.at {
			break
		}
		last = pos
	}
	return last
}

func (e *editor) after() int { return e.boundary(e.at + 1) }

// lineStart and lineEnd are of the line in which the cursor is.
func (e *editor) lineStart() int { return strings.LastIndexByte(e.text[:e.at], '\n') + 1 }

func (e *editor) lineEnd() int {
	if i := strings.IndexByte(e.text[e.at:], '\n'); i >= 0 {
		return e.at + i
	}
	return len(e.text)
}

func (e *editor) wordLeft() int {
	i := e.at
	skip := func(space bool) {
		for i > 0 {
			r, n := utf8.DecodeLastRuneInString(e.text[:i])
			if unicode.IsSpace(r) != space {
				return
			}
			i -= n
		}
	}
	skip(true)
	skip(false)
	return i
}

func (e *editor) wordRight() int {
	i := e.at
	skip := func(space bool) {
		for i < len(e.text) {
			r, n := utf8.DecodeRuneInString(e.text[i:])
			if unicode.IsSpace(r) != space {
				return
			}
			i += n
		}
	}
	skip(true)
	skip(false)
	return i
}

// cut removes a part and puts the cursor there.
func (e *editor) cut(from, to int) string {
	s := e.text[from:to]
	e.text = e.text[:from] + e.text[to:]
	e.at = e.boundary(from) // what stood around the part may have become one grapheme
	return s
}

func (e *editor) kill(from, to int) {
	if from < to {
		e.killed = e.cut(from, to)
	}
}

// edit does what a key asks for that is about the text or the cursor only; other keys do nothing.
func (e *editor) edit(k key) {
	switch k.code {
	case keyText:
		e.insert(k.text)
	case keyPaste:
		e.insert(pasted(k.text))
	case keyNewline:
		e.insert("\n")
	case keyBackspace:
		e.cut(e.before(), e.at)
	case keyDelete:
		e.cut(e.at, e.after())
	case keyKillWord:
		e.kill(e.wordLeft(), e.at)
	case keyKillWordRight:
		e.kill(e.at, e.wordRight())
	case keyKillToStart:
		e.kill(e.lineStart(), e.at)
	case keyKillToEnd:
		e.kill(e.at, e.lineEnd())
	case keyYank:
		e.insert(e.killed)
	case keyTranspose:
		e.transpose()
	default:
		e.move(k)
	}
}

func (e *editor) move(k key) {
	switch k.code {
	case keyLeft:
		e.at = e.before()
	case keyRight:
		e.at = e.after()
	case keyHome:
		e.at = e.lineStart()
	case keyEnd:
		e.at = e.lineEnd()
	case keyWordLeft:
		e.at = e.boundary(e.wordLeft())
	case keyWordRight:
		e.at = e.boundary(e.wordRight())
	}
}

// transpose swaps the graphemes around the cursor, at the end the last two.
func (e *editor) transpose() {
	if e.at == len(e.text) {
		e.at = e.before()
	}
	from, to := e.before(), e.after()
	if from == e.at || to == e.at {
		return
	}
	e.text = e.text[:from] + e.text[e.at:to] + e.text[from:e.at] + e.text[to:]
	e.at = e.boundary(to)
}

// pasted is a pasted text without controls but line ends and tabs; a line end at its end is dropped.
func pasted(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	s = strings.TrimRight(s, "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// layout cuts the text into rows of at most columns and says where the cursor is. The cursor always has a column of its
// own, so rows are one shorter.
func (e *editor) layout(columns int) (rows []string, cursorRow, cursorColumn int) {
	columns = max(columns-1, 2)
	var b strings.Builder
	used, pos, state, left := 0, 0, -1, e.text
	flush := func() {
		rows = append(rows, b.String())
		b.Reset()
		used = 0
	}
	for left != "" {
		if pos == e.at {
			cursorRow, cursorColumn = len(rows), used
		}
		var cluster string
		cluster, left, _, state = uniseg.FirstGraphemeClusterInString(left, state)
		pos += len(cluster)
		if cluster == "\n" {
			flush()
			continue
		}
		shown := clean(cluster)
		if n := width(shown); used+n > columns && used > 0 {
			flush()
			if pos-len(cluster) == e.at {
				cursorRow, cursorColumn = len(rows), 0
			}
		}
		b.WriteString(shown)
		used += width(shown)
	}
	if pos == e.at {
		cursorRow, cursorColumn = len(rows), used
	}
	flush()
	return rows, cursorRow, cursorColumn
}
