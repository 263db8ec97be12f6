package hub

import (
	"fmt"
	"testing"
)

// A page is read in one or more reads of the store, and its reader goes on after the number that the page names. An edit
// that passes between any two of these steps is in the page, or comes after it.
func TestEditWhileAPageIsReadIsSeen(t *testing.T) {
	for way, read := range map[string]func(w *world, m Member) (History, error){
		"the newest":    func(w *world, m Member) (History, error) { return w.hub.History(w.t.Context(), m, "lobby", 0, 200) },
		"before number": func(w *world, m Member) (History, error) { return w.hub.History(w.t.Context(), m, "lobby", 20, 200) },
		"after number":  func(w *world, m Member) (History, error) { return w.hub.Events(w.t.Context(), m, "lobby", 0, 20) },
		"around number": func(w *world, m Member) (History, error) { return w.hub.Around(w.t.Context(), m, "lobby", 2, 60) },
	} {
		for step := range 4 {
			t.Run(fmt.Sprintf("%s, at step %d", way, step), func(t *testing.T) { testEditWhilePageIsRead(t, step, read) })
		}
	}
}

func testEditWhilePageIsRead(t *testing.T, step int, read func(*world, Member) (History, error)) {
	w := newWorld(t, Limits{})
	author := w.named("Иван")
	author.send(`{"type":"send","id":"first","text":"as it was"}`)
	author.until("ack")
	w.sayMany(30)
	var last int64
	edit := func() {
		author.send(`{"type":"edit","id":"edit","seq":1,"text":"as it is now"}`)
		author.until("ack")
		last = w.say("lobby", "and on it goes") // so that the page may hold something with a higher number
	}
	steps := 0
	w.hub.hooks.paged = func() {
		if steps == step {
			edit()
		}
		steps++
	}
	maria, err := w.hub.Guest(t.Context(), "Мария")
	if err != nil {
		t.Fatal(err)
	}
	page, err := read(w, maria)
	if err != nil {
		t.Fatal(err)
	}
	if last == 0 {
		edit() // after the page, before the hello
	}
	texts := map[int64]string{}
	for _, e := range page.Events {
		texts[e.Seq] = e.Body
	}
	if texts[1] == "" {
		t.Fatalf("the page has %d messages, and not the first", len(page.Events))
	}
	c := w.open(SessionParams{Member: maria})
	c.send(`{"type":"hello","rooms":{"lobby":{"after":%d,"id":%q}}}`, page.Room.Last, page.Room.LastID)
	if f := c.until("joined"); f.After != page.Room.Last {
		t.Fatalf("the reader of a page up to %d goes on after %d", page.Room.Last, f.After)
	}
	for seq := page.Room.Last; seq < last; {
		f := parse(t, c.next())
		switch f.Type {
		case "message":
			texts[f.Seq] = f.Text
		case "edited":
			texts[f.Target] = f.Text
		default:
			continue
		}
		seq = f.Seq
	}
	if texts[1] != "as it is now" || texts[last] != "and on it goes" && page.Room.Last < last {
		t.Errorf("the reader of a page up to %d sees %q and %q", page.Room.Last, texts[1], texts[last])
	}
}
