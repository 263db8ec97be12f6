package views

import (
	"cmp"

	"govor/hub/protocol"
)

// crowd is who is in a room: the people column and the count in the header.
type crowd struct {
	Page

	Me     protocol.MemberID // who looks; nobody in live fragments
	People []protocol.Person
	Online int
}

// More is how many there are besides those who are listed.
func (c crowd) More() int { return max(0, c.Online-len(c.People)) }

// Rows are the people listed.
func (c crowd) Rows() []personView {
	rows := make([]personView, len(c.People))
	for i, p := range c.People {
		rows[i] = personView{
			Member: p.Member.String(), Name: p.Name, Initials: initials(p.Name), Hue: hue(p.Name),
			Own: !c.Me.IsZero() && p.Member == c.Me, Role: c.words.roleName(p.Role),
		}
	}
	return rows
}

// personView is one row.
type personView struct {
	Member, Name, Initials string
	Hue                    int
	Own                    bool
	Role                   string // as shown, "" = none
}

// news is what a presence frame adds to the log.
type news struct {
	words *words

	At      int64  // Unix milliseconds
	Kind    string // "presence" if it is ""
	Text    string
	Details []string // names, when Text only counts
}

// Of is what the line is about.
func (n news) Of() string { return cmp.Or(n.Kind, "presence") }

// maxNewsLines is how many comings and goings of one frame get a line each; more are counted in one line.
const maxNewsLines = 2

func (w *words) news(p *protocol.Presence) []news {
	at := p.At.UnixMilli()
	var list []news
	for _, n := range p.Renamed {
		list = append(list, news{words: w, At: at, Text: w.must("sys.nick", "old", isolate(n.Was), "new", isolate(n.Name))})
	}
	if p.JoinedCount+p.LeftCount > maxNewsLines {
		n := news{words: w, At: at, Text: w.must("sys.many", "n", p.JoinedCount+p.LeftCount, "j", p.JoinedCount, "l", p.LeftCount)}
		n.addNames("sys.joined", p.Joined, p.JoinedCount)
		n.addNames("sys.gone", p.Left, p.LeftCount)
		return append(list, n)
	}
	for _, name := range p.Joined {
		list = append(list, news{words: w, At: at, Text: w.must("sys.join", "name", isolate(name))})
	}
	for _, name := range p.Left {
		list = append(list, news{words: w, At: at, Text: w.must("sys.left", "name", isolate(name))})
	}
	return list
}

func (n *news) addNames(key string, names []string, count int) {
	if count == 0 {
		return
	}
	text := ""
	for i, name := range names {
		if i > 0 {
			text += ", "
		}
		text += isolate(name)
	}
	if more := count - len(names); more > 0 {
		text += " " + n.words.must("sys.more", "n", more)
	}
	n.Details = append(n.Details, n.words.must(key, "names", text))
}

// isolate keeps the direction of a name from spilling into the sentence around it (UAX 9, first strong isolate). It
// is for names within a text; names of their own are <bdi>.
func isolate(name string) string { return "\u2068" + name + "\u2069" }
