package store

import (
	"testing"

	"govor/hub/protocol"
)

func editing(room, id string, n int, target int64, text string) protocol.Event {
	e := message(room, id, n, text)
	e.Kind, e.Target, e.At = protocol.KindEdit, target, start+1500
	return e
}

func TestEditChangesWhatIsReadAndNothingElse(t *testing.T) {
	s := newStore(t)
	apply(t, s, opening("club"), message("lobby", "a", 1, "раз"), message("lobby", "b", 2, "два"))
	r := apply(t, s, editing("lobby", "e1", 1, 1, "РАЗ"))[0]
	e := r.Event
	if r.Err != nil || r.Duplicate || e.Seq != 3 || e.Ordinal != 0 || e.Taken != "раз" || e.Of == nil || e.Of.Body != "РАЗ" ||
		e.Of.Changed != 3 || e.Of.ChangedAt != e.At || e.Of.ID != "a" || e.Of.Seq != 1 {
		t.Fatalf("edit = %+v of %+v", r, e.Of)
	}
	if room, _ := s.Room("lobby"); room.Changed != 3 || room.Last != 3 || room.Messages != 2 {
		t.Errorf("Room = %+v", room)
	}
	if r := apply(t, s, editing("lobby", "e2", 1, 1, "РАЗ!"))[0]; r.Err != nil || r.Event.Taken != "РАЗ" {
		t.Errorf("a second edit = %+v", r)
	}
	s = again(t, s)
	events, err := s.Events(t.Context(), "lobby", 0, 9, 100)
	if err != nil || len(events) != 4 {
		t.Fatalf("Events = %+v, %v", events, err)
	}
	if m := events[0]; m.Body != "РАЗ!" || m.Changed != 4 || m.ChangedAt != start+1500 || m.Erased || m.At == m.ChangedAt {
		t.Errorf("the message = %+v", m)
	}
	if old := events[2]; old.Kind != protocol.KindEdit || old.Target != 1 || old.Of == nil || *old.Of != events[0] || old.Present() != "РАЗ!" {
		t.Errorf("the first edit = %+v of %+v", old, old.Of)
	}
	if page, err := s.Page(t.Context(), "lobby", 0, 10); err != nil || len(page) != 2 || page[0].Body != "РАЗ!" {
		t.Errorf("Page = %+v, %v", page, err)
	}
	for what, retry := range map[string]protocol.Event{
		"the first edit":  editing("lobby", "e1", 1, 1, "РАЗ"),
		"the second edit": editing("lobby", "e2", 1, 1, "РАЗ!"),
		"the message":     message("lobby", "a", 1, "раз"),
	} {
		if r := apply(t, s, retry)[0]; r.Err != nil || !r.Duplicate {
			t.Errorf("a retry of %s = %+v", what, r)
		}
	}
}

func TestEditsThatAreRefused(t *testing.T) {
	s := newStore(t)
	apply(t, s, opening("club"), message("lobby", "a", 1, "раз"), message("lobby", "b", 2, "два"), editing("lobby", "e", 1, 1, "РАЗ"))
	refused(t, s, editing("lobby", "e", 1, 1, "другое"), protocol.CodeIDReused)
	refused(t, s, editing("lobby", "e", 1, 2, "РАЗ"), protocol.CodeIDReused)
	refused(t, s, editing("lobby", "a", 1, 1, "раз"), protocol.CodeIDReused) // the id of the message
	refused(t, s, editing("lobby", "x1", 1, 2, "моё"), protocol.CodeNotYours)
	refused(t, s, editing("lobby", "x2", 9, 2, "моё"), protocol.CodeNotYours) // of a member that has said nothing
	refused(t, s, editing("lobby", "x3", 1, 3, "моё"), protocol.CodeNoTarget) // an edit is no message
	refused(t, s, editing("lobby", "x4", 1, 9, "моё"), protocol.CodeNoTarget)
	refused(t, s, editing("club", "x5", 1, 1, "моё"), protocol.CodeNoTarget)
	refused(t, s, editing("nowhere", "x6", 1, 1, "моё"), protocol.CodeNoRoom)
	refused(t, s, editing(protocol.RoomServer, "x7", 1, 1, "моё"), protocol.CodeNoRoom)
	apply(t, s, deletion("lobby", "d", 1, 1))
	refused(t, s, editing("lobby", "x8", 1, 1, "снова"), protocol.CodeNoTarget)
	if r := apply(t, s, editing("lobby", "e", 1, 1, "РАЗ"))[0]; r.Err != nil || !r.Duplicate || r.Event.Body != "" {
		t.Errorf("a retry of an edit whose message was deleted = %+v", r)
	}
	if s.Position() != 6 {
		t.Errorf("Position = %d, want 6: a refusal stores nothing", s.Position())
	}
}

// An edit gives its author no other name: the name comes with what is said.
func TestEditRenamesNobody(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "раз"))
	e := editing("lobby", "e", 1, 1, "РАЗ")
	e.Name, e.NameKey = "Другой", "другой"
	r := apply(t, s, e)[0]
	m, _, err := s.Member(t.Context(), person(1))
	if err != nil || r.Err != nil || r.Event.Name == "Другой" || m.Name != r.Event.Name {
		t.Errorf("edit = %+v, member %+v, %v", r, m, err)
	}
}

// Every text that a message has had goes with it.
func TestDeletionTakesEveryEdit(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "canary-0"), editing("lobby", "e1", 1, 1, "canary-1"), editing("lobby", "e2", 1, 1, "canary-2"))
	if len(found(t, s.dir, "canary-0", "canary-1", "canary-2")) == 0 {
		t.Fatal("the texts are in no file before: this test tests nothing")
	}
	apply(t, s, deletion("lobby", "d", 1, 1))
	eventually(t, "the texts are in no file", func() bool { return len(found(t, s.dir, "canary-0", "canary-1", "canary-2")) == 0 })
	problems, err := Check(t.Context(), s.dir)
	if err != nil || len(problems) > 0 {
		t.Errorf("Check = %q, %v", problems, err)
	}
}
