package terminal

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// styled is a line of a message with what is set off in it.
type styled struct {
	text  string
	marks []mark // ascending, not overlapping
	code  bool   // a line of a code block
}

type mark struct {
	span
	style string
}

// inlinePattern finds, in this order of preference: code (left alone), an address, bold text. Go's regular expressions
// take time in proportion to the text, whatever it is.
var inlinePattern = regexp.MustCompile("`[^`]+`|https?://[^\\s<>\"]+[^\\s<>\"'.,:;!?)»”]|\\*\\*[^\\s*](?:[^*]*[^\\s*])?\\*\\*")

// styleLines sets off what Markdown sets off most: blocks of code, bold, addresses, and a mention of me. Without colour
// the text stays as it was typed. Lines must be clean.
func (p *palette) styleLines(lines []string, me string) []styled {
	var out []styled
	if !p.on {
		for _, line := range lines {
			out = append(out, styled{text: line})
		}
		return out
	}
	fenced := false
	for i, line := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && fenced, fence && hasFence(lines[i+1:]):
			fenced = !fenced
		case fenced:
			out = append(out, styled{text: line, code: true})
		default:
			out = append(out, p.styleLine(line, me))
		}
	}
	return out
}

func hasFence(lines []string) bool {
	for _, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			return true
		}
	}
	return false
}

func (p *palette) styleLine(line, me string) styled {
	var s styled
	var text strings.Builder
	plain := func(part string) {
		for me != "" {
			before, after, found := strings.Cut(part, "@"+me)
			if !found {
				break
			}
			text.WriteString(before)
			if next, _ := utf8.DecodeRuneInString(after); !unicode.IsLetter(next) && !unicode.IsDigit(next) { // else it is a longer name
				s.marks = append(s.marks, mark{span{text.Len(), text.Len() + 1 + len(me)}, p.me})
			}
			text.WriteString("@" + me)
			part = after
		}
		text.WriteString(part)
	}
	at := 0
	for _, m := range inlinePattern.FindAllStringIndex(line, -1) {
		plain(line[at:m[0]])
		found, style := line[m[0]:m[1]], ""
		switch found[0] {
		case '*':
			found, style = found[2:len(found)-2], p.bold
		case 'h':
			style = p.link
		}
		from := text.Len()
		text.WriteString(found)
		if style != "" {
			s.marks = append(s.marks, mark{span{from, text.Len()}, style})
		}
		at = m[1]
	}
	plain(line[at:])
	s.text = text.String()
	return s
}

// piece is a part of the line with its styles.
func (p *palette) piece(s *styled, part span) string {
	var b strings.Builder
	at := part.from
	for _, m := range s.marks {
		from, to := max(m.from, part.from), min(m.to, part.to)
		if from >= to {
			continue
		}
		b.WriteString(s.text[at:from])
		b.WriteString(p.set(m.style, s.text[from:to]))
		at = to
	}
	b.WriteString(s.text[at:part.to])
	return b.String()
}
