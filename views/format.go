package views

import (
	"bytes"
	"html/template"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"govor/hub/protocol"
)

// htmlFormat is govor.v1.html in one language: every frame is a fragment of the page, specified in docs/design.md.
// Its methods may be called from any goroutine.
type htmlFormat struct {
	// Fixed at construction.
	views *Views
	words *words
	key   string

	list atomic.Pointer[peopleList]
}

func newFormat(v *Views, w *words) *htmlFormat {
	return &htmlFormat{views: v, words: w, key: protocol.SubprotocolHTML + ";" + w.locale}
}

// Key implements protocol.Format.
func (f *htmlFormat) Key() string { return f.key }

// Decode implements protocol.Format: the page sends the commands of the JSON format.
func (f *htmlFormat) Decode(data []byte) (protocol.Command, *protocol.Error) {
	return protocol.DecodeCommand(data)
}

// Append implements protocol.Format.
func (f *htmlFormat) Append(dst []byte, frame protocol.Frame) []byte {
	switch frame := frame.(type) {
	case protocol.Message:
		return f.event(dst, frame.Event)
	case *protocol.Presence:
		for _, n := range f.words.news(frame) {
			dst = f.render(dst, "partials/system", n)
		}
		return f.crowd(dst, frame.People, frame.Online)
	case protocol.Receipt:
		return appendFacts(dst, "ack", "", "id", frame.ID, "room", frame.Room, "seq", itoa(frame.Seq),
			"duplicate", strconv.FormatBool(frame.Duplicate))
	case protocol.Welcome:
		return appendFacts(dst, "welcome", "", "session", frame.Session, "member", frame.Member.String(),
			"name", frame.Name, "hue", strconv.Itoa(hue(frame.Name)), "initials", initials(frame.Name), "max-text", strconv.Itoa(frame.MaxText))
	case protocol.Joined:
		dst = appendFacts(dst, "joined", "", "room", frame.Room, "after", itoa(frame.After), "last", itoa(frame.Last),
			"online", strconv.Itoa(frame.Online))
		return f.crowd(dst, frame.People, frame.Online)
	case protocol.Reset:
		return appendFacts(dst, "reset", "", "room", frame.Room, "reason", string(frame.Reason),
			"after", itoa(frame.After), "last", itoa(frame.Last))
	case *protocol.Error:
		return appendFacts(dst, "error", f.sentence(frame), "code", string(frame.Code), "id", frame.ID, "room", frame.Room,
			"retry-after-ms", itoa(frame.RetryAfter.Milliseconds()), "suggestion", frame.Suggestion)
	case *protocol.Notice:
		return f.tell(dst, frame)
	case protocol.Left:
		return appendFacts(dst, "left", "", "room", frame.Room)
	case protocol.News:
		return appendFacts(dst, "news", "", "room", frame.Room, "last", itoa(frame.Last), "messages", itoa(frame.Messages),
			"mentions", strconv.Itoa(frame.Mentions))
	case protocol.ReadMark:
		return appendFacts(dst, "read", "", "room", frame.Room, "seq", itoa(frame.Seq), "messages", itoa(frame.Messages))
	case protocol.Pong:
		return appendFacts(dst, "pong", "")
	default:
		return dst
	}
}

// changes names the control frame of an event that changes a message.
var changes = map[protocol.Kind]string{protocol.KindEdit: "edited", protocol.KindDeletion: "deleted"}

// event is a message, or what has become of one.
func (f *htmlFormat) event(dst []byte, e *protocol.Event) []byte {
	m := messageView{words: f.words, markdown: f.views.markdown, event: e, zone: time.Local}
	switch e.Kind {
	case protocol.KindMessage:
	case protocol.KindEdit, protocol.KindDeletion:
		dst = appendFacts(dst, changes[e.Kind], "", "room", e.Room, "seq", itoa(e.Seq), "id", e.ID, "target", itoa(e.Target))
		if e.Of == nil {
			return dst
		}
		m.event, m.Change = e.Of, true
	default:
		return dst
	}
	return f.render(dst, "partials/message", m)
}

// crowd is who is in the room, for the column and the header. The list is rendered anew only when it has changed: when
// thousands come back at once, the first hundred names are mostly the same and only the count is not.
func (f *htmlFormat) crowd(dst []byte, people []protocol.Person, online int) []byte {
	c := crowd{Page: Page{words: f.words}, People: people, Online: online}
	list := f.list.Load()
	if list == nil || !slices.Equal(list.people, people) {
		list = &peopleList{people: slices.Clone(people), html: f.render(nil, "partials/people", c)}
		f.list.Store(list)
	}
	dst = append(dst, list.html...)
	for _, part := range []string{"partials/online", "partials/here", "partials/more"} {
		dst = f.render(dst, part, c)
	}
	return dst
}

// peopleList is a list of people as it was last rendered.
type peopleList struct {
	people []protocol.Person
	html   []byte
}

// sentence is what went wrong in the language of the page.
func (f *htmlFormat) sentence(e *protocol.Error) string {
	return f.words.refusal(e)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled bounds the buffers that are kept, in bytes.
const maxPooled = 64 << 10

func (f *htmlFormat) render(dst []byte, name string, data any) []byte {
	b, _ := buffers.Get().(*bytes.Buffer)
	b.Reset()
	if err := f.views.parts.ExecuteTemplate(b, name, data); err != nil {
		// Templates are checked when the program starts, and a buffer takes everything.
		panic("render " + name + ": " + err.Error())
	}
	dst = append(dst, b.Bytes()...)
	if b.Cap() <= maxPooled {
		buffers.Put(b)
	}
	return dst
}

// appendFacts writes the <template> of a control frame; facts are pairs of name and value.
func appendFacts(dst []byte, frame, sentence string, facts ...string) []byte {
	dst = append(append(dst, `<template data-frame="`...), frame...)
	for i := 0; i+1 < len(facts); i += 2 {
		dst = append(append(append(dst, `" data-`...), facts[i]...), `="`...)
		dst = append(dst, template.HTMLEscapeString(facts[i+1])...)
	}
	dst = append(dst, `">`...)
	dst = append(dst, template.HTMLEscapeString(sentence)...)
	return append(dst, `</template>`...)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
