package hub

import (
	"fmt"
	"testing"
	"time"

	"govor/hub/protocol"
)

// login makes a member that the store knows.
func (w *world) login(name string) Member {
	w.t.Helper()
	m, err := w.hub.Login(w.t.Context(), name, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// quiet requires that nothing of a type comes before the answer to a ping.
func (c *client) quiet(typ string) {
	c.t.Helper()
	c.send(`{"type":"ping"}`)
	for {
		switch f := parse(c.t, c.next()); f.Type {
		case typ:
			c.t.Fatalf("there is a %s: %+v", typ, f)
		case "pong":
			return
		}
	}
}

func TestNewsComesWithoutASeat(t *testing.T) {
	w := newWorld(t, Limits{})
	w.say("design", "before")
	c := w.open(SessionParams{Member: w.login("Мария")})
	c.hello(0)
	c.send(`{"type":"watch","rooms":{"design":{"after":0},"empty":{"after":0}}}`)
	if f := c.until("news"); f.Room != "design" || f.Last != 1 || f.Messages != 1 || f.mentions() != 0 {
		t.Errorf("what was there already: %+v", f)
	}
	w.say("design", "hello, @мария: look")
	if f := c.until("news"); f.Room != "design" || f.Last != 2 || f.Messages != 2 || f.mentions() != 1 {
		t.Errorf("a mention: %+v", f)
	}
	w.say("empty", "no longer")
	if f := c.until("news"); f.Room != "empty" || f.Messages != 1 {
		t.Errorf("a room that was not there: %+v", f)
	}
	c.send(`{"type":"watch","rooms":{"design":{"after":2}}}`)
	w.say("empty", "nobody watches")
	w.say("design", "x")
	if f := c.until("news"); f.Room != "design" || f.Last != 3 {
		t.Errorf("after a watch that replaced the one before: %+v", f)
	}
	c.close()
	w.hub.watchers.mu.Lock()
	defer w.hub.watchers.mu.Unlock()
	if n := len(w.hub.watchers.rooms); n != 0 {
		t.Errorf("%d rooms are watched by nobody", n)
	}
}

// However much is said, there is at most one News a second and room; the last one has it all.
func TestNewsIsBounded(t *testing.T) {
	w := newWorld(t, Limits{})
	c := w.open(SessionParams{Member: w.login("Мария")})
	c.hello(0)
	c.send(`{"type":"watch","rooms":{"busy":{"after":0}}}`)
	begin := time.Now()
	const messages = 400
	for i := range messages {
		w.say("busy", fmt.Sprintf("@Мария %d", i))
	}
	told, mentions := 0, 0
	for last := int64(0); last < messages; told++ {
		f := c.until("news")
		last, mentions = f.Last, mentions+f.mentions()
	}
	if most := int(time.Since(begin)/newsInterval) + 2; told > most {
		t.Errorf("%d told of %d messages in %v, want at most %d", told, messages, time.Since(begin), most)
	}
	if mentions == 0 || mentions > messages {
		t.Errorf("%d mentions are told", mentions)
	}
}

func TestNobodyIsToldOfWhatTheySaidThemselves(t *testing.T) {
	w := newWorld(t, Limits{})
	m := w.login("Мария")
	phone, desk, other := w.open(SessionParams{Member: m, Room: "design"}), w.open(SessionParams{Member: m}), w.open(SessionParams{Member: w.login("Пётр")})
	for _, c := range []*client{desk, other} {
		c.hello(0)
		c.send(`{"type":"watch","rooms":{"design":{"after":0}}}`)
		c.quiet("news")
	}
	phone.send(`{"type":"send","room":"design","text":"from the phone"}`)
	other.until("news")
	desk.quiet("news")
}

func TestReadingIsSharedByTheDevicesOfAMember(t *testing.T) {
	w := newWorld(t, Limits{})
	m := w.login("Мария")
	for i := range 5 {
		w.say("design", fmt.Sprint(i))
	}
	phone, desk, stranger := w.open(SessionParams{Member: m}), w.open(SessionParams{Member: m}), w.open(SessionParams{Member: w.login("Пётр")})
	for _, c := range []*client{phone, desk, stranger} {
		c.hello(0)
		c.send(`{"type":"watch"}`)
	}
	phone.send(`{"type":"read","room":"design","seq":3}`)
	if f := desk.until("read"); f.Room != "design" || f.Seq != 3 || f.Messages != 3 {
		t.Errorf("the other device: %+v", f)
	}
	phone.quiet("read")
	stranger.quiet("read")
	unread := func() int {
		for _, r := range w.hub.Rooms(t.Context(), m, "") {
			if r.Name == "design" {
				return r.Unread()
			}
		}
		return -1
	}
	if n := unread(); n != 2 {
		t.Errorf("%d are unread, want 2", n)
	}
	phone.send(`{"type":"read","room":"design","seq":1}`) // late: what was read stays read
	phone.send(`{"type":"read","room":"design","seq":99}`)
	if f := desk.until("read"); f.Seq != 5 || f.Messages != 5 {
		t.Errorf("a number that is not there yet: %+v", f)
	}
	w.hub.Forget(m, "design")
	if n := unread(); n != -1 {
		t.Errorf("a room that was left is listed with %d unread", n)
	}
	phone.send(`{"type":"read","room":"$server","seq":1}`)
	if f := phone.until("error"); f.Code != string(protocol.CodeBadRoom) {
		t.Errorf("a room that is nobody's: %+v", f)
	}
}

// What was set reaches the store when the hub stops, and is there before.
func TestMarksOutliveTheHub(t *testing.T) {
	w := newWorld(t, Limits{})
	m := w.login("Мария")
	w.say("design", "x")
	if _, known := w.hub.Enter(t.Context(), m, "design"); known {
		t.Error("a room that was never visited is known")
	}
	if mark, known := w.hub.Enter(t.Context(), m, "design"); !known || mark.Seq != 1 {
		t.Errorf("the second visit: %+v, %t; want that the first read everything", mark, known)
	}
	w.hub.reads.flush(t.Context())
	marks, err := w.store.Marks(t.Context(), m.ID)
	if err != nil || len(marks) != 1 || marks[0].Seq != 1 || !marks[0].Listed() {
		t.Errorf("in the store: %+v, %v", marks, err)
	}
	if mark, known := w.hub.Enter(t.Context(), m, "design"); !known || mark.Messages != 1 {
		t.Errorf("out of the store: %+v, %t", mark, known)
	}
}

func TestRoomsStandInAnOrderThatStays(t *testing.T) {
	w := newWorld(t, Limits{})
	m := w.login("Мария")
	for _, room := range []string{"яблоки", "ёлки", "apples", "жуки"} {
		w.say(room, "x")
		w.hub.Enter(t.Context(), m, room)
	}
	names := ""
	for _, r := range w.hub.Rooms(t.Context(), m, "новая") {
		names += r.Name + " "
	}
	if want := "lobby apples ёлки жуки новая яблоки "; names != want {
		t.Errorf("the rooms are %s, want %s", names, want)
	}
}

// BenchmarkSaid is what dispatch pays for a message in a room that others watch: the same, however many they are.
func BenchmarkSaid(b *testing.B) {
	for _, watching := range []int{0, 1, 10_000} {
		b.Run(fmt.Sprintf("watched by %d", watching), func(b *testing.B) {
			n := newWatchers(nil)
			for range watching {
				n.add(&Session{}, "busy")
			}
			e := protocol.Event{Room: "busy", Kind: protocol.KindMessage, Body: "сборка прошла, 412 тестов"}
			for b.Loop() {
				n.said(&e)
			}
		})
	}
}
