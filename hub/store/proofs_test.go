package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/protocol"
)

// checkProofs compares what Prove says of everybody and logins with what is in the file, and counts those of whom it needed
// no read.
func checkProofs(t *testing.T, s *Store, people int, logins ...string) (remembered int) {
	t.Helper()
	for n := 1; n < people; n++ { // 0 is nobody
		for _, login := range append(logins, "") {
			id := person(n)
			if _, ok := s.proofs.find(id, login); ok {
				remembered++
			}
			m, good, ok, err := s.Prove(t.Context(), id, login)
			_, want, wantGood, wantOK, wantErr := s.readProof(t.Context(), id, login)
			if err = errors.Join(err, wantErr); err != nil {
				t.Fatal(err)
			}
			if m != want || good != wantGood || ok != wantOK {
				t.Fatalf("Prove(%d, %s) = %+v, %v, %v; the file says %+v, %v, %v", n, login, m, good, ok, want, wantGood, wantOK)
			}
		}
	}
	return remembered
}

// loginsOf are those of which events tell.
func loginsOf(events []protocol.Event) (ids []string) {
	for _, e := range events {
		var b protocol.LoginBody
		if e.Kind == protocol.KindLogin && json.Unmarshal([]byte(e.Body), &b) == nil {
			ids = append(ids, b.Login)
		}
	}
	return ids
}

// Whatever happens to members, names, passwords and logins: Prove says what is in the file.
func TestProofsAreWhatTheFileSays(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	random := rand.New(rand.NewPCG(1, 1))
	var logins []string
	remembered := 0
	for rest := history(); len(rest) > 0; {
		n := min(1+random.IntN(3), len(rest))
		apply(t, s, rest[:n]...)
		logins = append(logins, loginsOf(rest[:n])...)
		rest = rest[n:]
		remembered += checkProofs(t, s, 20, logins...)
	}
	if remembered < 300 {
		t.Errorf("%d proofs were remembered: that tells nothing", remembered)
	}
}

// What ends a login, or takes a name, is known when Apply has returned.
func TestProofsEnd(t *testing.T) {
	t.Parallel()
	in := func(n int, id string, at int64, b protocol.LoginBody) protocol.Event {
		b.Login = id
		return login(t, "in-"+id, n, fmt.Sprint("имя", n), at, b)
	}
	many := make([]protocol.Event, protocol.MaxLogins)
	for i := range many {
		many[i] = in(1, fmt.Sprint("m", i), start+int64(i+1), protocol.LoginBody{})
	}
	said := message("lobby", "m", 1, "текст")
	said.Name, said.NameKey = "другое", "другое"
	mine := Member{Name: "имя1", NameKey: "имя1", Holds: true}
	free, ended, claimed, renamed := mine, mine, mine, mine
	free.Holds = false
	guest := free
	guest.Name, guest.NameKey = said.Name, said.NameKey
	ended.Holds, ended.Generation = false, 1
	claimed.Claimed, claimed.Generation = true, 1
	renamed.Name, renamed.NameKey = "другое", "другое"
	for name, tc := range map[string]struct {
		events []protocol.Event
		good   bool // the login is still good
		want   Member
	}{
		"somebody else's":         {[]protocol.Event{in(3, "l3", start, protocol.LoginBody{})}, true, mine},
		"one more":                {[]protocol.Event{in(1, "l2", start, protocol.LoginBody{})}, true, mine},
		"too many":                {many, false, mine},
		"replaced":                {[]protocol.Event{in(1, "l2", start, protocol.LoginBody{Replaces: "l1"})}, false, mine},
		"revoked":                 {[]protocol.Event{in(1, "l2", start, protocol.LoginBody{}), server(protocol.KindRevoke, "r", 1, start, protocol.RevokeBody{Login: "l1"})}, false, mine},
		"the last revoked":        {[]protocol.Event{server(protocol.KindRevoke, "r", 1, start, protocol.RevokeBody{Login: "l1"})}, false, ended},
		"logout":                  {[]protocol.Event{server(protocol.KindLogout, "o", 1, start, nil)}, false, ended},
		"a password":              {[]protocol.Event{server(protocol.KindPassword, "p", 1, start, protocol.PasswordBody{Set: true, Hash: someHash, Keep: "l1"})}, true, claimed},
		"another name":            {[]protocol.Event{named(t, "n", 1, "другое", start, start+1000)}, true, renamed},
		"somebody takes it":       {[]protocol.Event{named(t, "n", 2, "имя1", start+5000, start+9000)}, true, free},
		"somebody takes its like": {[]protocol.Event{named(t, "n", 2, "имяl", start+5000, start+9000)}, true, free},
		"it comes back": {
			[]protocol.Event{named(t, "n", 2, "имя1", start+5000, start+9000), named(t, "b", 1, "имя1", start+9001, start+9999)}, true, mine,
		},
		"a guest's name goes with its messages": {[]protocol.Event{named(t, "n", 2, "имя1", start+5000, start+9000), said}, true, guest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			accepted(t, s, in(1, "l1", start, protocol.LoginBody{}))
			if !good(t, s, 1, "l1") {
				t.Fatal("the login was not good")
			}
			if _, ok := s.proofs.find(person(1), "l1"); !ok {
				t.Fatal("it was not remembered")
			}
			for _, e := range tc.events {
				checkProofs(t, s, 4, "l1", "l2", "l3")
				accepted(t, s, e)
			}
			tc.want.ID = person(1)
			if m, good, ok, err := s.Prove(t.Context(), person(1), "l1"); m != tc.want || good != tc.good || !ok || err != nil {
				t.Errorf("Prove = %+v, %v, %v, %v; want %+v, %v", m, good, ok, err, tc.want, tc.good)
			}
			checkProofs(t, s, 4, "l1", "l2", "l3")
		})
	}
}

// Who is logged in is remembered when the store opens, and nobody when it is closed.
func TestProofsOfAStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openAt(t, dir)
	apply(t, s, history()...)
	logins, good := loginsOf(history()), 0
	for n := 1; n < 20; n++ {
		for _, login := range logins {
			if _, ok, _, err := s.Prove(t.Context(), person(n), login); err != nil {
				t.Fatal(err)
			} else if ok {
				good++
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < 20; n++ {
		if _, _, _, err := s.Prove(t.Context(), person(n), ""); !errors.Is(err, ErrClosed) {
			t.Fatalf("a closed store says %v", err)
		}
	}
	s = openAt(t, dir)
	remembered := 0
	for n := 1; n < 20; n++ {
		for _, login := range logins {
			if _, ok := s.proofs.find(person(n), login); ok {
				remembered++
			}
		}
	}
	if remembered != good || good == 0 {
		t.Errorf("%d of %d logins are remembered", remembered, good)
	}
	checkProofs(t, s, 20, logins...)
}

// What became of an append that failed is known when the file is opened again: until then the file is asked.
func TestProofsAfterAFailedAppend(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	accepted(t, s, login(t, "in", 1, "имя1", start, protocol.LoginBody{Login: "l1"}))
	if !good(t, s, 1, "l1") {
		t.Fatal("the login was not good")
	}
	if err := sqlitex.ExecuteTransient(s.w.conn, "PRAGMA max_page_count = 1", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), []protocol.Event{message("lobby", "big", 1, strings.Repeat("x", 100_000))}); err == nil {
		t.Fatal("the message was stored")
	}
	if _, ok := s.proofs.find(person(1), "l1"); ok {
		t.Error("the login is remembered")
	}
	if !good(t, s, 1, "l1") {
		t.Error("the login is not good")
	}
}

// A read that began before a change is not remembered after it, and of too many some are let go.
func TestProofsForget(t *testing.T) {
	t.Parallel()
	var p proofs
	since := p.now()
	p.forget([]int64{7})
	p.add(since, 7, Member{ID: person(7)}, "l")
	if _, ok := p.find(person(7), "l"); ok {
		t.Error("what was read before a change is remembered")
	}
	since = p.now()
	for n := range maxProofs + 100 {
		p.add(since, int64(n), Member{ID: person(n)}, "l")
	}
	if len(p.byID) != maxProofs || len(p.byNum) != maxProofs {
		t.Errorf("%d and %d are remembered, want %d", len(p.byID), len(p.byNum), maxProofs)
	}
	if _, ok := p.find(person(maxProofs+99), "l"); !ok {
		t.Error("the last one is not")
	}
}
