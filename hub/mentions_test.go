package hub

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"govor/hub/protocol"
)

// Who is mentioned is found out once, before the append: everybody who is here or holds the name.
func TestMembersAreMentioned(t *testing.T) {
	w := newWorld(t, Limits{})
	maria := w.login("Мария Анна") // is not connected
	w.login("Мария")
	guest := w.named("Гость 7")
	c := w.named("Иван")
	c.hello(0)
	c.send(`{"type":"send","id":"1","text":"@мария анна, @ГОСТЬ 7, @Мария Анна, @Никто, \u0060@Мария\u0060"}`)
	want := `,"mentions":["` + maria.ID.String() + `","` + guest.s.member().ID.String() + `"],`
	for f := c.next(); !strings.Contains(f, `"type":"message"`) || !strings.Contains(f, want); f = c.next() {
		if strings.Contains(f, `"type":"message"`) {
			t.Fatalf("%s has no %s", f, want)
		}
	}
	c.send(`{"type":"edit","id":"2","seq":1,"text":"@Иван"}`)
	want = `,"mentions":["` + c.s.member().ID.String() + `"]`
	for f := c.next(); ; f = c.next() {
		if strings.Contains(f, `"type":"edited"`) {
			if !strings.Contains(f, want) {
				t.Errorf("%s has no %s", f, want)
			}
			break
		}
	}
	guest.close()
	if m := w.hub.findMentions("@Гость 7"); m != "" {
		t.Errorf("a guest who has gone is mentioned: %q", m)
	}
	page, err := w.store.Page(t.Context(), "lobby", 0, 9)
	if err != nil || len(page) != 1 || !page[0].Mentions.Has(c.s.member().ID) {
		t.Errorf("the page has %+v, %v", page, err)
	}
}

// A mention that was not read is counted for who was meant, whoever has the name later.
func TestMentionsAreCountedForWhoWasMeant(t *testing.T) {
	w := newWorld(t, Limits{})
	m, other := w.login("Мария"), w.login("Пётр")
	if err := w.hub.Read(t.Context(), m, "lobby", w.say("lobby", "@Пётр"), nil); err != nil {
		t.Fatal(err)
	}
	w.say("lobby", "@Мария")
	if _, err := w.hub.Submit(t.Context(), m, netip.MustParseAddr("127.0.0.1"), protocol.Send{Room: "lobby", Text: "@Мария, и я"}); err != nil {
		t.Fatal(err)
	}
	if n := w.hub.mentions(m, "lobby", 1); n != 1 {
		t.Errorf("%d mentions of Мария by others, want 1", n)
	}
	if n := w.hub.mentions(other, "lobby", 1); n != 0 {
		t.Errorf("%d mentions of Пётр after number 1, want 0", n)
	}
}

func BenchmarkFindMentions(b *testing.B) {
	h := &Hub{names: map[string]nameUse{}}
	who := func(string) (protocol.MemberID, bool) { return protocol.MemberID{}, false }
	for name, text := range map[string]string{
		"none": strings.Repeat("просто текст ", 10), "one": "да, @Мария: посмотрим завтра, что из этого выйдет",
		"hostile": strings.Repeat("@$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$ ", 200),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				protocol.FindMentions(text, func(key string) (protocol.MemberID, bool) {
					_ = h.names[protocol.LookOf(key)]
					return who(key)
				})
			}
		})
	}
}

// Who was mentioned in a room is looked up once for everybody, and again when the room has something new: a message, or a
// message that was taken away.
func TestMentionsAreLookedUpOnceForEverybody(t *testing.T) {
	w := newWorld(t, Limits{})
	oleg, anna := w.mustEnter("Олег", "", nil), w.mustEnter("Анна", "", nil)
	c := w.named("Иван")
	say := func(id, text string) {
		t.Helper()
		c.send(`{"type":"send","id":%q,"text":%q}`, id, text)
		for c.until("ack").ID != id {
		}
	}
	counts := func(what string, wantOleg, wantAnna int) *mentionedIn {
		t.Helper()
		if o, a := w.hub.mentions(oleg, "lobby", 0), w.hub.mentions(anna, "lobby", 0); o != wantOleg || a != wantAnna {
			t.Errorf("%s: %d and %d, want %d and %d", what, o, a, wantOleg, wantAnna)
		}
		in, _ := w.hub.mentioned.rooms.Get("lobby")
		return in
	}
	say("a", "@Олег, @Анна")
	first := counts("the first", 1, 1)
	if again := counts("the same", 1, 1); again != first {
		t.Error("they were looked up again")
	}
	say("b", "@Олег")
	counts("the second", 2, 1)
	c.send(`{"type":"delete","id":"c","room":"lobby","seq":1}`)
	for c.until("ack").ID != "c" {
	}
	counts("without the first", 1, 0)
}

// What is found among what is new, beside what was found before, is what a look at everything finds.
func TestMentionsAreThoseOfALookAtEverything(t *testing.T) {
	w := newWorld(t, Limits{})
	w.mustEnter("Олег", "", nil)
	c := w.named("Иван")
	random := rand.New(rand.NewPCG(5, 6))
	said, most := 0, 0
	for i := range 3*mentionTexts + mentionSpan {
		id := fmt.Sprint("m", i)
		target, text := 1+random.IntN(max(said, 1)), []string{"@Олег", "и @олег, и ещё", "никто"}[random.IntN(3)]
		if i > 3*mentionTexts && random.IntN(10) > 0 { // so few that not all that are looked through mention somebody
			text = "никто"
		}
		switch what := random.IntN(12); {
		case what == 0 && said > 0:
			c.send(`{"type":"delete","id":%q,"room":"lobby","seq":%d}`, id, target)
		case what == 1 && said > 0:
			c.send(`{"type":"edit","id":%q,"room":"lobby","seq":%d,"text":%q}`, id, target, text)
		default:
			c.send(`{"type":"send","id":%q,"text":%q}`, id, text)
			said++
		}
		for f := c.next(); !strings.Contains(f, `"id":"`+id+`"`) || strings.Contains(f, `"type":"message"`); f = c.next() {
		}
		if random.IntN(3) > 0 {
			continue // several at once
		}
		got, err := w.hub.mentioned.in("lobby")
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, len(got))
		fresh, err := newMentioned(w.hub)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := fresh.in("lobby"); err != nil || !slices.Equal(got, want) {
			t.Fatalf("after %d: %d are mentioned, want %d, %v", i, len(got), len(want), err)
		}
	}
	if most != mentionTexts {
		t.Errorf("%d were mentioned, want as many as are looked for, %d", most, mentionTexts)
	}
	if in, _ := w.hub.mentioned.rooms.Get("lobby"); len(in.said) == 0 || len(in.said) > mentionTexts/2 {
		t.Errorf("%d are mentioned in the end: nothing was too old", len(in.said))
	}
}
