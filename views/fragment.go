package views

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"govor/hub/protocol"
)

// fragmentCacheBytes bounds what is kept of messages as pages show them.
const fragmentCacheBytes = 8 << 20

// fragmentBytes is what a fragment and its key are themselves, roughly.
const fragmentBytes = 512

// fragments renders messages for pages of history and remembers the result: a page is mostly messages, and those of a busy
// room are asked for again and again. Its methods may be called from any goroutine.
type fragments struct {
	// Fixed at construction.
	parts *template.Template

	kept *cache[fragmentKey, fragment]
}

// fragmentKey is a message, and what its markup depends on besides.
type fragmentKey struct {
	room, seq    int64
	locale       string
	zone         *time.Location
	reader       protocol.MemberID // who looks, if the text mentions them; else zero
	own, grouped bool
	target       bool
}

// fragment is a message as it was when it was rendered.
type fragment struct {
	event protocol.Event
	html  safeHTML
}

func newFragments(parts *template.Template, limit int) *fragments {
	return &fragments{parts: parts, kept: newCache(limit, func(_ fragmentKey, f fragment) int {
		e := &f.event
		return fragmentBytes + len(f.html) + len(e.Room) + len(e.ID) + len(e.Name) + len(e.NameKey) + len(e.Body) + len(e.Mentions)
	})}
}

// render returns the markup of a message, the same as of partials/message.
func (f *fragments) render(m messageView) (safeHTML, error) {
	k := fragmentKey{room: m.event.RoomID, seq: m.event.Seq, locale: m.words.locale, zone: m.zone, own: m.Own, grouped: m.Grouped, target: m.Target}
	if m.event.Mentions.Has(m.Reader) {
		k.reader = m.Reader
	}
	if kept, ok := f.kept.get(k); ok && kept.event == *m.event {
		return kept.html, nil
	}
	h, err := f.execute("partials/message", m)
	if err == nil {
		f.kept.put(k, fragment{*m.event, h})
	}
	return h, err
}

// log returns the markup of the lines, one below the other.
func (f *fragments) log(lines []line, giveWay func()) (safeHTML, error) {
	parts := make([]string, len(lines))
	for i, l := range lines {
		if giveWay != nil {
			giveWay()
		}
		h, err := f.line(l)
		if err != nil {
			return "", err
		}
		parts[i] = string(h)
	}
	return safeHTML(strings.Join(parts, "")), nil // of what is safe
}

func (f *fragments) line(l line) (safeHTML, error) {
	if l.Message != nil {
		return f.render(*l.Message)
	}
	return f.execute("partials/line", l)
}

// scriptLists renders #words.
func (f *fragments) scriptLists(w *words) (l scriptLists, err error) {
	for _, list := range []struct {
		to   *safeHTML
		keys []string
	}{{&l.login, loginWords}, {&l.room, scriptWords}, {&l.host, slices.Concat(scriptWords, hostWords)}} {
		if *list.to, err = f.execute("partials/words", w.forScripts(list.keys)); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (f *fragments) execute(part string, data any) (safeHTML, error) {
	var b strings.Builder
	if err := f.parts.ExecuteTemplate(&b, part, data); err != nil {
		return "", fmt.Errorf("render %s: %w", part, err)
	}
	return safeHTML(b.String()), nil // what html/template made
}

// forget drops what was kept of messages with this text, or with "" everything.
func (f *fragments) forget(text string) {
	if text == "" {
		f.kept.dropAll()
		return
	}
	f.kept.drop(func(_ fragmentKey, kept fragment) bool { return kept.event.Body == text })
}
