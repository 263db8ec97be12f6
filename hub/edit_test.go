package hub

import (
	"net/netip"
	"strings"
	"sync"
	"testing"

	"govor/hub/protocol"
)

func TestEditReachesEverybody(t *testing.T) {
	var forgotten, rendered sync.Map
	w := newWorld(t, Limits{})
	w.hub.forget = func(text string) { forgotten.Store(text, true) }
	w.hub.prerender = func(text string, _ protocol.Mentions) { rendered.Store(text, true) }
	reader := w.named("Анна")
	reader.hello(0)
	lines := w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Пётр"}})
	c, seq := w.author()
	for f := reader.until("message"); f.Seq != seq; f = reader.until("message") {
	}
	c.send(`{"type":"edit","id":"e1","seq":%d,"text":"new\ntext"}`, seq)
	ack := c.until("ack")
	if ack.ID != "e1" || ack.Room != "lobby" || ack.Seq != seq+4 || ack.Duplicate {
		t.Errorf("receipt = %+v", ack)
	}
	if f := reader.until("edited"); f.Seq != ack.Seq || f.ID != "e1" || f.Room != "lobby" || f.From != "Иван" || f.Text != "new\ntext" {
		t.Errorf("edited = %+v", f)
	}
	for lines.next() != "* Иван edited a message: new\n* Иван edited a message: text" {
	}
	if _, ok := forgotten.Load(canary); !ok {
		t.Error("the caches were not told")
	}
	if _, ok := rendered.Load("new\ntext"); ok {
		t.Error("Markdown was rendered for nobody")
	}
	c.send(`{"type":"edit","id":"e1","seq":%d,"text":"new\ntext"}`, seq)
	if again := c.until("ack"); !again.Duplicate || again.Seq != ack.Seq || again.ID != "e1" {
		t.Errorf("a retry = %+v", again)
	}
	next := w.say("lobby", "next")
	reader.wantRun(next, next)
}

func TestEditsThatAreRefused(t *testing.T) {
	w := newWorld(t, Limits{MaxText: 10})
	c, seq := w.author()
	for _, tt := range []struct {
		command string
		code    protocol.Code
	}{
		{`{"type":"edit","id":"a","seq":2,"text":"x"}`, protocol.CodeNotYours},
		{`{"type":"edit","id":"b","seq":99,"text":"x"}`, protocol.CodeNoTarget},
		{`{"type":"edit","id":"c","seq":1,"text":" \n "}`, protocol.CodeEmpty},
		{`{"type":"edit","id":"d","seq":1,"text":"12345678901"}`, protocol.CodeTooLong},
		{`{"type":"edit","id":"e","room":"club","seq":1,"text":"x"}`, protocol.CodeNotInRoom},
		{`{"type":"edit","id":"f g","seq":1,"text":"x"}`, protocol.CodeBadID},
		{`{"type":"edit","id":"said","seq":1,"text":"x"}`, protocol.CodeIDReused},
	} {
		c.send("%s", tt.command)
		if f := c.until("error"); f.Code != string(tt.code) {
			t.Errorf("%s = %+v, want %s", tt.command, f, tt.code)
		}
	}
	guest, err := w.hub.Guest(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.hub.Edit(t.Context(), guest, netip.MustParseAddr("127.0.0.1"), protocol.Edit{Room: "lobby", Seq: seq, Text: "x"})
	if e := asProtocol(err); e.Code != protocol.CodeNotYours || e.ID == "" || e.Room != "lobby" {
		t.Errorf("by HTTP = %+v", e)
	}
	if w.store.Position() != 5 {
		t.Errorf("Position = %d: a refusal was stored", w.store.Position())
	}
}

// Who catches up gets the text that counts, in the message and in every edit of it, also from a block that another was
// given before.
func TestCatchUpHasThePresentText(t *testing.T) {
	w := newWorld(t, Limits{})
	c, seq := w.author()
	edit := func(id, text string) int64 {
		c.send(`{"type":"edit","id":%q,"seq":%d,"text":%q}`, id, seq, text)
		return c.until("ack").Seq
	}
	other := w.named("Анна")
	other.hello(0)
	other.wantRun(1, seq+3)
	edit("e1", "second")
	last := edit("e2", "third")
	late := w.named("Пётр")
	late.hello(0)
	texts := map[string]int{}
	for {
		raw := late.next()
		if strings.Contains(raw, canary) || strings.Contains(raw, "second") {
			t.Fatalf("an old text: %s", raw)
		}
		f := parse(t, raw)
		if f.Text == "third" {
			texts[f.Type]++
		}
		if f.Seq == last && f.Type == "edited" {
			break
		}
	}
	if texts["message"] != 1 || texts["edited"] != 2 {
		t.Errorf("the present text came in %v", texts)
	}
	c.delete(seq)
	c.until("deleted")
	later := w.named("Ольга")
	later.hello(0)
	for {
		raw := later.next()
		if strings.Contains(raw, "third") {
			t.Fatalf("a text that was taken away: %s", raw)
		}
		if parse(t, raw).Type == "deleted" {
			break
		}
	}
}

// An edit is paced as a message is: it does not get around the rate.
func TestEditsAreSlowedDown(t *testing.T) {
	w := newWorld(t, Limits{Rate: 0.1, Burst: 2})
	c := w.named("Иван")
	c.send(`{"type":"send","id":"said","text":"x"}`)
	c.until("ack")
	_, err := w.hub.Edit(t.Context(), c.s.member(), netip.MustParseAddr("127.0.0.1"), protocol.Edit{Room: "lobby", Seq: 1, Text: "1"})
	if err != nil {
		t.Fatal(err)
	}
	var e *protocol.Error
	for n := 0; n < 5 && e == nil; n++ {
		_, err := w.hub.Edit(t.Context(), c.s.member(), netip.MustParseAddr("127.0.0.1"), protocol.Edit{Room: "lobby", Seq: 1, Text: "2"})
		e = asProtocol(err)
	}
	if e == nil || e.Code != protocol.CodeTooFast || e.RetryAfter <= 0 {
		t.Errorf("edits over the rate: %+v", e)
	}
}
