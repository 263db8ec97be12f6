package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"govor/hub/protocol"
)

const someHash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"

func login(t *testing.T, id string, n int, name string, at int64, b protocol.LoginBody) protocol.Event {
	t.Helper()
	e := named(t, id, n, name, at, 0)
	e.Kind = protocol.KindLogin
	b.Until = max(b.Until, at+1000)
	b.How = protocol.LoginByPage
	e.Body = body(b)
	return e
}

func server(kind protocol.Kind, id string, n int, at int64, b any) protocol.Event {
	return protocol.Event{Room: protocol.RoomServer, Kind: kind, V: 1, ID: id, Member: person(n), At: at, Body: body(b)}
}

// accepted applies events that nothing speaks against.
func accepted(t *testing.T, s *Store, events ...protocol.Event) {
	t.Helper()
	for i, r := range apply(t, s, events...) {
		if r.Err != nil || r.Duplicate {
			t.Fatalf("event %d: %v, duplicate %v", i, r.Err, r.Duplicate)
		}
	}
}

// denied is refused for events whose hash is taken out of them.
func denied(t *testing.T, s *Store, e protocol.Event, code protocol.Code) {
	t.Helper()
	before := digest(t, s)
	if r := apply(t, s, e)[0]; r.Err == nil || r.Err.Code != code {
		t.Errorf("%s %s: %v, want %s", e.Kind, e.ID, r.Err, code)
	}
	if digest(t, s) != before {
		t.Errorf("%s %s: a refused event changed the store", e.Kind, e.ID)
	}
}

func logins(t *testing.T, s *Store, n int) (ids []string) {
	t.Helper()
	list, err := s.Logins(t.Context(), person(n))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		ids = append(ids, l.ID)
	}
	return ids
}

func good(t *testing.T, s *Store, n int, id string) bool {
	t.Helper()
	_, good, _, err := s.Prove(t.Context(), person(n), id)
	if err != nil {
		t.Fatal(err)
	}
	return good
}

func TestLoginsEndOneByOneOrAllAtOnce(t *testing.T) {
	s := newStore(t)
	accepted(t, s,
		login(t, "1", 1, "Иван", start, protocol.LoginBody{Login: "a", Label: "Firefox"}),
		login(t, "2", 1, "Иван", start+1, protocol.LoginBody{Login: "b"}),
		login(t, "3", 2, "Мария", start+2, protocol.LoginBody{Login: "c"}))
	if !good(t, s, 1, "a") || !good(t, s, 1, "b") || good(t, s, 1, "c") || good(t, s, 1, "") || good(t, s, 2, "a") {
		t.Error("a login proves somebody else, or not its own member")
	}
	accepted(t, s, login(t, "4", 1, "Иван", start+3, protocol.LoginBody{Login: "d", Replaces: "a"}))
	if good(t, s, 1, "a") || !good(t, s, 1, "d") {
		t.Error("a login that was replaced is good")
	}
	accepted(t, s, server(protocol.KindRevoke, "5", 2, start+4, protocol.RevokeBody{Login: "d"})) // not hers
	if !good(t, s, 1, "d") {
		t.Error("a member has ended the login of another one")
	}
	accepted(t, s, server(protocol.KindRevoke, "6", 1, start+4, protocol.RevokeBody{Login: "d"}))
	if good(t, s, 1, "d") || !good(t, s, 1, "b") {
		t.Error("not the login that was meant has ended")
	}
	if h, ok, err := s.NameHolder(t.Context(), "иван"); err != nil || !ok || h.Member != person(1) {
		t.Errorf("with a login left the name is held by %+v, %v, %v", h, ok, err)
	}
	accepted(t, s, server(protocol.KindRevoke, "7", 1, start+5, protocol.RevokeBody{Login: "b"}))
	if _, ok, err := s.NameHolder(t.Context(), "иван"); err != nil || ok {
		t.Errorf("with its last login the name has not gone: %v, %v", ok, err)
	}
	if m, _, err := s.Member(t.Context(), person(1)); err != nil || m.Generation != 1 {
		t.Errorf("with its last login the member is %+v, %v", m, err)
	}
	accepted(t, s, login(t, "8", 1, "Иван", start+6, protocol.LoginBody{Login: "e"}), login(t, "9", 1, "Иван", start+6, protocol.LoginBody{Login: "f"}),
		protocol.Event{Room: protocol.RoomServer, Kind: protocol.KindLogout, V: 1, ID: "10", Member: person(1), At: start + 7})
	if ids := logins(t, s, 1); len(ids) != 0 {
		t.Errorf("after logging out everywhere there are logins %v", ids)
	}
}

func TestLoginsOfAMemberAreBounded(t *testing.T) {
	s := newStore(t)
	for i := range protocol.MaxLogins + 5 {
		id := string(rune('A' + i))
		accepted(t, s, login(t, "e"+string(rune('a'+i%26))+string(rune('a'+i/26)), 1, "Иван", start+int64(i), protocol.LoginBody{Login: id}))
	}
	ids := logins(t, s, 1)
	if len(ids) != protocol.MaxLogins || ids[0] != string(rune('A'+protocol.MaxLogins+4)) {
		t.Errorf("%d logins, the newest %v", len(ids), ids[:1])
	}
}

func TestNameWithAPasswordIsHeldForEver(t *testing.T) {
	s := newStore(t)
	accepted(t, s, login(t, "1", 1, "Иван", start, protocol.LoginBody{Login: "a"}), login(t, "2", 1, "Иван", start+1, protocol.LoginBody{Login: "b"}))
	set := server(protocol.KindPassword, "3", 1, start+2, protocol.PasswordBody{Set: true, Keep: "b", Hash: someHash})
	accepted(t, s, set)
	if r := apply(t, s, set)[0]; !r.Duplicate { // the journal may try again
		t.Errorf("applied again it is %+v", r)
	}
	if ids := logins(t, s, 1); len(ids) != 1 || ids[0] != "b" {
		t.Errorf("logins %v, want the one from which the password was set", ids)
	}
	later := start + int64(1000*24*time.Hour/time.Millisecond)
	denied(t, s, login(t, "4", 2, "Иван", later, protocol.LoginBody{Login: "c"}), protocol.CodeNameTaken)
	denied(t, s, login(t, "5", 2, "Ивaн", later, protocol.LoginBody{Login: "c"}), protocol.CodeNameTaken)
	accepted(t, s, login(t, "6", 1, "Иван", later, protocol.LoginBody{Login: "d"}))
	h, ok, err := s.NameHolder(t.Context(), "иван")
	if err != nil || !ok || h.Hash != someHash || h.Until.UnixMilli() != protocol.HeldForever {
		t.Errorf("holder %+v, %v, %v", h, ok, err)
	}
	accepted(t, s, protocol.Event{Room: protocol.RoomServer, Kind: protocol.KindLogout, V: 1, ID: "7", Member: person(1), At: later + 1})
	denied(t, s, login(t, "8", 2, "Иван", later+2, protocol.LoginBody{Login: "c"}), protocol.CodeNameTaken)
	accepted(t, s, server(protocol.KindPassword, "9", 1, later+3, protocol.PasswordBody{Until: later + 100}))
	denied(t, s, login(t, "10", 2, "Иван", later+99, protocol.LoginBody{Login: "c"}), protocol.CodeNameTaken)
	accepted(t, s, login(t, "11", 2, "Иван", later+100, protocol.LoginBody{Login: "c"}))
	denied(t, s, server(protocol.KindPassword, "12", 1, later+101, protocol.PasswordBody{Set: true, Hash: someHash}), protocol.CodeNameTaken)
}

// A hash is where it is compared and nowhere else: not in what is read back, and not in what was said.
func TestHashIsKeptInOnePlace(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	in := login(t, "1", 1, "Иван", start, protocol.LoginBody{Login: "a", Hash: someHash})
	results := apply(t, s, in, server(protocol.KindPassword, "2", 1, start+1, protocol.PasswordBody{Set: true, Keep: "a", Hash: someHash + "x"}))
	events, err := s.Since(t.Context(), 0, 100)
	if err != nil || len(events) != 2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for i := range events {
		if bytes.Contains([]byte(events[i].Body+results[i].Event.Body), []byte("argon2id")) {
			t.Errorf("the event holds a hash: %s", events[i].Body)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte(someHash)); n != 1 {
		t.Errorf("the file holds the hash %d times, want the present one once", n)
	}
}

func TestInvitesAreCountedAndEnd(t *testing.T) {
	s := newStore(t)
	accepted(t, s,
		server(protocol.KindInvite, "1", 0, start, protocol.InviteBody{Invite: "i", Label: "семья", Until: start + 100, Uses: 2}),
		server(protocol.KindInvite, "2", 0, start, protocol.InviteBody{Invite: "j", Until: start + 100, Uses: 5}),
		login(t, "3", 1, "Иван", start+1, protocol.LoginBody{Login: "a", Invite: "i", Hash: someHash}))
	denied(t, s, login(t, "4", 2, "Иван", start+2, protocol.LoginBody{Login: "b", Invite: "i", Hash: someHash}), protocol.CodeNameTaken)
	accepted(t, s, login(t, "5", 2, "Мария", start+3, protocol.LoginBody{Login: "b", Invite: "i", Hash: someHash}))
	denied(t, s, login(t, "6", 3, "Ольга", start+4, protocol.LoginBody{Login: "c", Invite: "i", Hash: someHash}), protocol.CodeBadInvite)
	denied(t, s, login(t, "7", 3, "Ольга", start+100, protocol.LoginBody{Login: "c", Invite: "j", Hash: someHash}), protocol.CodeBadInvite)
	accepted(t, s, server(protocol.KindInvite, "8", 0, start+5, protocol.InviteBody{Invite: "j", Revoked: true}))
	denied(t, s, login(t, "9", 3, "Ольга", start+6, protocol.LoginBody{Login: "c", Invite: "j", Hash: someHash}), protocol.CodeBadInvite)
	denied(t, s, login(t, "10", 3, "Ольга", start+6, protocol.LoginBody{Login: "c", Invite: "nothing"}), protocol.CodeBadInvite)
	denied(t, s, server(protocol.KindInvite, "11", 0, start+6, protocol.InviteBody{Invite: "nothing", Revoked: true}), protocol.CodeBadInvite)
	list, err := s.Invites(t.Context())
	if err != nil || len(list) != 2 || list[0].Uses != 0 || list[0].Used != 2 || list[0].Label != "семья" {
		t.Errorf("invites %+v, %v", list, err)
	}
	if i, ok, err := s.Invite(t.Context(), "j"); err != nil || !ok || i.Uses != 0 {
		t.Errorf("invite %+v, %v, %v", i, ok, err)
	}
}

// Only hosts invite, and whoever runs the server.
func TestOnlyHostsInvite(t *testing.T) {
	s := hosted(t)
	invite := func(n int, id string, revoked bool) protocol.Event {
		e := act(protocol.KindInvite, n, protocol.ActBody{})
		body, err := json.Marshal(protocol.InviteBody{Invite: id, Until: start + 1e6, Uses: 1, Revoked: revoked})
		if err != nil {
			t.Fatal(err)
		}
		e.Body = string(body)
		return e
	}
	for n, code := range map[int]protocol.Code{0: "", owner: "", moderator: "", member1: protocol.CodeForbidden} {
		for _, revoked := range []bool{false, true} {
			got := protocol.Code("")
			if e := apply(t, s, invite(n, fmt.Sprint("invite", n), revoked))[0].Err; e != nil {
				got = e.Code
			}
			if got != code {
				t.Errorf("member %d, revoked %v: %q, want %q", n, revoked, got, code)
			}
		}
	}
}
