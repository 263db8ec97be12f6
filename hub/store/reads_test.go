package store

import (
	"slices"
	"testing"

	"govor/hub/protocol"
)

func setMarks(t *testing.T, s *Store, marks ...MemberMark) {
	t.Helper()
	if err := s.MergeMarks(t.Context(), marks); err != nil {
		t.Fatalf("MergeMarks = %v", err)
	}
}

func marksOf(t *testing.T, s *Store, m protocol.MemberID) []Mark {
	t.Helper()
	marks, err := s.Marks(t.Context(), m)
	if err != nil {
		t.Fatalf("Marks = %v", err)
	}
	slices.SortFunc(marks, func(a, b Mark) int { return int(a.Seq - b.Seq) })
	return marks
}

// Whatever the order in which marks come, what is kept is the same; that is what lets nodes merge theirs.
func TestMarksAreMaxima(t *testing.T) {
	marks := []MemberMark{
		{person(1), Mark{Room: "lobby", Seq: 7, Messages: 6, Visited: 10}},
		{person(1), Mark{Room: "lobby", Seq: 3, Messages: 3, Visited: 30}},
		{person(1), Mark{Room: "lobby", Gone: 20}},
	}
	want := []Mark{{Room: "lobby", Seq: 7, Messages: 6, Visited: 30, Gone: 20}}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}} {
		s := newStore(t)
		apply(t, s, message("lobby", "a", 1, "раз"))
		for _, i := range order {
			setMarks(t, s, marks[i])
		}
		setMarks(t, s, marks...)
		if got := marksOf(t, s, person(1)); !slices.Equal(got, want) {
			t.Errorf("in the order %v: %+v, want %+v", order, got, want)
		}
	}
	if !want[0].Listed() || (Mark{Visited: 20, Gone: 20}).Listed() || (Mark{Seq: 9}).Listed() {
		t.Error("a room is on the list when it was visited after it was taken off")
	}
}

// Marks are no part of what all nodes have to agree on, and of strangers nothing is kept.
func TestMarksAreNotJournaled(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "раз"))
	before, position := digest(t, s), s.Position()
	setMarks(t, s, MemberMark{person(1), Mark{Room: "lobby", Seq: 1}}, MemberMark{person(2), Mark{Room: "lobby", Seq: 1}},
		MemberMark{person(1), Mark{Room: "nowhere", Seq: 1}}, MemberMark{protocol.MemberID{}, Mark{Room: "lobby", Seq: 1}})
	if digest(t, s) != before || s.Position() != position {
		t.Error("a read mark changed what is journaled")
	}
	if got := marksOf(t, s, person(1)); len(got) != 1 {
		t.Errorf("marks of a member: %+v, want one, in the room that is there", got)
	}
	for _, stranger := range []protocol.MemberID{person(2), {}} {
		if got := marksOf(t, s, stranger); len(got) != 0 {
			t.Errorf("marks of a stranger: %+v", got)
		}
	}
}

func TestOrdinalPassesOverWhatIsNoMessage(t *testing.T) {
	s := newStore(t)
	apply(t, s, message("lobby", "a", 1, "раз"), message("lobby", "b", 1, "два"),
		protocol.Event{Room: "lobby", Kind: protocol.KindDeletion, V: 1, ID: "d", Member: person(1), Target: 1, At: start},
		message("lobby", "c", 1, "три"))
	for seq, want := range []int64{0, 1, 2, 2, 3, 3} {
		if got, err := s.Ordinal(t.Context(), "lobby", int64(seq)); got != want || err != nil {
			t.Errorf("Ordinal(%d) = %d, %v, want %d", seq, got, err, want)
		}
	}
}
