package views

import "strings"

// Bounds of what is read as Markdown. The parser takes more than linear time over what nests or does not close, so a
// text over one of these is shown as it was typed.
const (
	maxNesting    = 8   // quotes and lists in one another
	maxDelimiters = 200 // of emphasis, code, links, outside fenced code
	maxBlocks     = 500 // lines that begin a list item or a quote, or a paragraph
)

// wild tells whether text is over a bound.
func wild(text string) bool {
	delimiters, blocks := 0, 0
	fence, blank := "", true
	for line := range strings.SplitSeq(text, "\n") {
		if fence != "" {
			if closes(line, fence) {
				fence = ""
			}
			continue
		}
		if fence = opens(line); fence != "" {
			blocks++
			continue
		}
		markers, rest := leading(line)
		if markers > maxNesting {
			return true
		}
		if wasBlank := blank; markers > 0 || wasBlank {
			blocks++
		}
		blank = rest == ""
		delimiters += countDelimiters(line)
		if delimiters > maxDelimiters || blocks > maxBlocks {
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

// leading counts the quotes and list markers with which line begins; every two columns of indentation before them
// count as one, since that is the least that one more level needs.
func leading(line string) (markers int, rest string) {
	columns := 0
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ':
			columns++
		case c == '\t':
			columns += 4
		case c == '>':
			markers++
		case (c == '-' || c == '*' || c == '+') && endsMarker(line[i+1:]):
			markers++
		case c >= '0' && c <= '9':
			n := i
			for n < len(line) && line[n] >= '0' && line[n] <= '9' {
				n++
			}
			if n == len(line) || line[n] != '.' && line[n] != ')' || !endsMarker(line[n+1:]) {
				return nesting(markers, columns), line[i:]
			}
			markers++
			i = n
		default:
			return nesting(markers, columns), strings.TrimSpace(line[i:])
		}
	}
	return nesting(markers, columns), ""
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
