package store

import (
	"errors"
	"testing"

	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/protocol"
)

// script runs SQL behind Apply's back, on the writer's connection.
func script(t *testing.T, s *Store, sql string) {
	t.Helper()
	if err := s.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.release()
	if err := sqlitex.ExecuteScript(s.w.conn, sql, nil); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func digest(t *testing.T, s *Store) string {
	t.Helper()
	d, err := s.Digest(t.Context())
	if err != nil {
		t.Fatalf("Digest = %v", err)
	}
	return d
}

// refused checks that an event is refused with a code and that nothing at all was stored.
func refused(t *testing.T, s *Store, e protocol.Event, code protocol.Code) {
	t.Helper()
	before, position := digest(t, s), s.Position()
	r := apply(t, s, e)[0]
	if r.Err == nil || r.Err.Code != code || r.Err.ID != e.ID || r.Err.Room != e.Room {
		t.Errorf("%s %s: error %+v, want %s", e.Kind, e.ID, r.Err, code)
	}
	if r.Duplicate || r.Event != e {
		t.Errorf("%s %s: refused as %+v", e.Kind, e.ID, r)
	}
	if digest(t, s) != before || s.Position() != position {
		t.Errorf("%s %s: a refused event changed the store", e.Kind, e.ID)
	}
}

func TestRetryGetsTheFirstPlace(t *testing.T) {
	s := newStore(t)
	e := message("lobby", "a", 1, "раз")
	first := apply(t, s, e, message("lobby", "b", 1, "два"))[0].Event
	before := digest(t, s)
	again := e
	again.At += 5000 // a later try
	for i, r := range apply(t, s, again, again) {
		if r.Err != nil || !r.Duplicate || r.Event != first {
			t.Errorf("retry %d = %+v, want the event %+v", i, r, first)
		}
	}
	if digest(t, s) != before {
		t.Error("a retry changed the store")
	}
	if r := apply(t, s, message("lobby", "c", 1, "три"))[0]; r.Event.Seq != 3 || r.Event.Ordinal != 3 {
		t.Errorf("the next message = %+v", r)
	}
}

func TestRetryInOneBatch(t *testing.T) {
	s := newStore(t)
	e := message("lobby", "a", 1, "раз")
	other := e
	other.Body = "два"
	r := apply(t, s, e, e, other, message("lobby", "a", 2, "раз"))
	if r[0].Duplicate || r[0].Event.Seq != 1 {
		t.Errorf("first = %+v", r[0])
	}
	if !r[1].Duplicate || r[1].Event != r[0].Event {
		t.Errorf("retry = %+v", r[1])
	}
	if r[2].Err == nil || r[2].Err.Code != protocol.CodeIDReused || r[2].Event != other {
		t.Errorf("another text = %+v", r[2])
	}
	if r[3].Err != nil || r[3].Duplicate || r[3].Event.Seq != 2 {
		t.Errorf("another member = %+v", r[3])
	}
}

func TestIDReused(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "раз"))
	for what, change := range map[string]func(*protocol.Event){
		"another text":           func(e *protocol.Event) { e.Body = "два" },
		"another room":           func(e *protocol.Event) { e.Room = "club" },
		"a room there is not":    func(e *protocol.Event) { e.Room = "nowhere" },
		"another target":         func(e *protocol.Event) { e.Target = 1 },
		"another kind":           func(e *protocol.Event) { e.Room, e.Kind = protocol.RoomServer, protocol.KindLogout },
		"another name and text":  func(e *protocol.Event) { e.Body, e.Name, e.NameKey = "два", "Other", "other" },
		"the text with a blank":  func(e *protocol.Event) { e.Body = "раз " },
		"the text in upper case": func(e *protocol.Event) { e.Body = "РАЗ" },
	} {
		t.Run(what, func(t *testing.T) {
			e := message("lobby", "a", 1, "раз")
			change(&e)
			refused(t, s, e, protocol.CodeIDReused)
		})
	}
}

func TestRetryOfWhatWasChangedOrErased(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("lobby", "edited", 1, "раз"), message("lobby", "erased", 1, "два"))
	script(t, s, `INSERT INTO folds (pos, changed, by) VALUES (3, 7, 9);
		INSERT INTO folds (pos, changed, by, erased) VALUES (4, 8, 10, 1);
		UPDATE events SET body = '' WHERE pos = 4`)
	r := apply(t, s, message("lobby", "edited", 1, "раз"), message("lobby", "erased", 1, "два"), message("lobby", "erased", 1, "что-то"))
	for i, want := range []int64{1, 2, 2} {
		if r[i].Err != nil || !r[i].Duplicate || r[i].Event.Seq != want {
			t.Errorf("retry %d = %+v", i, r[i])
		}
	}
	refused(t, s, message("lobby", "edited", 1, "РАЗ"), protocol.CodeIDReused)
}

func TestRefusedMessages(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("club", "before", 1, "раз"))
	script(t, s, "UPDATE rooms SET closed = 1 WHERE name = 'club'")
	s.rooms["club"].Closed = true
	refused(t, s, message("nowhere", "a", 1, "раз"), protocol.CodeNoRoom)
	refused(t, s, message(protocol.RoomServer, "b", 1, "раз"), protocol.CodeNoRoom)
	refused(t, s, message("club", "c", 1, "раз"), protocol.CodeRoomClosed)
	refused(t, s, message("club", "d", 2, "раз"), protocol.CodeRoomClosed) // nor gets the new member a row
	if r := apply(t, s, message("club", "before", 1, "раз"))[0]; !r.Duplicate || r.Event.Seq != 1 {
		t.Errorf("retry of what was stored before the room was closed = %+v", r)
	}
}

func TestBadServerEvents(t *testing.T) {
	s := newStore(t)
	for _, change := range []func(*protocol.Event){
		func(e *protocol.Event) { e.Room = "lobby" },
		func(e *protocol.Event) { e.Body = "{" },
		func(e *protocol.Event) { e.Body = `{"name":"$x","kind":"public"}` },
		func(e *protocol.Event) { e.Body = `{"name":"x"}` },
		func(e *protocol.Event) { e.V = 0 },
	} {
		e := opening("x")
		change(&e)
		refused(t, s, e, protocol.CodeInternal)
	}
	for _, change := range []func(*protocol.Event){
		func(e *protocol.Event) { e.Room = "lobby" },
		func(e *protocol.Event) { e.Body = "" },
		func(e *protocol.Event) { e.NameKey = "" },
		func(e *protocol.Event) { e.Member = protocol.MemberID{} },
	} {
		e := claim("x", 1, "Иван", "иван", start, start+1)
		change(&e)
		refused(t, s, e, protocol.CodeInternal)
	}
	refused(t, s, protocol.Event{Room: "lobby", Kind: protocol.KindLogout, V: 1, ID: "x", Member: person(1)}, protocol.CodeInternal)
	bare := message("lobby", "x", 1, "раз")
	bare.V = 0
	refused(t, s, bare, protocol.CodeInternal)
}

func TestRoomIsOpenedOnce(t *testing.T) {
	s := newStore(t)
	first := apply(t, s, opening("new"), message("new", "a", 1, "раз"))
	if first[0].Err != nil || first[1].Err != nil || first[1].Event.Seq != 1 || first[1].Event.RoomID != 4 {
		t.Fatalf("a room and a message in one batch = %+v", first)
	}
	before := digest(t, s)
	again := opening("new")
	again.ID, again.Member = "another-id", person(3)
	for _, e := range []protocol.Event{opening("new"), again} {
		if r := apply(t, s, e)[0]; r.Err != nil || !r.Duplicate || r.Event != first[0].Event {
			t.Errorf("opening again by %s = %+v", e.ID, r)
		}
	}
	if digest(t, s) != before {
		t.Error("opening again changed the store")
	}
	refused(t, s, func() protocol.Event { e := opening("other"); e.ID = "open-new"; return e }(), protocol.CodeIDReused)
}

func TestNamesAreHeld(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	apply(t, s, claim("1", 1, "Иван", "иван", start, start+100))
	refused(t, s, claim("2", 2, "ИВАН", "иван", start+99, start+500), protocol.CodeNameTaken)
	apply(t, s, claim("3", 1, "Иван", "иван", start+50, start+200)) // refreshed
	refused(t, s, claim("4", 2, "ИВАН", "иван", start+199, start+500), protocol.CodeNameTaken)
	if h, ok, err := s.NameHolder(ctx, "иван"); err != nil || !ok || h.Member != person(1) || h.Until.UnixMilli() != start+200 {
		t.Errorf("NameHolder = %+v, %v, %v", h, ok, err)
	}
	if r := apply(t, s, claim("5", 2, "ИВАН", "иван", start+200, start+500))[0]; r.Err != nil { // it has run out
		t.Errorf("taking a free name = %v", r.Err)
	}
	apply(t, s, claim("6", 2, "Пётр", "пётр", start+300, start+900)) // lets go of the first
	if h, ok, err := s.NameHolder(ctx, "иван"); err != nil || ok {
		t.Errorf("NameHolder of the name let go = %+v, %v, %v", h, ok, err)
	}
	if r := apply(t, s, claim("7", 3, "Иван", "иван", start+301, start+900))[0]; r.Err != nil {
		t.Errorf("taking a name let go = %v", r.Err)
	}
	if m, ok, err := s.Member(ctx, person(2)); err != nil || !ok || m != (Member{ID: person(2), Name: "Пётр", NameKey: "пётр", Holds: true}) {
		t.Errorf("Member = %+v, %v, %v", m, ok, err)
	}
	apply(t, s, claim("8", 4, "Пётр", "пётр", start+901, start+1900)) // when the hold of the second has ended
	if m, ok, err := s.Member(ctx, person(2)); err != nil || !ok || m.Holds {
		t.Errorf("a member whose name was taken = %+v, %v, %v", m, ok, err)
	}
}

func TestMessagesRespectHeldNames(t *testing.T) {
	s := newStore(t)
	as := func(id string, n int, name, key string, at int64) protocol.Event {
		e := message("lobby", id, n, id)
		e.Name, e.NameKey, e.At = name, key, at
		return e
	}
	apply(t, s, as("guest", 2, "Иван", "иван", start)) // spoke before anybody took the name
	apply(t, s, claim("1", 1, "Иван", "иван", start, start+100))
	refused(t, s, as("new", 3, "Иван", "иван", start+1), protocol.CodeNameTaken)
	apply(t, s, as("free", 3, "Мария", "мария", start+1))
	refused(t, s, as("rename", 3, "Иван", "иван", start+1), protocol.CodeNameTaken)
	for _, e := range []protocol.Event{
		as("again", 2, "Иван", "иван", start+1),         // nothing changed for this one
		as("holder", 1, "Иван", "иван", start+1),        // holds it
		as("late", 3, "Иван", "иван", start+100),        // the hold has ended
		as("own", 1, "Иванушка", "иванушка", start+100), // free, and the hold of the old one has ended
	} {
		if r := apply(t, s, e)[0]; r.Err != nil || r.Duplicate {
			t.Errorf("%s = %+v", e.ID, r)
		}
	}
	// History shows everybody by the present name.
	events, err := s.Page(t.Context(), "lobby", 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		want := map[protocol.MemberID]string{person(1): "Иванушка", person(2): "Иван", person(3): "Иван"}[e.Member]
		if e.Name != want {
			t.Errorf("%s is by %s, want %s", e.ID, e.Name, want)
		}
	}
	// A retry under another name renames nobody.
	before := digest(t, s)
	if r := apply(t, s, as("own", 1, "Другой", "другой", start+1))[0]; !r.Duplicate || digest(t, s) != before {
		t.Errorf("retry under another name = %+v", r)
	}
}

func TestLogoutRaisesTheGeneration(t *testing.T) {
	s := newStore(t)
	out := func(id string, n int) protocol.Event {
		return protocol.Event{Room: protocol.RoomServer, Kind: protocol.KindLogout, V: 1, ID: id, Member: person(n), Name: "Иван", NameKey: "иван", At: start}
	}
	apply(t, s, claim("1", 1, "Иван", "иван", start, start+100), out("2", 1), out("2", 1), out("3", 1), out("4", 2))
	for n, want := range map[int]int64{1: 2, 2: 1} {
		if m, ok, err := s.Member(t.Context(), person(n)); err != nil || !ok || m.Generation != want {
			t.Errorf("Member %d = %+v, %v, %v; want generation %d", n, m, ok, err, want)
		}
	}
	if _, ok, err := s.Member(t.Context(), person(9)); err != nil || ok {
		t.Errorf("an unknown member is known: %v, %v", ok, err)
	}
	if _, ok, err := s.Member(t.Context(), protocol.MemberID{}); err != nil || ok {
		t.Errorf("nobody is known: %v, %v", ok, err)
	}
}

func TestTimeNeverGoesBackInARoom(t *testing.T) {
	s := newStore(t)
	e, f, g := message("lobby", "a", 1, "раз"), message("lobby", "b", 1, "два"), message("club", "c", 1, "три")
	f.At -= 500
	g.At -= 500
	apply(t, s, e)
	r := apply(t, s, f, g)
	if r[0].Event.At != e.At || r[1].Event.At != g.At {
		t.Errorf("stamps = %d and %d, want %d and %d", r[0].Event.At, r[1].Event.At, e.At, g.At)
	}
}

func TestUnknownEventStopsApplying(t *testing.T) {
	for what, change := range map[string]func(*protocol.Event){
		"kind":    func(e *protocol.Event) { e.Kind = "poll" },
		"version": func(e *protocol.Event) { e.V = protocol.Version + 1 },
	} {
		t.Run(what, func(t *testing.T) {
			s := newStore(t)
			apply(t, s, message("lobby", "a", 1, "раз"))
			before := digest(t, s)
			e := message("lobby", "c", 1, "три")
			change(&e)
			for _, batch := range [][]protocol.Event{
				{message("lobby", "b", 1, "два"), e},
				{message("lobby", "b", 1, "два")},
			} {
				_, err := s.Apply(t.Context(), batch)
				var unknown *UnknownEventError
				if !errors.As(err, &unknown) || unknown.Kind != e.Kind || unknown.V != e.V {
					t.Errorf("Apply = %v", err)
				}
			}
			if err := s.Writable(t.Context()); !errors.As(err, new(*UnknownEventError)) {
				t.Errorf("Writable = %v", err)
			}
			if digest(t, s) != before {
				t.Error("something was stored")
			}
			if events, err := s.Page(t.Context(), "lobby", 0, 10); err != nil || len(events) != 1 {
				t.Errorf("Page = %d events, %v", len(events), err)
			}
		})
	}
}

// What a batch has changed in memory must not outlive its rollback.
func TestFailedBatchLeavesNothing(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "раз"))
	before := digest(t, s)
	room, _ := s.Room("lobby")
	// In the way of the third event of the batch.
	script(t, s, "INSERT INTO new_numbers VALUES (3, 2, 90)")
	renamed := message("lobby", "b", 1, "два")
	renamed.Name, renamed.NameKey = "Другой", "другой"
	batch := []protocol.Event{renamed, message("club", "c", 7, "новый"), message("club", "d", 7, "три"), opening("third")}
	if _, err := s.Apply(t.Context(), batch); err == nil {
		t.Fatal("Apply succeeded over a stray row")
	}
	if r, _ := s.Room("lobby"); r != room || s.Position() != 3 {
		t.Errorf("Room = %+v, position %d", r, s.Position())
	}
	if _, ok := s.Room("third"); ok {
		t.Error("a room of a failed batch is there")
	}
	script(t, s, "DELETE FROM new_numbers WHERE pos = 90")
	if digest(t, s) != before {
		t.Error("a failed batch changed the store")
	}
	for i, r := range apply(t, s, batch...) {
		if want := []int64{2, 1, 2, 3}[i]; r.Err != nil || r.Duplicate || r.Event.Seq != want {
			t.Errorf("result %d = %+v, want number %d", i, r, want)
		}
	}
	if m, ok, err := s.Member(t.Context(), person(1)); err != nil || !ok || m.Name != "Другой" {
		t.Errorf("Member = %+v, %v, %v", m, ok, err)
	}
	if err := s.Writable(t.Context()); err != nil {
		t.Errorf("Writable = %v", err)
	}
}

// Who holds a name keeps it, whatever a session says that has not heard of it yet; a guest is called as it says.
func TestMessagesDoNotBringAnOldNameBack(t *testing.T) {
	s := newStore(t)
	apply(t, s, claim("n1", 1, "Мария", "мария", start, start+1000), message("lobby", "a", 1, "раз"))
	apply(t, s, claim("n2", 1, "Маша", "маша", start, start+5000))
	old := message("lobby", "b", 1, "два")
	old.Name, old.NameKey, old.At = "Мария", "мария", start+100
	if r := apply(t, s, old)[0]; r.Err != nil || r.Event.Name != "Маша" || r.Event.NameKey != "маша" {
		t.Errorf("a message under the old name = %+v", r)
	}
	if m, ok, err := s.Member(t.Context(), person(1)); !ok || err != nil || m.Name != "Маша" {
		t.Errorf("Member = %+v, %v", m, err)
	}
	old.ID, old.At = "c", start+6000 // the hold has ended
	if r := apply(t, s, old)[0]; r.Err != nil || r.Event.Name != "Мария" {
		t.Errorf("a guest's message = %+v", r)
	}
}
