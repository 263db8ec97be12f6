package terminal

import (
	"fmt"
	"io"
	"strings"
)

// write gives the terminal everything of one change at once. A terminal that has gone ends the input too.
func (s *screen) write(text string) { _, _ = io.WriteString(s.out, text) }

func (s *screen) sizeNow() (columns, rows int) {
	columns, rows = s.size()
	if columns < 1 || rows < 1 {
		return 80, 24
	}
	return columns, rows
}

// eraseLocked goes to the first row that is drawn and erases from there.
func (s *screen) eraseLocked() string {
	columns, _ := s.sizeNow()
	up := s.cursor
	if columns < s.columns { // most terminals have wrapped the rows that are too long now
		for _, used := range s.drawn[:min(s.cursor, len(s.drawn))] {
			up += max(0, used-1) / columns
		}
		up += s.cursorColumn / columns
	}
	s.drawn, s.cursor = nil, 0
	return "\r" + cursorUp(up) + eraseBelow
}

// redrawLocked erases what is drawn, writes lines above, and draws again below them.
func (s *screen) redrawLocked(above []string) string {
	var b strings.Builder
	if len(s.drawn) > 0 {
		b.WriteString(s.eraseLocked())
	}
	for _, line := range above {
		b.WriteString(line)
		b.WriteString("\r\n")
	}
	columns, height := s.sizeNow()
	rows, cursorRow, cursorColumn := s.rowsLocked(columns, height)
	b.WriteString(wrapOff)
	for i, r := range rows {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(r.text)
		s.drawn = append(s.drawn, r.columns)
	}
	b.WriteString(wrapOn)
	b.WriteString("\r")
	b.WriteString(cursorUp(len(rows) - 1 - cursorRow))
	if cursorColumn > 0 {
		fmt.Fprintf(&b, "\x1b[%dC", cursorColumn)
	}
	s.cursor, s.cursorColumn, s.columns = cursorRow, cursorColumn, columns
	return b.String()
}

// drawnRow is one row with its styles, and how many columns it takes.
type drawnRow struct {
	text    string
	columns int
}

// rowsLocked is what stands below the log: the status, a hint, the text being typed. It never takes the whole height.
func (s *screen) rowsLocked(columns, height int) (rows []drawnRow, cursorRow, cursorColumn int) {
	add := func(style, text string) {
		if text != "" && len(rows) < height-1 {
			text = truncate("* "+text, columns-1)
			rows = append(rows, drawnRow{s.paint.look.set(style, text), width(text)})
		}
	}
	add(s.paint.look.notice(s.kind), s.standing)
	add(s.paint.look.warn, s.hint)
	text, row, column := s.edit.layout(columns - 2)
	fits := max(1, min(maxEditRows, height-len(rows)-1))
	from := 0
	if len(text) > fits {
		from = min(max(0, row-fits/2), len(text)-fits)
		text = text[from : from+fits]
	}
	for i, line := range text {
		prefix := "  "
		if i+from == 0 {
			prefix = s.paint.look.set(s.paint.look.prompt, ">") + " "
		}
		if i+from == row {
			cursorRow = len(rows)
		}
		rows = append(rows, drawnRow{prefix + line, 2 + width(line)})
	}
	return rows, cursorRow, 2 + column
}

func cursorUp(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA", n)
}
