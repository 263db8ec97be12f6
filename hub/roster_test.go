package hub

import (
	"fmt"
	"slices"
	"testing"

	"govor/hub/protocol"
)

func TestRosterIsSortedAndWhatItGaveStaysAsItWas(t *testing.T) {
	var l roster
	given := map[int][]protocol.Person{}
	people := make([]protocol.Person, protocol.MaxPeople)
	for i := range people {
		people[i] = protocol.Person{Member: protocol.NewMemberID(), Name: fmt.Sprintf("%03d", (i*37)%len(people)/2)} // two of each name
		l.add(people[i])
		given[i] = l.list()
	}
	l.add(protocol.Person{Name: "one too many"})
	if n := len(l.list()); n != protocol.MaxPeople {
		t.Fatalf("%d people are shown, want %d", n, protocol.MaxPeople)
	}
	for i := range people {
		if want := slices.SortedFunc(slices.Values(people[:i+1]), byName); !slices.Equal(given[i], want) {
			t.Fatalf("after %d came: %v, want %v", i+1, given[i], want)
		}
	}
	l.remove(protocol.Person{Member: people[0].Member, Name: "another name"})
	for i, p := range people {
		before := l.list()
		l.remove(p)
		if !slices.Contains(before, p) || len(before) != len(people)-i {
			t.Fatalf("the list from before %s left has changed", p.Name)
		}
		if slices.Contains(l.list(), p) || len(l.list()) != len(before)-1 {
			t.Fatalf("after %s left: %v", p.Name, l.list())
		}
	}
}

func TestPeopleWhoLeaveAreNotShownAndOthersTakeTheirPlaces(t *testing.T) {
	w, clock := newWorldAt(t, Limits{})
	here := map[string]*client{}
	come := func(from, to int) {
		for i := from; i < to; i++ {
			name := fmt.Sprintf("гость %03d", i)
			here[name] = w.named(name)
			here[name].hello(0)
		}
	}
	shown := func() []protocol.Person {
		t.Helper()
		people, online := w.hub.People("lobby")
		for _, p := range people {
			if here[p.Name] == nil {
				t.Errorf("%s is shown and has left", p.Name)
			}
		}
		if !slices.IsSortedFunc(people, byName) {
			t.Errorf("not sorted: %v", people)
		}
		if online != len(here) {
			t.Errorf("%d are here, want %d", online, len(here))
		}
		return people
	}
	wantShown := func(what string, want int) {
		t.Helper()
		if got := len(shown()); got != want {
			t.Errorf("%s: %d are shown, want %d", what, got, want)
		}
	}
	leave := func(n int) {
		for _, p := range shown()[:n] {
			here[p.Name].close()
			delete(here, p.Name)
		}
	}
	come(0, 20)
	wantShown("a few", 20)
	leave(5)
	wantShown("fewer", 15)
	come(20, protocol.MaxPeople+35)
	wantShown("more than are shown", protocol.MaxPeople)
	leave(30)
	wantShown("others instead", protocol.MaxPeople)
	come(protocol.MaxPeople+35, fewMembers+50) // with those who may come back
	clock.add(presenceInterval)
	leave(30)
	wantShown("others of many instead", protocol.MaxPeople)
	leave(30)
	wantShown("others of many are not looked for again so soon", protocol.MaxPeople-30)
	clock.add(presenceInterval)
	wantShown("but later", protocol.MaxPeople)
}
