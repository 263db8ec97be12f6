package terminal

import (
	"strings"

	"github.com/rivo/uniseg"

	"govor/hub/protocol"
)

// clean makes one line of text from the network safe for a terminal and measurable: no controls, tabs as spaces.
func clean(s string) string {
	return strings.ReplaceAll(protocol.CleanText(s), "\t", "    ")
}

// cleanLines is clean for a text of several lines.
func cleanLines(s string) []string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return lines
}

// width is how many columns s takes on a terminal; s has no controls.
func width(s string) int { return uniseg.StringWidth(s) }

// span is a part of a string, in bytes.
type span struct{ from, to int }

// wrap cuts a line without controls into pieces of at most first, then rest columns: between words (UAX 14) where it
// can, else between graphemes. Spaces at a cut belong to no piece. There is at least one piece; a grapheme wider than
// the limit is a piece of its own. Limits below 1 count as 1.
func wrap(s string, first, rest int) []span {
	w := wrapper{text: s, limit: max(first, 1), rest: max(rest, 1)}
	state, left, from, to := -1, s, 0, 0
	for left != "" {
		var segment string
		segment, left, _, state = uniseg.FirstLineSegmentInString(left, state)
		to += len(segment)
		// An address stays whole where it can: no cut after its / or ?.
		if last := segment[len(segment)-1]; left != "" && last < 0x80 && last != ' ' && last != '-' {
			continue
		}
		w.add(from, to)
		from = to
	}
	return append(w.done, span{w.from, w.trimmed(w.to)})
}

// wrapper is the piece that wrap is filling.
type wrapper struct {
	text        string
	limit, rest int // columns of this piece, of the following ones
	from, to    int
	columns     int // of text[from:to], with the spaces at its end
	done        []span
}

func (w *wrapper) add(from, to int) {
	end := w.trimmedFrom(from, to)
	visible := width(w.text[from:end])
	if w.columns+visible > w.limit && w.columns > 0 {
		w.cut(from)
	}
	if visible <= w.limit {
		w.to = to
		w.columns += visible + (to - end) // spaces are one column each
		return
	}
	state, left := -1, w.text[from:to]
	for left != "" {
		var cluster string
		var columns int
		cluster, left, columns, state = uniseg.FirstGraphemeClusterInString(left, state)
		if w.columns+columns > w.limit && w.to > w.from && cluster != " " {
			w.cut(w.to)
		}
		w.to += len(cluster)
		w.columns += columns
	}
}

// cut ends the piece; the next one begins at next.
func (w *wrapper) cut(next int) {
	w.done = append(w.done, span{w.from, w.trimmed(w.to)})
	w.from, w.to, w.columns, w.limit = next, next, 0, w.rest
}

func (w *wrapper) trimmed(to int) int { return w.trimmedFrom(w.from, to) }

func (w *wrapper) trimmedFrom(from, to int) int {
	for to > from && w.text[to-1] == ' ' {
		to--
	}
	return to
}

// truncate cuts s to at most columns, with an ellipsis where something is missing.
func truncate(s string, columns int) string {
	if width(s) <= columns {
		return s
	}
	used, end, state, left := 0, 0, -1, s
	for left != "" {
		var cluster string
		var n int
		cluster, left, n, state = uniseg.FirstGraphemeClusterInString(left, state)
		if used+n > columns-1 {
			break
		}
		used += n
		end += len(cluster)
	}
	if columns < 1 {
		return ""
	}
	return s[:end] + "…"
}
