package store

import (
	"testing"

	"govor/hub/protocol"
)

// mentioning is a text that mentions somebody, as the node of its author found out.
func mentioning(e protocol.Event, n int) protocol.Event {
	e.Mentions = protocol.Mentions("анна:" + person(n).String())
	return e
}

func TestMentionsAreReadBackAsTheyWere(t *testing.T) {
	s := newStore(t)
	r := apply(t, s, mentioning(message("lobby", "a", 1, "@Анна"), 2), message("lobby", "b", 1, "@никто"),
		mentioning(message("lobby", "c", 1, "@Анна, да"), 2), editing("lobby", "e", 1, 3, "нет"), mentioning(editing("lobby", "f", 1, 2, "@Анна"), 3))
	if got := r[0].Event.Mentions; !got.Has(person(2)) {
		t.Errorf("the receipt has %q", got)
	}
	if of := r[4].Event; !of.Named().Has(person(3)) || !of.Of.Mentions.Has(person(3)) || r[3].Event.Named() != "" {
		t.Errorf("the edits have %q and %q", r[3].Event.Named(), of.Named())
	}
	s = again(t, s)
	events, err := s.Events(t.Context(), "lobby", 0, 9, 9)
	if err != nil || len(events) != 5 {
		t.Fatalf("Events = %+v, %v", events, err)
	}
	for i, want := range []protocol.MemberID{person(2), person(3), {}} {
		if got := events[i].Mentions; want.IsZero() != (got == "") || !want.IsZero() && !got.Has(want) {
			t.Errorf("message %d mentions %q, want %s", i+1, got, want)
		}
	}
	list, err := s.WithMentions(t.Context(), "lobby", 0, 9, 9)
	if err != nil || len(list) != 2 || list[0].Seq != 2 || list[1].Seq != 1 {
		t.Errorf("WithMentions = %+v, %v", list, err)
	}
	if list, err = s.WithMentions(t.Context(), "lobby", 1, 9, 9); err != nil || len(list) != 1 {
		t.Errorf("WithMentions after 1 = %+v, %v", list, err)
	}
}

// A name is part of what was said: it goes with the text.
func TestErasureTakesMentionsAway(t *testing.T) {
	s := newStore(t)
	apply(t, s, mentioning(message("lobby", "a", 1, "@Анна"), 2), mentioning(editing("lobby", "e", 1, 1, "@Анна!"), 2))
	if r := apply(t, s, deletion("lobby", "d", 1, 1))[0]; r.Err != nil || r.Event.Of.Mentions != "" {
		t.Errorf("the deletion = %+v of %+v", r, r.Event.Of)
	}
	left, err := queryInt(s.w.conn, "SELECT count(*) FROM events WHERE mentions <> ''")
	if err != nil || left != 0 {
		t.Errorf("%d rows still name somebody, %v", left, err)
	}
	if events, err := s.Events(t.Context(), "lobby", 0, 9, 9); err != nil || events[0].Mentions != "" || events[1].Named() != "" {
		t.Errorf("Events = %+v, %v", events, err)
	}
}
