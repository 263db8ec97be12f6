package views

import (
	"fmt"
	"strings"
	"testing"

	"govor/hub/protocol"
)

func TestCacheKeepsToItsSize(t *testing.T) {
	const limit = 10_000
	m := newMarkdown(limit)
	c := m.kept
	for i := range 500 {
		m.render(fmt.Sprintf("текст %d %s", i, strings.Repeat("x", i*40)), "")
		if c.size > limit {
			t.Fatalf("the cache has %d bytes, want at most %d", c.size, limit)
		}
	}
	m.render("короткий", "")
	m.render("короткий", "мария:1") // in place of the one before
	if c.lru.Len() == 0 || c.lru.Len() > limit/cacheEntryBytes {
		t.Errorf("the cache has %d entries", c.lru.Len())
	}
	sum := 0
	for _, key := range c.lru.Keys() {
		h, _ := c.lru.Peek(key)
		sum += c.sizeOf(key, h)
	}
	if sum != c.size {
		t.Errorf("the entries have %d bytes, counted are %d", sum, c.size)
	}
}

func TestForget(t *testing.T) {
	v := newViews(t)
	v.Forget("") // what was rendered at the start
	p := sampleRoom(samplePage(v, Russian))
	p.Messages = []protocol.Event{said(1, maria, 9, 0, "**да**"), said(2, maria, 9, 1, "нет"), said(3, maria, 9, 2, "и"), said(4, maria, 9, 9, "**да**")}
	render(t, v, sample{"room", p})
	v.Forget("**да**")
	_, gone := v.markdown.kept.get("**да**")
	if _, other := v.markdown.kept.get("нет"); gone || !other {
		t.Error("Forget does not forget this text and no other")
	}
	for _, k := range v.fragments.kept.lru.Keys() {
		if f, _ := v.fragments.kept.get(k); f.event.Body == "**да**" || strings.Contains(string(f.html), "да") {
			t.Errorf("after Forget, message %d is kept as %s", k.seq, f.html)
		}
	}
	if n := v.fragments.kept.lru.Len(); n != 2 {
		t.Errorf("%d messages are kept, want 2", n)
	}
	v.Forget("")
	if texts, messages := v.markdown.kept, v.fragments.kept; texts.size != 0 || texts.lru.Len() != 0 || messages.size != 0 || messages.lru.Len() != 0 {
		t.Errorf("after Forget of everything: %d texts, %d bytes, %d messages, %d bytes", texts.lru.Len(), texts.size, messages.lru.Len(), messages.size)
	}
}

// A page is the same whether its messages were kept or not, whoever looks and whatever has become of the messages.
func TestKeptMessagesAreTheSame(t *testing.T) {
	kept := newViews(t)
	edited := said(2, petr, 9, 1, "@Мария, да")
	edited.Body, edited.Changed, edited.ChangedAt = "@Мария, нет", 9, edited.At+60_000
	erased := said(2, petr, 9, 1, "")
	erased.Erased, erased.Changed, erased.ChangedAt = true, 10, edited.At+70_000
	calls := said(3, petr, 9, 2, "@Мария, да")
	renamed := said(1, maria, 9, 0, "привет")
	renamed.Name = "Марья"
	for _, locale := range []string{Russian, English} {
		for i, messages := range [][]protocol.Event{
			{said(1, maria, 9, 0, "привет"), said(2, petr, 9, 1, "@Мария, да"), calls},
			{said(1, maria, 9, 0, "привет"), edited, calls},
			{said(1, maria, 9, 0, "привет"), erased, calls},
			{said(2, petr, 9, 1, "@Мария, да"), calls, said(4, petr, 9, 3, "да")},
			{renamed, said(2, petr, 9, 30, "@Мария, да"), calls},
		} {
			for _, me := range []protocol.MemberID{maria.Member, petr.Member, {9}} {
				for _, target := range []int64{0, 2} {
					page := func(v *Views) string {
						p := sampleRoom(samplePage(v, locale))
						p.Messages, p.Me, p.Target = messages, me, target
						return render(t, v, sample{"room", p})
					}
					first, again, want := page(kept), page(kept), page(newViews(t))
					if first != want || again != want {
						t.Errorf("%s, messages %d, seen by %s, about %d: a page of kept messages is\n%s\n%s\nwant\n%s", locale, i, me, target, first, again, want)
					}
				}
			}
		}
	}
	if kept.fragments.kept.lru.Len() == 0 {
		t.Error("nothing was kept")
	}
}

// A page is rendered in many pieces, with those who talk in between: before each message, and between the words.
func TestPagesGiveWay(t *testing.T) {
	v := newViews(t)
	given := func(messages []protocol.Event) (n int) {
		p := sampleRoom(samplePage(v, Russian))
		p.Messages = messages
		p.GiveWay = func() { n++ }
		render(t, v, sample{"room", p})
		return n
	}
	messages := sampleRoom(samplePage(v, Russian)).Messages
	given(messages) // they are kept from now on
	if without, with := given(nil), given(messages); without < 20 || with < without+len(messages) {
		t.Errorf("a page gives way %d times, with %d messages %d times", without, len(messages), with)
	}
}
