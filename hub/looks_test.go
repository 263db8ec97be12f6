package hub

import (
	"fmt"
	"strings"
	"testing"

	"govor/hub/protocol"
)

// Nobody passes for somebody who is only connected, either: plain clients get a suffix, the login says who has it.
func TestNobodyPassesForWhoIsConnected(t *testing.T) {
	w := newWorld(t, Limits{})
	first := w.named("alice")
	if name := first.until("welcome").Name; name != "alice" {
		t.Fatalf("the first is called %q", name)
	}
	if name := w.named("аlice").until("welcome").Name; name != "аlice-2" {
		t.Errorf("who writes it with a Cyrillic а is called %q, want a suffix", name)
	}
	if name := w.named("Роман").until("welcome").Name; name != "Роман" {
		t.Errorf("Роман is called %q", name)
	}
	_, err := w.hub.Login(t.Context(), "AIice", nil)
	if e := asProtocol(err); e == nil || e.Code != protocol.CodeNameTaken || e.Suggestion == "" {
		t.Errorf("login with a capital I: %+v", e)
	}
	first.close()
	eventually(t, "the name is free again", func() bool {
		_, err := w.hub.Login(t.Context(), "AIice", nil)
		return err == nil
	})
	if m, err := w.hub.Guest(t.Context(), "alice"); err != nil || m.Name != "alice-3" { // the second is connected
		t.Errorf("a guest with the name of a login: %q, %v", m.Name, err)
	}
}

func TestRoomThatLooksLikeAnotherCannotBeJoined(t *testing.T) {
	w := newWorld(t, Limits{})
	w.say("lobby", "hello")
	if _, bad := w.hub.CheckRoom("lоbby"); bad == nil || bad.Code != protocol.CodeBadRoom || bad.Suggestion != "lobby" {
		t.Errorf("CheckRoom = %+v", bad)
	}
	c := w.named("Анна")
	c.send(`{"type":"join","room":"lоbby"}`)
	if f := c.until("error"); f.Code != string(protocol.CodeBadRoom) {
		t.Errorf("join = %+v", f)
	}
	if room, bad := w.hub.CheckRoom("планы"); bad != nil || room != "планы" {
		t.Errorf("CheckRoom = %q, %v", room, bad)
	}
}

// Who comes as one of a hundred of a name costs no more than who comes first: the numbers that were taken a moment ago are not
// looked up again, also for a name that only looks the same. A number that has become free is found again soon.
func TestSuffixesAreNotLookedUpAgain(t *testing.T) {
	w, clock := newWorldAt(t, Limits{})
	guest := func(name string) Member {
		t.Helper()
		m, err := w.hub.Guest(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	var third Member
	for n := range maxSuffix {
		m := guest("Вася")
		if want := fmt.Sprint("Вася-", n+1); n > 0 && m.Name != want {
			t.Fatalf("the name is %s, want %s", m.Name, want)
		}
		if w.hub.claim(m); n == 2 {
			third = m
		}
	}
	if m := guest("Вася"); !strings.HasPrefix(m.Name, "guest-") {
		t.Errorf("the hundredth is %s", m.Name)
	}
	w.hub.unclaim(third)
	for _, name := range []string{"Вася", "ВАСЯ", "Bася"} { // the last one has a Latin B
		if m := guest(name); !strings.HasPrefix(m.Name, "guest-") {
			t.Errorf("%s becomes %s: all numbers were looked up", name, m.Name)
		}
	}
	clock.add(suffixAgain + 1)
	if m := guest("Вася"); m.Name != third.Name {
		t.Errorf("a second later %s, want %s", m.Name, third.Name)
	}
}
