package store

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"govor/hub/protocol"
)

// named makes a claim of a name as people write it.
func named(t *testing.T, id string, n int, name string, at, until int64) protocol.Event {
	t.Helper()
	shown, key, bad := protocol.CheckName(name)
	if bad != nil {
		t.Fatal(bad)
	}
	e := claim(id, n, shown, key, at, until)
	e.Looks = protocol.LooksOf(shown, key)
	return e
}

func openingLike(name string) protocol.Event {
	e := opening(name)
	e.Body = body(protocol.RoomBody{Name: name, Kind: "public", Looks: protocol.LooksOf(name, name)})
	return e
}

func TestNobodyPassesForWhoHoldsAName(t *testing.T) {
	s := newStore(t)
	apply(t, s, named(t, "1", 1, "alice", start, start+100))
	for i, name := range []string{"аlice", "AIice", "АLICE", "alісe"} {
		e := named(t, "x"+name, 2+i, name, start+99, start+900)
		refused(t, s, e, protocol.CodeNameTaken)
		said := message("lobby", "m"+name, 2+i, "hello")
		said.Name, said.NameKey, said.Looks, said.At = e.Name, e.NameKey, e.Looks, start+99
		refused(t, s, said, protocol.CodeNameTaken)
		free, err := s.NameFree(t.Context(), e.NameKey, e.Looks, e.Member, time.UnixMilli(start+99))
		if err != nil || free {
			t.Errorf("NameFree(%q) = %v, %v", name, free, err)
		}
	}
	// The holder may write her own name as she likes.
	if r := apply(t, s, named(t, "2", 1, "ALICE", start+99, start+200))[0]; r.Err != nil {
		t.Errorf("the holder changes to capitals: %v", r.Err)
	}
	// When the hold has ended, the other one may have it, and then the first may not.
	if r := apply(t, s, named(t, "3", 2, "аlice", start+200, start+900))[0]; r.Err != nil {
		t.Errorf("the hold has ended: %v", r.Err)
	}
	refused(t, s, named(t, "4", 1, "alice", start+201, start+900), protocol.CodeNameTaken)
	e := named(t, "5", 2, "Борис", start+300, start+900) // lets go
	if r := apply(t, s, e)[0]; r.Err != nil {
		t.Error(r.Err)
	}
	e = named(t, "6", 3, "alice", start+301, start+900)
	if free, err := s.NameFree(t.Context(), e.NameKey, e.Looks, e.Member, time.UnixMilli(start+301)); err != nil || !free {
		t.Errorf("NameFree of what was let go = %v, %v", free, err)
	}
	if r := apply(t, s, e)[0]; r.Err != nil {
		t.Error(r.Err)
	}
}

func TestRoomsThatLookAlikeAreRefused(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	if rs := apply(t, s, openingLike("lobby"), openingLike("планы")); rs[0].Err != nil || rs[1].Err != nil {
		t.Fatal(rs)
	}
	for _, name := range []string{"lоbby", "1obby", "плaны"} {
		refused(t, s, openingLike(name), protocol.CodeBadRoom)
		if like := s.LikeRoom(protocol.LooksOf(name, name)); like == "" {
			t.Errorf("nothing is like %s", name)
		}
	}
	if rs := apply(t, s, openingLike("a"), openingLike("а")); rs[0].Err != nil || rs[1].Err == nil {
		t.Errorf("two in one batch: %v, %v", rs[0].Err, rs[1].Err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, dir)
	if like := s.LikeRoom(protocol.LooksOf("lоbby", "lоbby")); like != "lobby" {
		t.Errorf("opened again, it is like %q", like)
	}
}

// A file from before names had looks gets them.
func TestMigrationFillsInWhatNamesLookLike(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	scripts, err := loadMigrations()
	if err != nil {
		t.Fatal(err)
	}
	if err := create(path); err != nil {
		t.Fatal(err)
	}
	if err := migrateFile(path, scripts[:looksVersion-1]); err != nil {
		t.Fatal(err)
	}
	conn, err := dial(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		"INSERT INTO members (id, name, key) VALUES (randomblob(16), 'Alice', 'alice'), (randomblob(16), 'Пётр', 'пётр')",
		"INSERT INTO names VALUES ('alice', 1, 9000000000000), ('пётр', 2, 9000000000000)",
		"INSERT INTO rooms VALUES (2, 'lobby', 'public', 1, 1, 0, '', 0, 0, 0)",
	} {
		stmt, _, err := conn.PrepareTransient(row)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(run(stmt), stmt.Finalize()); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, name := range []string{"аlice", "AIice", "Пëтр"} {
		refused(t, s, named(t, "x"+name, 9, name, start, start+100), protocol.CodeNameTaken)
	}
	refused(t, s, openingLike("lоbby"), protocol.CodeBadRoom)
}

// Who was banned by name does not come back by one that looks the same.
func TestBanOfANameIsOfWhatLooksLikeIt(t *testing.T) {
	s := hosted(t)
	host := act(protocol.KindBan, owner, protocol.ActBody{}).Member
	ban := protocol.ActBody{Name: "alice", Key: "alice"}
	done(t, s, act(protocol.KindBan, owner, ban))
	for _, name := range []string{"alice", "\u0430lice", "al\u0456ce", "ALICE", "a\u217cice"} {
		_, key, bad := protocol.CheckName(name)
		if bad != nil {
			t.Fatalf("%s: %v", name, bad)
		}
		if s.Ban(protocol.MemberID{9}, key, time.UnixMilli(1)) == nil {
			t.Errorf("%q comes in", name)
		}
	}
	for _, key := range []string{"alicia", "bob", ""} {
		if s.Ban(protocol.MemberID{9}, key, time.UnixMilli(1)) != nil {
			t.Errorf("%q is shut out", key)
		}
	}
	if s.Ban(host, "\u0430lice", time.UnixMilli(1)) != nil {
		t.Error("a host is shut out by the name")
	}
	done(t, s, act(protocol.KindUnban, owner, ban))
	if s.Ban(protocol.MemberID{9}, "\u0430lice", time.UnixMilli(1)) != nil {
		t.Error("the ban was lifted and still holds")
	}
}
