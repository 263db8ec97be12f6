package store

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"govor/hub/protocol"
)

var acts atomic.Int64

// act is an event by which the n-th member acts; 0 is whoever runs the server.
func act(kind protocol.Kind, n int, b protocol.ActBody) protocol.Event {
	e := protocol.Event{
		Room: protocol.RoomServer, Kind: kind, V: 1, ID: fmt.Sprint("act", acts.Add(1)), At: start + 2000, Body: b.Encode(),
	}
	if n > 0 {
		e.Member, e.Name, e.NameKey = person(n), fmt.Sprintf("Name%d", n), fmt.Sprintf("name%d", n)
	}
	return e
}

// to is the body of an act on the n-th member.
func to(n int) protocol.ActBody {
	return protocol.ActBody{Member: person(n).String(), Name: fmt.Sprintf("Name%d", n), Key: fmt.Sprintf("name%d", n)}
}

func role(by, n int, r protocol.Role) protocol.Event {
	b := to(n)
	b.Role = r
	return act(protocol.KindRole, by, b)
}

func until(b protocol.ActBody, at int64) protocol.ActBody {
	b.Until = at
	return b
}

func in(room string, slow int64) protocol.ActBody { return protocol.ActBody{Room: room, Slow: slow} }

// done applies events that must not be refused.
func done(t *testing.T, s *Store, batch ...protocol.Event) []Result {
	t.Helper()
	results := apply(t, s, batch...)
	for _, r := range results {
		if r.Err != nil || r.Duplicate {
			t.Fatalf("%s %s: %+v", r.Event.Kind, r.Event.Body, r)
		}
	}
	return results
}

// The members of the tests of permission.
const (
	owner = iota + 1
	otherOwner
	moderator
	otherModerator
	member1
	member2
)

// hosted has two owners, two moderators and two members, who have all said something in the lobby.
func hosted(t *testing.T) *Store {
	t.Helper()
	return withHosts.open(t, func(s *Store) {
		done(t, s, opening("lobby"), opening("club"))
		for n := owner; n <= member2; n++ {
			done(t, s, message("lobby", fmt.Sprint("said", n), n, fmt.Sprint("text of ", n)))
		}
		done(t, s, role(0, owner, protocol.RoleOwner), role(owner, otherOwner, protocol.RoleOwner),
			role(owner, moderator, protocol.RoleModerator), role(owner, otherModerator, protocol.RoleModerator))
	})
}

var withHosts seed

// Who may do what to whom.
func TestPermissionsOfActs(t *testing.T) {
	kinds := map[string]func(by, on int) protocol.Event{
		"kick":           func(by, on int) protocol.Event { return act(protocol.KindKick, by, to(on)) },
		"mute":           func(by, on int) protocol.Event { return act(protocol.KindMute, by, to(on)) },
		"ban":            func(by, on int) protocol.Event { return act(protocol.KindBan, by, to(on)) },
		"make owner":     func(by, on int) protocol.Event { return role(by, on, protocol.RoleOwner) },
		"make moderator": func(by, on int) protocol.Event { return role(by, on, protocol.RoleModerator) },
		"take role":      func(by, on int) protocol.Event { return role(by, on, protocol.RoleNone) },
	}
	doers := map[int]string{0: "server", owner: "owner", moderator: "moderator", member1: "member", 9: "stranger"}
	untouched := hosted(t) // what is refused changes nothing, so one is enough for all of it
	targets := map[int]string{otherOwner: "owner", otherModerator: "moderator", member2: "member", 8: "stranger"}
	for what, make := range kinds {
		for by, byName := range doers {
			for on, onName := range targets {
				rank := func(n int) int {
					return map[int]int{0: 3, owner: 2, otherOwner: 2, moderator: 1, otherModerator: 1}[n]
				}
				allowed := rank(by) > rank(on) && rank(by) > 0
				if what == "make owner" || what == "make moderator" || what == "take role" {
					allowed = rank(by) >= 2
				}
				t.Run(fmt.Sprintf("%s by %s on %s", what, byName, onName), func(t *testing.T) {
					if allowed {
						done(t, hosted(t), make(by, on))
						return
					}
					refused(t, untouched, make(by, on), protocol.CodeForbidden)
				})
			}
		}
	}
}

func TestPermissionsInRooms(t *testing.T) {
	for n, allowed := range map[int]bool{0: true, owner: true, moderator: true, member1: false, 9: false} {
		t.Run(fmt.Sprint("by ", n), func(t *testing.T) {
			s := hosted(t)
			for _, e := range []protocol.Event{
				act(protocol.KindClose, n, in("lobby", 0)), act(protocol.KindOpen, n, in("lobby", 0)), act(protocol.KindSlow, n, in("lobby", 5000)),
			} {
				if allowed {
					done(t, s, e)
				} else {
					refused(t, s, e, protocol.CodeForbidden)
				}
			}
			refusal := protocol.CodeForbidden
			if allowed {
				refusal = protocol.CodeNoRoom
			}
			refused(t, s, act(protocol.KindClose, n, in("nowhere", 0)), refusal)
			refused(t, s, act(protocol.KindClose, n, in(protocol.RoomServer, 0)), refusal)
		})
	}
}

func TestFirstOwnerIsTheOnlyOneByTheLink(t *testing.T) {
	s := newStore(t)
	first := to(1)
	first.Role, first.First = protocol.RoleOwner, true
	if s.HasOwner() {
		t.Error("a new store has an owner")
	}
	refused(t, s, act(protocol.KindRole, 2, first), protocol.CodeForbidden)
	done(t, s, act(protocol.KindRole, 0, first))
	if !s.HasOwner() || s.Role(person(1)) != protocol.RoleOwner {
		t.Errorf("the role is %q", s.Role(person(1)))
	}
	second := to(2)
	second.Role, second.First = protocol.RoleOwner, true
	refused(t, s, act(protocol.KindRole, 0, second), protocol.CodeForbidden)
}

func TestLastOwnerStays(t *testing.T) {
	s := hosted(t)
	done(t, s, role(owner, owner, protocol.RoleNone)) // there is another one
	refused(t, s, role(otherOwner, otherOwner, protocol.RoleNone), protocol.CodeLastOwner)
	refused(t, s, role(otherOwner, otherOwner, protocol.RoleModerator), protocol.CodeLastOwner)
	refused(t, s, role(0, otherOwner, protocol.RoleNone), protocol.CodeLastOwner)
	done(t, s, role(otherOwner, otherOwner, protocol.RoleOwner))
}

// What somebody does who is banned or muted, or is kept from writing.
func undertakings(n int) map[string]protocol.Event {
	renamed := claim("rename", n, "Other", "other", start+3000, start+1e9)
	deletion := protocol.Event{
		Room: "lobby", Kind: protocol.KindDeletion, V: 1, ID: "del", Member: person(n), Name: fmt.Sprintf("Name%d", n),
		NameKey: fmt.Sprintf("name%d", n), At: start + 3000, Target: int64(n),
	}
	open := opening("late")
	open.Member, open.At = person(n), start+3000
	late := message("lobby", "late", n, "?")
	late.At = start + 3000
	return map[string]protocol.Event{"message": late, "deletion": deletion, "rename": renamed, "room": open, "kick": act(protocol.KindKick, n, to(member2))}
}

func TestBannedDoNothing(t *testing.T) {
	for what, e := range undertakings(member1) {
		t.Run(what, func(t *testing.T) {
			s := hosted(t)
			b := until(to(member1), start+60_000)
			b.Why = "спам"
			done(t, s, act(protocol.KindBan, owner, b))
			refused(t, s, e, protocol.CodeBanned)
			r := apply(t, s, e)[0]
			if r.Err.Why != "спам" || r.Err.RetryAfter != time.Duration(start+60_000-e.At)*time.Millisecond {
				t.Errorf("refused with %+v", r.Err)
			}
			early := e
			early.At = start - 1_000_000 // a clock that is behind is no way around
			refused(t, s, early, protocol.CodeBanned)
			if what != "kick" {
				e.At = start + 60_000
				done(t, s, e) // it has ended, by the event's own time
			}
		})
	}
	s := hosted(t)
	done(t, s, act(protocol.KindBan, owner, to(member1)))
	done(t, s, protocol.Event{Room: protocol.RoomServer, Kind: protocol.KindLogout, V: 1, ID: "out", Member: person(member1), At: start})
	refused(t, s, message("lobby", "x", member1, "?"), protocol.CodeBanned)
	stranger := message("lobby", "y", 40, "?")
	stranger.Name, stranger.NameKey = "Name5", "name5"
	refused(t, s, stranger, protocol.CodeBanned) // nobody else takes the name
	if r := apply(t, s, message("lobby", "said5", member1, "text of 5"))[0]; r.Err != nil || !r.Duplicate {
		t.Errorf("a retry of what was stored before the ban = %+v", r)
	}
}

func TestMutedOnlyRead(t *testing.T) {
	for what, e := range undertakings(member1) {
		t.Run(what, func(t *testing.T) {
			s := hosted(t)
			done(t, s, act(protocol.KindMute, moderator, until(to(member1), start+60_000)))
			refused(t, s, e, protocol.CodeMuted)
			done(t, s, claim("hold", member1, "Name5", "name5", start+3000, start+1e9)) // who opens a page holds on to the name
			done(t, s, act(protocol.KindUnmute, moderator, to(member1)))
			if what != "kick" {
				done(t, s, e)
			}
		})
	}
}

// A mute shuts nobody out: one logs in with the same name on another device, and changes its password. Another name is none
// of these.
func TestMutedMayLogIn(t *testing.T) {
	s := hosted(t)
	server := func(id string, kind protocol.Kind, name, body string) protocol.Event {
		return protocol.Event{
			Room: protocol.RoomServer, Kind: kind, V: 1, ID: id, Member: person(member1), Name: name, NameKey: strings.ToLower(name),
			At: start + 3000, Body: body,
		}
	}
	done(t, s, act(protocol.KindMute, moderator, to(member1)))
	done(t, s, server("login", protocol.KindLogin, "Name5", `{"login":"a","how":"page","until":99999999999999}`))
	done(t, s, server("word", protocol.KindPassword, "Name5", `{"set":true,"keep":"a","hash":"$argon2id$x"}`))
	refused(t, s, server("other", protocol.KindLogin, "Other", `{"login":"b","how":"page","until":99999999999999}`), protocol.CodeMuted)
	refused(t, s, message("lobby", "x", member1, "?"), protocol.CodeMuted)
}

func TestHostsOnlyRoom(t *testing.T) {
	s := hosted(t)
	done(t, s, act(protocol.KindClose, moderator, in("lobby", 0)))
	if r, _ := s.Room("lobby"); !r.HostsOnly {
		t.Errorf("the room is %+v", r)
	}
	for what, e := range undertakings(member1) {
		switch what {
		case "message":
			refused(t, s, e, protocol.CodeReadOnly)
		case "deletion":
			done(t, s, e)
		}
	}
	done(t, s, message("lobby", "host", moderator, "?"), message("club", "x", member1, "elsewhere"))
	done(t, s, act(protocol.KindOpen, moderator, in("lobby", 0)), message("lobby", "z", member1, "again"))
}

func TestSlowMode(t *testing.T) {
	s := hosted(t)
	say := func(id string, n int, at int64) protocol.Event {
		e := message("lobby", id, n, "?")
		e.At = start + at
		return e
	}
	done(t, s, act(protocol.KindSlow, moderator, in("lobby", 10_000)))
	done(t, s, say("a", member1, 5000), say("b", member2, 5000))
	refused(t, s, say("c", member1, 6000), protocol.CodeSlowMode)
	if r := apply(t, s, say("c", member1, 6000))[0]; r.Err.RetryAfter != 9*time.Second {
		t.Errorf("refused with %+v", r.Err)
	}
	done(t, s, say("h1", moderator, 6000), say("h2", moderator, 6000), say("c", member1, 15_000), message("club", "d", member1, "?"))
	s2 := openAt(t, copyOf(t, s))
	refused(t, s2, say("e", member1, 16_000), protocol.CodeSlowMode) // also after a restart
	done(t, s, act(protocol.KindSlow, moderator, in("lobby", 0)), say("e", member1, 16_000), say("f", member1, 16_000))
}

// copyOf closes nothing: it is a backup, restored elsewhere.
func copyOf(t *testing.T, s *Store) string {
	t.Helper()
	file, dir := t.TempDir()+"/backup", t.TempDir()
	if _, err := Backup(t.Context(), s.dir, file); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), dir, file, false); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestHostsDeleteWhatOthersWrote(t *testing.T) {
	s := hosted(t)
	del := func(by int, target int64) protocol.Event {
		e := undertakings(by)["deletion"]
		e.ID, e.Target, e.Body = fmt.Sprint("del", by, target), target, "спам"
		return e
	}
	refused(t, s, del(member2, member1), protocol.CodeNotYours)
	r := done(t, s, del(moderator, member1))[0]
	if r.Event.Body != "спам" || r.Event.Taken != "text of 5" || !r.Event.Of.Erased {
		t.Errorf("deleted as %+v", r.Event)
	}
	if again := apply(t, s, del(moderator, member1))[0]; again.Err != nil || !again.Duplicate {
		t.Errorf("a retry = %+v", again)
	}
	if own := done(t, s, del(member2, member2))[0]; own.Event.Body != "" {
		t.Errorf("one's own deletion has the reason %q", own.Event.Body)
	}
	entries, err := s.Audit(t.Context(), 0, 10)
	if err != nil || len(entries) != 5 || entries[0].Event.Kind != protocol.KindDeletion || entries[0].Event.Of.Name != "Name5" || entries[0].Event.Body != "спам" {
		t.Errorf("the audit list = %+v, %v", entries, err)
	}
}

func TestSanctionsTakeTheirPlaces(t *testing.T) {
	s := hosted(t)
	at := time.UnixMilli(start + 2000)
	net := protocol.ActBody{Nets: []string{"203.0.113.0/24"}}
	done(t, s, act(protocol.KindBan, owner, until(to(member1), start+10_000)), act(protocol.KindBan, owner, until(to(member1), start+20_000)),
		act(protocol.KindMute, owner, to(member1)), act(protocol.KindBan, owner, net), act(protocol.KindBan, owner, protocol.ActBody{Name: "Ghost", Key: "ghost"}))
	if list := s.Sanctions(at); len(list) != 4 || list[3].Until != start+20_000 {
		t.Errorf("sanctions %+v", list)
	}
	in := netip.MustParseAddr("203.0.113.77")
	if s.BanOf(in, at) == nil || s.BanOf(netip.MustParseAddr("203.0.114.1"), at) != nil {
		t.Error("the addresses are not those that were banned")
	}
	if s.Ban(protocol.MemberID{}, "ghost", at) == nil || s.Ban(person(member2), "name6", at) != nil {
		t.Error("the name is not the one that was banned")
	}
	dir := copyOf(t, s)
	again := openAt(t, dir)
	if got, want := fmt.Sprint(again.Sanctions(at)), fmt.Sprint(s.Sanctions(at)); got != want {
		t.Errorf("after a restart %s, want %s", got, want)
	}
	if again.Role(person(moderator)) != protocol.RoleModerator || again.BanOf(in, at) == nil || digest(t, again) != digest(t, s) {
		t.Error("roles or bans are not what they were")
	}
	refused(t, s, act(protocol.KindUnban, owner, to(member2)), protocol.CodeNoMember)
	done(t, s, act(protocol.KindUnban, moderator, to(member1)), act(protocol.KindUnban, moderator, net),
		act(protocol.KindUnban, moderator, protocol.ActBody{Key: "ghost"}), act(protocol.KindUnmute, moderator, to(member1)))
	if list := s.Sanctions(at); len(list) != 0 {
		t.Errorf("sanctions %+v", list)
	}
	late := act(protocol.KindBan, owner, until(to(member1), start+10_000))
	later := act(protocol.KindBan, owner, to(member2))
	later.At = start + 10_000
	done(t, s, late, later) // what has ended goes with the next one
	if list := s.Sanctions(time.UnixMilli(0)); len(list) != 1 {
		t.Errorf("sanctions %+v", list)
	}
	sound(t, s.dir)
}

// A name that a host has cannot be banned behind its back.
func TestBannedNameOfAHost(t *testing.T) {
	s := hosted(t)
	done(t, s, act(protocol.KindBan, moderator, protocol.ActBody{Name: "Name1", Key: "name1"}), message("lobby", "x", owner, "still here"))
}

// A restored backup erases what was erased since, although its author may not do anything any more.
func TestRestoreErasesForThoseWhoAreBanned(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	done(t, s, opening("lobby"), message("lobby", "a", member1, "gone"), message("lobby", "b", owner, "stays"))
	done(t, s, role(0, owner, protocol.RoleOwner), act(protocol.KindBan, owner, to(member1)))
	file := backup(t, dir)
	e := undertakings(owner)["deletion"]
	e.Target = 1
	done(t, s, e)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Restore(t.Context(), dir, file, true)
	if err != nil || r.Erased != 1 {
		t.Fatalf("Restore = %+v, %v", r, err)
	}
	again := openAt(t, dir)
	refused(t, again, message("lobby", "c", member1, "?"), protocol.CodeBanned)
}

func TestActsThatMakeNoSense(t *testing.T) {
	s := hosted(t)
	elsewhere := act(protocol.KindKick, owner, to(member1))
	elsewhere.Room = "lobby"
	broken := act(protocol.KindKick, owner, to(member1))
	broken.Body = "{"
	for _, e := range []protocol.Event{
		elsewhere, broken, act(protocol.KindKick, owner, protocol.ActBody{}), act(protocol.KindBan, owner, protocol.ActBody{Nets: []string{"home"}}),
		role(owner, member1, "king"), act(protocol.KindRole, owner, protocol.ActBody{Role: protocol.RoleOwner}),
	} {
		refused(t, s, e, protocol.CodeInternal)
	}
}

func TestCheckFindsWhatIsWrongWithActs(t *testing.T) {
	for sql, want := range map[string]string{
		"UPDATE members SET role = 'king' WHERE num = 1":                                 "the role king",
		"INSERT INTO sanctions VALUES (1)":                                               "number 1 is in force",
		"DELETE FROM audit WHERE num = 2":                                                "not in the audit list",
		"INSERT INTO audit (pos) SELECT pos FROM events WHERE id = 'said1'":              "no host did",
		"DELETE FROM audit WHERE pos = (SELECT pos FROM events WHERE kind = 'deletion')": "deletes what somebody else wrote",
		"UPDATE audit SET num = num + 1 WHERE num = (SELECT max(num) FROM audit)":        "entries up to number",
	} {
		s := hosted(t)
		e := undertakings(moderator)["deletion"]
		e.Target = member1
		done(t, s, act(protocol.KindBan, owner, to(member1)), e)
		sound(t, s.dir)
		script(t, s, sql)
		problems, err := Check(t.Context(), s.dir)
		if err != nil || !strings.Contains(strings.Join(problems, "\n"), want) {
			t.Errorf("%s: %q, %v, want %q", sql, problems, err, want)
		}
	}
}
