package hub

import (
	"strings"
	"testing"
	"time"

	"govor/hub/protocol"
)

// untilHas returns the first frame with a part, and drops those before it.
func (c *client) untilHas(part string) string {
	c.t.Helper()
	for {
		if f := c.next(); strings.Contains(f, part) {
			return f
		}
	}
}

func TestNickIsToldToTheRoom(t *testing.T) {
	w := newWorld(t, Limits{})
	reader := w.named("Анна")
	reader.hello(0)
	lines := w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Пётр"}})
	lines.untilHas("You are Пётр")
	c := w.named("Иван")
	c.hello(0)
	c.until("welcome")
	reader.untilHas(`"Иван"`)
	c.send(`{"type":"nick","name":"Ваня"}`)
	if f := c.until("welcome"); f.Name != "Ваня" || f.Token == "" {
		t.Errorf("the answer is %+v", f)
	}
	id := c.s.member().ID.String()
	reader.untilHas(`"renamed":[{"member":"` + id + `","was":"Иван","name":"Ваня"}]`)
	for lines.next() != "* Иван is now Ваня" {
	}
	if people, online := w.hub.People("lobby"); online != 3 || !has(people, "Ваня") || has(people, "Иван") {
		t.Errorf("%d people: %+v", online, people)
	}
	c.send(`{"type":"send","id":"1","text":"это я"}`)
	if f := reader.until("message"); f.From != "Ваня" {
		t.Errorf("a message of %q", f.From)
	}
	// From now on the store knows the member: it knows the next name before anything is said under it.
	lines.send("/nick Ваня")
	lines.untilHas("* error name_taken")
	c.send(`{"type":"nick","name":"Иван"}`)
	token := c.until("welcome").Token
	reader.untilHas(`"was":"Ваня","name":"Иван"`)
	c.close()
	again := w.named("Гость")
	again.send(`{"type":"hello","token":%q}`, token)
	again.until("welcome")
	if f := again.until("welcome"); f.Name != "Иван" {
		t.Errorf("after a while one is %q", f.Name)
	}
	lines.send("/nick Ваня")
	lines.untilHas("You are Ваня")
}

func has(people []protocol.Person, name string) bool {
	for _, p := range people {
		if p.Name == name {
			return true
		}
	}
	return false
}

func TestNicksThatAreRefused(t *testing.T) {
	w := newWorld(t, Limits{RenamesPerHour: 2})
	w.login("Мария")
	c := w.named("Иван")
	c.hello(0)
	c.until("welcome")
	for name, code := range map[string]protocol.Code{
		"a:b": protocol.CodeBadName, "": protocol.CodeBadName, "admin": protocol.CodeNameTaken,
	} {
		c.send(`{"type":"nick","name":%q}`, name)
		if f := c.until("error"); f.Code != string(code) {
			t.Errorf("%q: %+v, want %s", name, f, code)
		}
	}
	c.send(`{"type":"nick","name":"мария"}`)
	if f := c.untilHas(`"error"`); !strings.Contains(f, `"name_taken"`) || !strings.Contains(f, `"suggestion":"мария-2"`) {
		t.Errorf("a name that is held: %s", f)
	}
	c.send(`{"type":"nick","name":"Иван"}`) // one has it: nothing happens, and nothing counts
	c.send(`{"type":"nick","name":"Ваня"}`)
	c.until("welcome")
	c.send(`{"type":"nick","name":"Ванька"}`)
	if f := c.untilHas(`"error"`); !strings.Contains(f, `"too_fast"`) || !strings.Contains(f, "retry_after_ms") {
		t.Errorf("too many: %s", f)
	}
	other := w.named("Иван")
	if name := other.s.member().Name; name != "Иван" {
		t.Errorf("a name that was given up is not free: %q", name)
	}
}

// Somebody who logs in with another name has it in every tab, and nothing brings the old one back.
func TestALoginRenamesAllSessions(t *testing.T) {
	w := newWorld(t, Limits{})
	was := w.login("Мария")
	tab := w.open(SessionParams{Member: was})
	tab.hello(0)
	reader := w.named("Иван")
	reader.hello(0)
	for f := ""; !strings.Contains(f, `"joined":[`) || !strings.Contains(f, `"Мария"`); f = reader.next() {
	}
	phone := was
	phone.Login = ""
	now, err := w.hub.SignIn(t.Context(), Entry{Name: "Маша", How: protocol.LoginByPage, Current: &phone})
	if err != nil || now.ID != was.ID {
		t.Fatalf("SignIn = %+v, %v", now, err)
	}
	reader.untilHas(`"was":"Мария","name":"Маша"`)
	tab.untilHas(`"name":"Маша","limits"`)
	tab.send(`{"type":"send","id":"1","text":"это я"}`)
	if f := reader.until("message"); f.From != "Маша" {
		t.Errorf("the other tab speaks as %q", f.From)
	}
	c := w.named("Мария") // is free again, for who has it not
	if name := c.s.member().Name; name != "Мария" {
		t.Errorf("the old name is not free: %q", name)
	}
}

func TestPlainTextGoesFromRoomToRoom(t *testing.T) {
	w := newWorld(t, Limits{})
	c := w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Иван"}})
	c.untilHas("You are Иван")
	c.send("/who")
	c.untilHas("* here: Иван")
	c.send("/leave")
	c.untilHas("* error bad_command: this is the lobby")
	c.send("/join #Планы")
	c.untilHas("* you are in планы now")
	c.send("привет")
	c.untilHas("Иван: привет")
	if page, err := w.store.Page(t.Context(), "планы", 0, 9); err != nil || len(page) != 1 {
		t.Errorf("планы has %+v, %v", page, err)
	}
	w.say("lobby", "не здесь")
	c.send("/join планы")
	c.untilHas("* you are in планы now")
	c.send("/join a b!")
	c.untilHas("* error bad_room")
	c.send("/leave")
	c.untilHas("* you are in lobby now")
	c.send("/help")
	c.untilHas("* /join ROOM")
	c.send("/me машет")
	if f := c.untilHas("машет"); f != "** Иван машет" {
		t.Errorf("an action is %q", f)
	}
	if len(c.s.seats) != 1 {
		t.Errorf("%d seats", len(c.s.seats))
	}
}

func TestWhoIsInARoom(t *testing.T) {
	w := newWorld(t, Limits{})
	c := w.named("Иван")
	c.hello(0)
	w.open(SessionParams{Format: protocol.Text{}, Room: "club", Member: Member{Name: "Пётр"}})
	c.send(`{"type":"who"}`)
	c.untilHas(`{"type":"people","room":"lobby","online":1,"people":[{"member":"` + c.s.member().ID.String() + `","name":"Иван"}]}`)
	c.send(`{"type":"who","room":"club"}`)
	c.untilHas(`"room":"club","online":1,"people":[{`)
	c.send(`{"type":"who","room":"nowhere"}`)
	c.untilHas(`{"type":"people","room":"nowhere","online":0}`)
	c.send(`{"type":"who","room":"$server"}`)
	c.untilHas(`"bad_room"`)
}

// Whoever is away for no more than a moment, as with a reload, is in the list again, also if others were shown a list
// meanwhile.
func TestWhoIsBackIsListedAgain(t *testing.T) {
	w := newWorld(t, Limits{PresenceGrace: time.Hour})
	reader := w.named("Анна")
	reader.hello(0)
	m := w.login("Иван")
	c := w.open(SessionParams{Member: m})
	c.hello(0)
	reader.untilHas(`"Иван"`)
	c.close()
	w.named("Пётр").hello(0)
	reader.untilHas(`"online":2,"joined":["Пётр"]`)
	c = w.open(SessionParams{Member: m})
	c.hello(0)
	reader.untilHas(`{"type":"presence","room":"lobby","online":3,"at":`)
	reader.quiet("presence")
}
