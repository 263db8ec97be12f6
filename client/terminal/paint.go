package terminal

import (
	"fmt"
	"strings"
	"time"

	"govor/hub/protocol"
)

// painter turns what happened into lines. What it returns is safe for a terminal: every text from the network has been
// cleaned, and only the painter's own styles are in it.
type painter struct {
	words *words
	look  palette
	now   func() time.Time
	zone  *time.Location

	// Owned by whoever paints.
	me   string // one's own name
	last string // the local day of the last message
}

// hang is the column under which a message's further lines stand: that of the name.
const hang = len("15:04 ")

// rule returns the date line if at is on another day than the message before, else "".
func (p *painter) rule(at time.Time, columns int) string {
	at = at.In(p.zone)
	day := at.Format(time.DateOnly)
	if day == p.last {
		return ""
	}
	p.last = day
	now := p.now().In(p.zone)
	var title string
	switch day {
	case now.Format(time.DateOnly):
		title = p.words.today
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		title = p.words.yesterday
	default:
		title = p.words.date(at, at.Year() != now.Year())
	}
	s := truncate("── "+title+" ", columns)
	return p.look.set(p.look.dim, s+strings.Repeat("─", max(0, columns-width(s))))
}

// message returns the lines of a message for a terminal of so many columns.
func (p *painter) message(e *protocol.Event, columns int) []string {
	at := e.Time().In(p.zone).Format("15:04")
	name := clean(e.Name)
	style := p.look.names[nameHue(e.Name)]
	if name == p.me && style != "" {
		style = p.look.own + ";" + style
	}
	before, after, body := around(e)
	head := p.look.set(p.look.dim, at) + " " + before + p.look.set(style, name) + after
	if e.Erased {
		return []string{head + p.look.set(p.look.dim, p.words.erased)}
	}
	var out []string
	indent := strings.Repeat(" ", hang)
	first := columns - hang - len(before) - width(name) - len(after)
	if e.Changed > 0 {
		head += p.edited()
		first -= width(p.words.edited) + 3
	}
	if first < 8 { // a long name on a narrow terminal: the text begins below it
		out = append(out, strings.TrimSuffix(head, " "))
		head, first = indent, columns-hang
	}
	bar := p.look.set(p.look.dim, "│") + " "
	for i, line := range p.look.styleLines(cleanLines(body), p.me) {
		prefix, room, rest := head, first, columns-hang
		if i > 0 {
			prefix, room = indent, columns-hang
		}
		if line.code {
			if i == 0 {
				out = append(out, strings.TrimSuffix(head, " "))
			}
			prefix, room, rest = indent+bar, columns-hang-2, columns-hang-2
		}
		for _, part := range wrap(line.text, room, rest) {
			out = append(out, prefix+p.look.piece(&line, part))
			prefix = indent
			if line.code {
				prefix += bar
			}
		}
	}
	return out
}

// around is what stands before and after the name, and the text behind it: of an action, what somebody does.
func around(e *protocol.Event) (before, after, body string) {
	if what, ok := protocol.Doing(e.Body); ok {
		return "* ", " ", what
	}
	return "", ": ", e.Body
}

// plain returns the lines of a message for a pipe: each begins with the time and the name, so that no text can pass
// for somebody else's line.
func (p *painter) plain(e *protocol.Event) []string {
	at := p.look.set(p.look.dim, e.Time().In(p.zone).Format("15:04"))
	name := clean(e.Name)
	before, after, body := around(e)
	head := at + " " + before + p.look.set(p.look.names[nameHue(e.Name)], name) + after
	if e.Erased {
		return []string{head + p.look.set(p.look.dim, p.words.erased)}
	}
	if e.Changed > 0 {
		head += p.edited()
	}
	var out []string
	for _, line := range cleanLines(body) {
		out = append(out, head+line)
	}
	return out
}

// edited stands before a text that is not the first one.
func (p *painter) edited() string { return p.look.set(p.look.dim, "("+p.words.edited+")") + " " }

// presence returns the system lines for who is called otherwise, came and left: one each for one or two, one for all when there are more.
func (p *painter) presence(f *protocol.Presence) []string {
	var out []string
	for _, n := range f.Renamed {
		out = append(out, fmt.Sprintf(p.words.renamed, clean(n.Was), clean(n.Name)))
	}
	joined, left := max(f.JoinedCount, len(f.Joined)), max(f.LeftCount, len(f.Left))
	if joined+left > 2 {
		return append(out, p.words.events(joined+left, joined, left))
	}
	for _, name := range f.Joined {
		out = append(out, fmt.Sprintf(p.words.joined, clean(name)))
	}
	for _, name := range f.Left {
		out = append(out, fmt.Sprintf(p.words.left, clean(name)))
	}
	return out
}

// system returns a "* " line, wrapped, in a style; columns 0 = not wrapped. text must be clean.
func (p *painter) system(style, text string, columns int) []string {
	if columns <= 0 {
		return []string{p.look.set(style, "* "+text)}
	}
	var out []string
	prefix := "* "
	for _, part := range wrap(text, columns-2, columns-2) {
		out = append(out, p.look.set(style, prefix+text[part.from:part.to]))
		prefix = "  "
	}
	return out
}
