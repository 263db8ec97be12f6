package views

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"govor/hub/protocol"
)

// groupGap is how far apart two messages of a group may be.
const groupGap = 5 * time.Minute

// stampFormat is RFC 3339 in UTC, of times that are.
const stampFormat = "2006-01-02T15:04:05.000Z"

// messageView is a message as partials/message.html shows it. Without Own and Grouped it holds facts only, and one
// rendering serves everybody of a language; decorate.js sets the same two on live messages.
type messageView struct {
	words    *words
	markdown *markdown
	event    *protocol.Event
	zone     *time.Location

	Reader  protocol.MemberID // who looks; zero = whoever does
	Own     bool              // of that member
	Mine    bool              // mentions that member
	Grouped bool              // goes on what the message before it began
	Change  bool              // takes the place of the message on the page, if that is there, and is not added
	Target  bool              // the page is about it
	Pending bool              // the markup for a message that is not stored yet
}

// T is the text of key.
func (m messageView) T(key string, args ...any) (string, error) { return m.words.T(key, args...) }

// ID is the id of the element, "" for a message that has no number yet.
func (m messageView) ID() string {
	if m.event.Seq == 0 {
		return ""
	}
	return "m-" + strconv.FormatInt(m.event.RoomID, 10) + "-" + strconv.FormatInt(m.event.Seq, 10)
}

// Seq is the number in the room.
func (m messageView) Seq() int64 { return m.event.Seq }

// SendID is the id that its author gave it.
func (m messageView) SendID() string { return m.event.ID }

// Member is the author.
func (m messageView) Member() string { return m.event.Member.String() }

// Name is the author's name.
func (m messageView) Name() string { return m.event.Name }

// At is when, in Unix milliseconds.
func (m messageView) At() int64 { return m.event.At }

// Stamp is when, for a machine.
func (m messageView) Stamp() string { return m.event.Time().Format(stampFormat) }

// Clock is when, for the eye.
func (m messageView) Clock() string { return m.event.Time().In(m.zone).Format("15:04") }

// Hue is the colour of the name.
func (m messageView) Hue() int { return hue(m.event.Name) }

// Initials stand in the round picture.
func (m messageView) Initials() string { return initials(m.event.Name) }

// Erased tells that the text was taken away.
func (m messageView) Erased() bool { return m.event.Erased }

// Changed is the number of the event that changed it last, 0 if none did.
func (m messageView) Changed() int64 { return m.event.Changed }

// Edited tells that it has another text than at first.
func (m messageView) Edited() bool { return m.event.Changed > 0 && !m.event.Erased }

// EditStamp is when it was edited last, for a machine.
func (m messageView) EditStamp() string {
	return time.UnixMilli(m.event.ChangedAt).UTC().Format(stampFormat)
}

// EditTime is the same for the eye.
func (m messageView) EditTime() string {
	return time.UnixMilli(m.event.ChangedAt).In(m.zone).Format("2006-01-02 15:04")
}

// Tools tells that something can be done with it: it is stored, and its text is there.
func (m messageView) Tools() bool { return m.event.Seq > 0 && !m.event.Erased }

// Href is the page about it, where it is edited and deleted without scripts.
func (m messageView) Href() string {
	return "/r/" + url.PathEscape(m.event.Room) + "/messages/" + strconv.FormatInt(m.event.Seq, 10)
}

// Emoji tells that the text is nothing but one to three emoji, which are shown large.
func (m messageView) Emoji() bool { return !m.event.Erased && onlyEmoji(m.event.Body) }

// Mentions are the members whom the text names, with commas between them. The page knows who looks.
func (m messageView) Mentions() string { return strings.Join(m.event.Mentions.Members(), ",") }

// Does tells that it is an action: what its author does stands behind the name.
func (m messageView) Does() bool { return does(m.event) }

func does(e *protocol.Event) bool {
	_, ok := protocol.Doing(e.Body)
	return ok
}

// shown is what of a text is shown as such.
func shown(text string) string {
	if what, ok := protocol.Doing(text); ok {
		return what
	}
	return text
}

// Body is the text as HTML. What calls the member who looks is marked, as decorate.js does it on live messages.
func (m messageView) Body() safeHTML {
	h := m.markdown.render(shown(m.event.Body), m.event.Mentions)
	if m.Reader.IsZero() || !m.event.Mentions.Has(m.Reader) {
		return h
	}
	return markMe(h, m.Reader)
}

func (p Page) message(e *protocol.Event) messageView {
	return messageView{words: p.words, markdown: p.markdown, event: e, zone: p.zone()}
}

// line is one <li> of the log: a date, the beginning of history, or a message.
type line struct {
	Page
	Date    string // 2026-11-23, or ""
	Label   string // the date as shown
	Start   bool
	Fresh   bool // the line before what is unread
	Message *messageView
}

// Log is the log of the page.
func (p RoomPage) Log() (safeHTML, error) { return p.fragments.log(p.lines(), p.GiveWay) }

func (p RoomPage) lines() []line {
	lines := make([]line, 0, len(p.Messages)+4)
	fresh := p.firstFresh()
	day := ""
	var last *protocol.Event
	for i := range p.Messages {
		e := &p.Messages[i]
		if e.Kind != protocol.KindMessage {
			continue
		}
		if date := e.Time().In(p.zone()).Format(time.DateOnly); date != day {
			day, last = date, nil
			lines = append(lines, line{Page: p.Page, Date: date, Label: p.dateLabel(e.Time())})
			if len(lines) == 1 && p.Older == 0 {
				lines = append(lines, line{Page: p.Page, Start: true})
			}
		}
		if i == fresh {
			lines, last = append(lines, line{Page: p.Page, Fresh: true}), nil
		}
		m := p.message(e)
		m.Reader = p.Me
		m.Own = e.Member == p.Me
		m.Mine = !m.Own && e.Mentions.Has(p.Me)
		m.Target = e.Seq == p.Target
		m.Grouped = last != nil && !does(last) && !does(e) && last.Member == e.Member && e.Time().Sub(last.Time()) <= groupGap
		lines = append(lines, line{Message: &m})
		last = e
	}
	return lines
}

// day is a date within a sentence.
func (p Page) day(t time.Time) string {
	label := p.dateLabel(t)
	if label == p.words.must("log.today") || label == p.words.must("log.yesterday") {
		return strings.ToLower(label)
	}
	return label
}

// when is a moment within a sentence, and its stamp, by which a script writes it in the zone of who reads.
func (p Page) when(t time.Time) moment {
	clock := t.In(p.zone()).Format("15:04")
	return moment{Stamp: t.UTC().Format(stampFormat), Text: p.words.must("log.when", "day", p.day(t), "time", clock)}
}

type moment struct{ Stamp, Text string }

// dateLabel writes a day as people say it.
func (p Page) dateLabel(t time.Time) string {
	t, now := t.In(p.zone()), p.Now.In(p.zone())
	switch t.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return p.words.must("log.today")
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return p.words.must("log.yesterday")
	}
	key := "log.date"
	if t.Year() != now.Year() {
		key = "log.date.year"
	}
	month := strings.Split(p.words.must("log.months"), "|")[t.Month()-1]
	return p.words.must(key, "d", t.Day(), "month", month, "y", t.Year())
}
