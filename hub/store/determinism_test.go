package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"govor/hub/protocol"
)

// The environment by which the test binary is told to be a child.
const (
	childDigest = "GOVOR_TEST_DIGEST"
	childSeed   = "GOVOR_TEST_SEED"
)

// history is a journal with everything in it that Apply decides, retries and refusals included.
func history() []protocol.Event {
	random := rand.New(rand.NewPCG(3, 4))
	names := []string{"Иван", "Мария", "İstanbul", "Straße", "Ольга", "Oльга", "Mария"}
	events := []protocol.Event{opening("lobby"), opening("club")}
	at := start
	for i := range 600 {
		at += int64(random.IntN(2000)) - 500 // clocks differ
		n, name := random.IntN(20), names[random.IntN(len(names))]
		e := message([]string{"lobby", "club", "late", "nowhere"}[random.IntN(4)], fmt.Sprint("m", i), n, fmt.Sprint("текст ", i))
		e.Name, e.NameKey = name, strings.ToLower(name)
		switch random.IntN(16) {
		case 0:
			e = claim(fmt.Sprint("n", i), n, name, strings.ToLower(name), at, at+int64(random.IntN(100_000)))
		case 1:
			e = protocol.Event{Room: protocol.RoomServer, Kind: protocol.KindLogout, V: 1, ID: fmt.Sprint("o", i), Member: person(n)}
		case 2:
			e = events[random.IntN(len(events))]
		case 3:
			e = events[random.IntN(len(events))]
			e.Body += "!"
		case 4:
			e = opening([]string{"late", "club", "lobby"}[random.IntN(3)])
			e.ID = fmt.Sprint("r", i)
		case 7, 8:
			e.Kind, e.Target = protocol.KindEdit, int64(random.IntN(40))
		case 5, 6:
			e.Kind, e.Target, e.Body = protocol.KindDeletion, int64(random.IntN(20)), ""
		case 13, 14, 15:
			e = randomAct(random, i, n, names, at)
		}
		if random.IntN(6) == 0 {
			e = proving(random, i, n, name, at)
		}
		e.At, e.Looks = at, protocol.LooksOf(e.Name, e.NameKey)
		events = append(events, e)
	}
	return events
}

// randomAct is something that a host, or somebody who would be one, does.
func randomAct(random *rand.Rand, i, n int, names []string, at int64) protocol.Event {
	kinds := []protocol.Kind{
		protocol.KindRole, protocol.KindKick, protocol.KindMute, protocol.KindUnmute, protocol.KindBan, protocol.KindUnban,
		protocol.KindClose, protocol.KindOpen, protocol.KindOpen, protocol.KindSlow,
	}
	name := names[random.IntN(len(names))]
	b := protocol.ActBody{
		Member: person(random.IntN(20)).String(), Name: name, Key: strings.ToLower(name), Room: []string{"lobby", "club"}[random.IntN(2)],
		Role: []protocol.Role{protocol.RoleNone, protocol.RoleModerator, protocol.RoleOwner}[random.IntN(3)],
		Slow: int64(random.IntN(3)) * 30_000, Until: at + int64(random.IntN(20_000)), Why: "потому",
	}
	switch random.IntN(8) {
	case 0:
		b.Member, b.Nets = "", []string{"203.0.113.0/24"}
	case 1:
		b.Until = 0
	}
	if random.IntN(8) > 0 { // or in the end nobody may do anything
		b.Key = "никто"
	}
	e := act(kinds[random.IntN(len(kinds))], n, b)
	if e.ID = fmt.Sprint("h", i); random.IntN(3) == 0 {
		e.Member, e.Name, e.NameKey = protocol.MemberID{}, "", ""
	}
	return e
}

// proving is an event about logins, passwords or invites.
func proving(random *rand.Rand, i, n int, name string, at int64) protocol.Event {
	id, login, invite := fmt.Sprint("p", i), fmt.Sprint("l", random.IntN(9)), fmt.Sprint("i", random.IntN(5))
	e := protocol.Event{Room: protocol.RoomServer, V: 1, ID: id, Member: person(n), Name: name, NameKey: strings.ToLower(name)}
	switch random.IntN(5) {
	case 0:
		e.Kind, e.Body = protocol.KindRevoke, body(protocol.RevokeBody{Login: login})
	case 1:
		e.Kind, e.Body = protocol.KindPassword, body(protocol.PasswordBody{Set: i%2 == 0, Hash: strings.Repeat("hash", (i+1)%2), Until: at + 5000, Keep: login})
	case 2:
		e.Kind, e.Body = protocol.KindInvite, body(protocol.InviteBody{Invite: fmt.Sprint("i", i), Until: at + 50_000, Uses: 3})
	case 3:
		e.Kind, e.Body = protocol.KindInvite, body(protocol.InviteBody{Invite: invite, Revoked: true})
	default:
		e.Kind, e.Body = protocol.KindLogin, body(protocol.LoginBody{Login: fmt.Sprint("l", i), Until: at + 5000, Replaces: login})
		if i%3 == 0 {
			e.Body = body(protocol.LoginBody{Login: fmt.Sprint("l", i), Until: at + 5000, Invite: invite, Hash: "hash"})
		}
	}
	return e
}

// outcome applies the history in batches of random sizes and says what came of it.
func outcome(s *Store, seed uint64) (string, error) {
	var log bytes.Buffer
	random := rand.New(rand.NewPCG(seed, 0))
	for rest := history(); len(rest) > 0; {
		n := min(1+random.IntN(80), len(rest))
		results, err := s.Apply(context.Background(), rest[:n])
		if err != nil {
			return "", err
		}
		for _, r := range results {
			b, err := json.Marshal(r)
			if err != nil {
				return "", err
			}
			log.Write(append(b, '\n'))
		}
		rest = rest[n:]
	}
	d, err := s.Digest(context.Background())
	return log.String() + d, err
}

func TestTwoStoresDecideTheSame(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(childDigest); dir != "" {
		s := openAt(t, dir)
		var seed uint64
		if _, err := fmt.Sscan(os.Getenv(childSeed), &seed); err != nil {
			t.Fatal(err)
		}
		out, err := outcome(s, seed)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/outcome", []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	var first string
	for i, env := range [][]string{
		{"TZ=UTC", "LANG=C", "LC_ALL=C", "GOMAXPROCS=1", childSeed + "=1"},
		{"TZ=Asia/Kathmandu", "LANG=tr_TR.UTF-8", "LC_ALL=tr_TR.UTF-8", "GOVOR_MAX_TEXT=5", "GOMAXPROCS=4", childSeed + "=2"},
	} {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTwoStoresDecideTheSame$")
		cmd.Env = append(append(os.Environ(), env...), childDigest+"="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("child: %v\n%s", err, out)
		}
		b, err := os.ReadFile(dir + "/outcome")
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = string(b)
			for _, code := range []protocol.Code{protocol.CodeNoRoom, protocol.CodeNameTaken, protocol.CodeIDReused, protocol.CodeNotYours, protocol.CodeNoTarget, protocol.CodeBanned, protocol.CodeMuted, protocol.CodeReadOnly, protocol.CodeSlowMode, protocol.CodeForbidden, protocol.CodeBadInvite} {
				if !strings.Contains(first, string(code)) {
					t.Errorf("the history holds no %s", code)
				}
			}
			for _, what := range []string{`"Erased":true`, `"Kind":"edit"`, `"Taken":"текст`} {
				if !strings.Contains(first, what) {
					t.Errorf("the history has no %s", what)
				}
			}
		} else if string(b) != first {
			t.Errorf("another outcome with %v", env)
		}
	}
}
