package protocol

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Text is the format of plain lines, for people and scripts: what is typed is a message, what arrives is
// "Иван: привет". Lines that begin with "* " are the system's, besides two that the first implementation of the wish
// wrote otherwise: "You are Иван" and "Иван has left". Names never contain ":" nor begin with "*", and every line of a
// message begins with the name again, so no text can forge another person's line.
type Text struct{}

// Key implements Format.
func (Text) Key() string { return "text" }

// Append implements Format.
func (Text) Append(dst []byte, f Frame) []byte {
	switch f := f.(type) {
	case Welcome:
		return append(append(dst, "You are "...), f.Name...)
	case Message:
		return appendLines(dst, f.Event)
	case *Presence:
		return appendPresence(dst, f)
	case Reset:
		return append(dst, "* some of the history cannot be shown"...)
	case *Error:
		dst = fmt.Appendf(dst, "* error %s: %s", f.Code, CleanText(f.Message))
		if f.Why != "" {
			dst = fmt.Appendf(dst, ": %s", CleanText(f.Why))
		}
		if f.RetryAfter > 0 {
			dst = fmt.Appendf(dst, " (try again in %s)", (f.RetryAfter + time.Second - 1).Truncate(time.Second))
		}
		return dst
	case *Notice:
		return appendNotice(dst, f)
	case People:
		return appendHere(dst, f)
	case Moved:
		return append(append(append(dst, "* you are in "...), f.Room...), " now"...)
	case Usage:
		return append(append(dst, "* "...), strings.Join(usage, "\n* ")...)
	default:
		return dst
	}
}

func appendLines(dst []byte, e *Event) []byte {
	switch {
	case e.Kind == KindDeletion:
		return fmt.Appendf(dst, "* %s deleted a message", e.Name)
	case e.Kind == KindEdit && e.Of != nil && e.Of.Erased: // the deletion follows
		return dst
	case e.Kind == KindEdit:
		return appendEach(dst, "* "+e.Name+" edited a message: ", saidBy(e.Name, e.Present()))
	case e.Kind != KindMessage:
		return dst
	case e.Erased:
		return fmt.Appendf(dst, "* a message of %s was deleted", e.Name)
	}
	if what, ok := Doing(e.Body); ok { // no name begins with *, and no line of the system with **
		return appendEach(dst, "** "+e.Name+" ", what)
	}
	return appendEach(dst, e.Name+": ", e.Body)
}

// saidBy is a text as it is quoted, with the name of who does it where it is an action.
func saidBy(name, text string) string {
	if what, ok := Doing(text); ok {
		return name + " " + what
	}
	return text
}

// appendEach writes every line of text behind the same beginning, so that none can be taken for somebody else's.
func appendEach(dst []byte, beginning, text string) []byte {
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if i > 0 {
			dst = append(dst, '\n')
		}
		dst = append(append(dst, beginning...), CleanText(line)...)
	}
	return dst
}

func appendPresence(dst []byte, p *Presence) []byte {
	start := len(dst)
	line := func(s string) {
		if len(dst) > start {
			dst = append(dst, '\n')
		}
		dst = append(dst, s...)
	}
	for _, n := range p.Renamed {
		line("* " + n.Was + " is now " + n.Name)
	}
	for _, name := range p.Joined {
		line("* " + name + " has joined")
	}
	if more := p.JoinedCount - len(p.Joined); more > 0 {
		line("* " + strconv.Itoa(more) + " more have joined")
	}
	for _, name := range p.Left {
		line(name + " has left")
	}
	if more := p.LeftCount - len(p.Left); more > 0 {
		line("* " + strconv.Itoa(more) + " more have left")
	}
	return dst
}

// Decode implements Format: the whole frame is the message, or a command; one line end at its end is dropped.
func (Text) Decode(data []byte) (Command, *Error) {
	s := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if a, ok, bad := ParseAct(s); ok {
		if bad != nil {
			return nil, bad
		}
		return a, nil
	}
	if c, ok, bad := parseLine(s); ok {
		return c, bad
	}
	return Send{Text: s}, nil
}

// CleanText replaces by U+FFFD what could move a cursor, colour a terminal or reorder a line: C0 (but tab), DEL and C1
// controls, line and paragraph separators, and the bidirectional controls of Unicode.
func CleanText(s string) string {
	for _, r := range s {
		if !harmless(r) && (misleads(r) || r == unicode.ReplacementChar) { // the latter perhaps for a byte that is none
			return strings.Map(func(r rune) rune {
				if misleads(r) {
					return unicode.ReplacementChar
				}
				return r
			}, s)
		}
	}
	return s
}

// harmless tells at once of nearly all characters that they stay.
func harmless(r rune) bool { return ' ' <= r && r <= '~' || 'А' <= r && r <= 'я' }

// misleads tells the characters that CleanText replaces.
func misleads(r rune) bool {
	return unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u2029' || isBidiControl(r)
}

// isBidiControl tells the characters of the property Bidi_Control (UAX 9).
func isBidiControl(r rune) bool {
	return r == '\u061c' || r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}
