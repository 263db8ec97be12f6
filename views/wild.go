package views

import "strings"

// Bounds of what is read as Markdown. The parser takes more than linear time over what nests or does not close, so a
// text over one of these is shown as it was typed.
const (
	maxNesting    = 8   // quotes and lists in one another
	maxDelimiters = 200 // of emphasis, code, links, outside fenced code
	maxLines      = 800 // outside fenced code
)

// wild tells whether text is over a bound.
func wild(text string) bool {
	delimiters, lines, fence := 0, 0, ""
	for line := range strings.SplitSeq(text, "\n") {
		if fence != "" {
			if closes(line, fence) {
				fence = ""
			}
			continue
		}
		lines++
		if fence = opens(line); fence != "" {
			continue
		}
		delimiters += countDelimiters(line)
		if delimiters > maxDelimiters || lines > maxLines || depth(line) > maxNesting {
			return true
		}
	}
	return false
}

// opens returns the run of ` or ~ with which a fenced code block begins at the very beginning of line, or "". A fence
// that is indented may belong to a list and end with it, so it is not taken for one: its text counts.
func opens(line string) string {
	if !strings.HasPrefix(line, "```") && !strings.HasPrefix(line, "~~~") {
		return ""
	}
	run := line[:len(line)-len(strings.TrimLeft(line, line[:1]))]
	if run[0] == '`' && strings.Contains(line[len(run):], "`") {
		return ""
	}
	return run
}

func closes(line, fence string) bool {
	line = strings.TrimRight(line, " \t\r")
	trimmed := strings.TrimLeft(line, " ")
	return len(line)-len(trimmed) <= 3 && len(trimmed) >= len(fence) && strings.Trim(trimmed, fence[:1]) == ""
}

// depth counts the quotes and list markers with which line begins; every two columns of indentation before them count
// as one, since that is the least that one more level needs.
func depth(line string) int {
	markers, columns := 0, 0
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ':
			columns++
		case c == '\t':
			columns += 4
		case c == '>', (c == '-' || c == '*' || c == '+') && endsMarker(line[i+1:]):
			markers++
		default:
			n := len(line[i:]) - len(strings.TrimLeft(line[i:], "0123456789"))
			if end := i + n; n == 0 || end == len(line) || line[end] != '.' && line[end] != ')' || !endsMarker(line[end+1:]) {
				return nesting(markers, columns)
			}
			markers++
			i += n
		}
	}
	return nesting(markers, columns)
}

func endsMarker(s string) bool { return s == "" || s[0] == ' ' || s[0] == '\t' || s[0] == '\r' }

func nesting(markers, columns int) int {
	if markers == 0 {
		return 0
	}
	return markers + max(0, columns-markers)/2
}

// countDelimiters counts what the inline parsers stop at and remember.
func countDelimiters(line string) int {
	n := strings.Count(line, "://") + strings.Count(line, "www.")
	for i := range len(line) {
		switch line[i] {
		case '*', '_', '~', '`', '[', ']', '(', ')', '<':
			n++
		}
	}
	return n
}
