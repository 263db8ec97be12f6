package hub

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"govor/hub/protocol"
)

// owned is a world whose owner is connected.
func owned(t *testing.T) (*world, *client) {
	t.Helper()
	w := newWorld(t, Limits{PresenceGrace: time.Hour})
	return w, w.owner()
}

// owner is a member who is connected and owns the chat.
func (w *world) owner() *client {
	t := w.t
	t.Helper()
	c := w.open(SessionParams{Member: Member{Name: "Мария"}, Addr: netip.MustParseAddr("198.51.100.1")})
	if err := w.hub.BecomeOwner(t.Context(), c.s.member(), w.hub.NewOwnerKey(false)); err != nil {
		t.Fatal(err)
	}
	c.begin()
	return c
}

// begin takes the seat of a session.
func (c *client) begin() {
	c.t.Helper()
	c.send(`{"type":"ping"}`)
	c.until("pong")
}

// acts does something over the session and waits for the receipt.
func (c *client) acts(line string) {
	c.t.Helper()
	id := protocol.NewID()
	c.send(`{"type":"act","id":%q,"line":%q}`, id, line)
	for {
		f := parse(c.t, c.next())
		if f.ID != id {
			continue
		}
		if f.Type != "ack" || f.Room != protocol.RoomServer {
			c.t.Fatalf("%s: %+v", line, f)
		}
		return
	}
}

// refusedAct does something over the session that is refused.
func (c *client) refusedAct(line string, code protocol.Code) {
	c.t.Helper()
	id := protocol.NewID()
	c.send(`{"type":"act","id":%q,"line":%q}`, id, line)
	if f := c.until("error"); f.ID != id || f.Code != string(code) || f.Room == protocol.RoomServer {
		c.t.Errorf("%s: %+v, want %s", line, f, code)
	}
}

// rest reads until nothing comes any more and the session has to end.
func (c *client) rest() (frames []string, code int, reason string) {
	c.t.Helper()
	eventually(c.t, "the session has to end", func() bool {
		var ok bool
		code, reason, ok = c.s.Ending()
		return ok
	})
	for f := c.poll(); f != ""; f = c.poll() {
		frames = append(frames, f)
	}
	return frames, code, reason
}

func TestKickedIsToldAndEnds(t *testing.T) {
	w, owner := owned(t)
	victim, other := w.named("Пётр"), w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Анна"}})
	victim.begin()
	owner.acts("/kick Пётр спам")
	frames, code, reason := victim.rest()
	if code != protocol.ClosePolicy || reason != reasonKicked {
		t.Errorf("ended with %d %q", code, reason)
	}
	told := `"action":"kick","member":"` + victim.s.member().ID.String() + `","name":"Пётр","by":"Мария","you":true,"why":"спам"}`
	if n := strings.Count(strings.Join(frames, "\n"), told); n != 1 {
		t.Errorf("told %d times: %q", n, frames)
	}
	for other.next() != "* Мария removed Пётр from the chat: спам" {
	}
	if owner.until("notice"); len(w.hub.Sanctions()) != 0 {
		t.Error("a kick stays")
	}
	again := w.open(SessionParams{Member: victim.s.member()})
	again.begin()
}

func TestBannedReadsNothingAfter(t *testing.T) {
	for _, format := range []protocol.Format{protocol.JSON{}, protocol.Text{}} {
		w, owner := owned(t)
		victim := w.open(SessionParams{Format: format, Member: Member{Name: "Пётр"}})
		if format.Key() == protocol.SubprotocolJSON {
			victim.begin()
		}
		other := w.named("Анна")
		other.begin()
		w.say("lobby", "before")
		w.gate.hold(true) // one batch: the ban, and what is said after it
		owner.acts("/ban Пётр 1h спам")
		last := w.say("lobby", canary)
		w.gate.hold(false)
		for f := other.until("message"); f.Seq != last; f = other.until("message") {
		}
		frames, code, reason := victim.rest()
		all := strings.Join(frames, "\n")
		if code != protocol.ClosePolicy || reason != reasonBanned || strings.Contains(all, canary) || !strings.Contains(all, "before") {
			t.Errorf("%s: ended with %d %q, read %q", format.Key(), code, reason, all)
		}
		if strings.Count(all, "спам") != 1 {
			t.Errorf("%s: told in %q", format.Key(), all)
		}
	}
}

// A session that has not said anything yet holds a seat; it takes none any more.
func TestBannedBeforeItsFirstCommandTakesNoSeat(t *testing.T) {
	w, owner := owned(t)
	victim := w.named("Пётр")
	owner.acts("/ban Пётр")
	eventually(t, "the session has to end", func() bool { _, _, ok := victim.s.Ending(); return ok })
	w.say("lobby", canary)
	victim.hello(0)
	frames, _, _ := victim.rest()
	if all := strings.Join(frames, "\n"); strings.Contains(all, canary) {
		t.Errorf("read %q", all)
	}
}

func TestKickedWhileCatchingUp(t *testing.T) {
	w, owner := owned(t)
	w.sayMany(300)
	reached, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.hub.hooks.loaded = func(s *seat) {
		if s.session.member().Name == "Пётр" {
			once.Do(func() { close(reached); <-goOn })
		}
	}
	victim := w.named("Пётр")
	victim.hello(0)
	<-reached
	owner.acts("/kick Пётр")
	eventually(t, "the session has to end", func() bool { _, _, ok := victim.s.Ending(); return ok })
	close(goOn)
	w.say("lobby", canary)
	frames, _, _ := victim.rest()
	if all := strings.Join(frames, "\n"); strings.Contains(all, "message 0") || strings.Contains(all, canary) {
		t.Errorf("after the kick: %.300q", all)
	}
}

// Whoever was let in a moment before the ban finds it when the session opens.
func TestBanWhileJoining(t *testing.T) {
	w, owner := owned(t)
	m, err := w.hub.Guest(t.Context(), "Пётр")
	if err != nil {
		t.Fatal(err)
	}
	owner.acts("/ban Пётр") // by name: nobody is connected with it
	if _, err := w.hub.Open(SessionParams{Member: m, Format: protocol.JSON{}, Room: "lobby"}); asProtocol(err) == nil || asProtocol(err).Code != protocol.CodeBanned {
		t.Errorf("Open = %v, want banned", err)
	}
	if _, err := w.hub.Guest(t.Context(), "пётр"); asProtocol(err) == nil || asProtocol(err).Code != protocol.CodeBanned {
		t.Errorf("Guest = %v, want banned", err)
	}
	if _, err := w.hub.Login(t.Context(), "Пётр", nil); asProtocol(err) == nil || asProtocol(err).Code != protocol.CodeBanned {
		t.Errorf("Login = %v, want banned", err)
	}
	if n := w.hub.Online(); n != 1 {
		t.Errorf("%d members are connected", n)
	}
	owner.acts("/unban Пётр")
	if _, err := w.hub.Login(t.Context(), "Пётр", nil); err != nil {
		t.Errorf("after the ban was lifted: %v", err)
	}
}

// Sessions that open, and tokens that are shown, at the very moment of a ban are ended or refused, never left.
func TestBanRacesWithOpening(t *testing.T) {
	w, owner := owned(t)
	for i := range 40 {
		name := fmt.Sprintf("Пётр%d", i)
		m, err := w.hub.Guest(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan *Session)
		go func() {
			s, err := w.hub.Open(SessionParams{Member: m, Format: protocol.Text{}, Room: "lobby"})
			if err != nil {
				s = nil
			}
			done <- s
		}()
		owner.acts("/ban " + name)
		if s := <-done; s != nil {
			eventually(t, "the session has to end", func() bool { _, _, ok := s.Ending(); return ok })
			s.Ended(protocol.ClosePolicy, "test")
		}
	}
}

func TestTokenOfABannedMember(t *testing.T) {
	w, owner := owned(t)
	first := w.named("Пётр")
	token := first.until("welcome").Token
	owner.acts("/ban Пётр 1h")
	first.rest()
	first.close()
	if _, err := w.hub.Recognise(t.Context(), token); asProtocol(err) == nil || asProtocol(err).Code != protocol.CodeBanned {
		t.Errorf("Recognise = %v, want banned", err)
	}
	again := w.named("Другой")
	again.send(`{"type":"hello","token":%q,"rooms":{"lobby":{"after":0}}}`, token)
	if f := again.until("error"); f.Code != string(protocol.CodeBanned) {
		t.Errorf("hello = %+v", f)
	}
	w.say("lobby", canary)
	frames, code, reason := again.rest()
	if code != protocol.ClosePolicy || reason != reasonBanned || strings.Contains(strings.Join(frames, ""), canary) {
		t.Errorf("ended with %d %q: %q", code, reason, frames)
	}
}

// No event of a member is stored after the ban of it, however many are on their way.
func TestBanWhileMessagesAreInFlight(t *testing.T) {
	w, owner := owned(t)
	victim := w.named("Пётр")
	victim.begin()
	id := victim.s.member().ID
	stop, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := 0; stop.Err() == nil; i++ {
			victim.s.Receive([]byte(fmt.Sprintf(`{"type":"send","text":"%d"}`, i)))
			b := victim.s.Pending()
			victim.s.Wrote(len(b))
		}
	})
	eventually(t, "something was said", func() bool { r, _ := w.store.Room("lobby"); return r.Last > 5 })
	owner.acts("/ban Пётр")
	eventually(t, "the session has to end", func() bool { _, _, ok := victim.s.Ending(); return ok })
	cancel()
	sending.Wait()
	events, err := w.store.Since(t.Context(), 0, 4000)
	if err != nil {
		t.Fatal(err)
	}
	banned := false
	for _, e := range events {
		if e.Kind == protocol.KindBan {
			banned = true
		} else if banned && e.Member == id {
			t.Errorf("after the ban: %+v", e)
		}
	}
	if !banned {
		t.Error("there is no ban")
	}
}

func TestMutedIsToldAndMayRead(t *testing.T) {
	w, owner := owned(t)
	victim := w.named("Пётр")
	victim.begin()
	owner.acts("/mute Пётр 10m спам")
	for f := victim.until("notice"); f.Name != "Пётр"; f = victim.until("notice") {
	}
	victim.send(`{"type":"send","id":"a","text":"?"}`)
	if f := victim.until("error"); f.Code != string(protocol.CodeMuted) || f.ID != "a" {
		t.Errorf("refused as %+v", f)
	}
	seq := w.say("lobby", "for all")
	victim.wantRun(seq, seq)
	owner.acts("/unmute Пётр")
	victim.send(`{"type":"send","id":"a","text":"?"}`)
	victim.until("ack")
}

func TestRoleIsShownToTheRoom(t *testing.T) {
	w, owner := owned(t)
	c, lines := w.named("Пётр"), w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Анна"}})
	c.begin()
	c.refusedAct("/kick Анна", protocol.CodeForbidden)
	owner.acts("/mod Пётр")
	for lines.next() != "* Мария made Пётр a moderator" {
	}
	if people, _ := w.hub.People("lobby"); len(people) != 3 || people[1].Role != protocol.RoleOwner || people[2].Role != protocol.RoleModerator {
		t.Errorf("people %+v", people)
	}
	c.acts("/kick Анна")
	c.refusedAct("/kick Мария", protocol.CodeForbidden)
	c.refusedAct("/mod Анна", protocol.CodeForbidden)
	c.refusedAct("/kick Никто", protocol.CodeNoMember)
	owner.refusedAct("/unmod Мария", protocol.CodeLastOwner)
}

func TestAuthorIsToldOfADeletion(t *testing.T) {
	w, owner := owned(t)
	author, seq := w.author()
	owner.send(`{"type":"delete","id":"d","seq":%d,"why":"спам"}`, seq)
	owner.until("ack")
	for f := author.next(); !strings.Contains(f, `"action":"delete"`); f = author.next() {
	}
	entries, err := w.hub.Audit(t.Context(), owner.s.member(), 0, 10)
	if err != nil || len(entries) != 2 || entries[0].Event.Body != "спам" || entries[0].Event.Of.Name != "Иван" {
		t.Errorf("audit list %+v, %v", entries, err)
	}
	if _, err := w.hub.Audit(t.Context(), author.s.member(), 0, 10); asProtocol(err) == nil || asProtocol(err).Code != protocol.CodeForbidden {
		t.Errorf("a member reads the audit list: %v", err)
	}
}

func TestBanOfAddresses(t *testing.T) {
	w, owner := owned(t)
	at := func(name, addr string) *client {
		c := w.open(SessionParams{Member: Member{Name: name}, Addr: netip.MustParseAddr(addr)})
		c.begin()
		return c
	}
	victim, neighbour, far := at("Пётр", "203.0.113.7"), at("Сосед", "203.0.113.200"), at("Анна", "203.0.114.1")
	six, other6 := at("Шесть", "2001:db8:1:2::7"), at("Семь", "2001:db8:1:3::7")
	mod := at("Ведёт", "203.0.113.9")
	owner.acts("/mod Ведёт")
	for _, wrong := range []string{"/ban 0.0.0.0/0", "/ban 198.51.100.0/24", "/ban 127.0.0.1", "/ban ::/8", "/ban ::1"} {
		owner.refusedAct(wrong, protocol.CodeBadCommand)
	}
	send := func(fields string) {
		t.Helper()
		owner.send(`{"type":"act","id":%q,%s}`, protocol.NewID(), fields)
		owner.until("ack")
	}
	send(`"action":"ban","name":"Шесть","address":true`)
	six.rest()
	if w.hub.ShutOut(Member{}, netip.MustParseAddr("2001:db8:1:2:ffff::1")) == nil || w.hub.ShutOut(Member{}, other6.s.ip) != nil {
		t.Error("the network of the address is not what was banned")
	}
	send(`"action":"ban","net":"203.0.113.0/24","for":"1h","why":"спам"`)
	for _, c := range []*client{victim, neighbour} {
		if frames, _, reason := c.rest(); reason != reasonBanned || !strings.Contains(strings.Join(frames, ""), `"you":true`) {
			t.Errorf("%s ended with %q: %q", c.s.member().Name, reason, frames)
		}
	}
	for _, c := range []*client{far, mod, other6} {
		if _, _, ok := c.s.Ending(); ok {
			t.Errorf("%s has to end, too", c.s.member().Name)
		}
	}
	if err := w.hub.ShutOut(mod.s.member(), mod.s.ip); err != nil {
		t.Errorf("a host is shut out by the address: %v", err)
	}
	if _, err := w.hub.Open(SessionParams{Member: Member{ID: protocol.NewMemberID(), Name: "Новый", NameKey: "новый"}, Format: protocol.JSON{}, Room: "lobby", Addr: netip.MustParseAddr("203.0.113.50")}); err == nil {
		t.Error("a session was opened from a banned address")
	}
	owner.acts("/unban 203.0.113.0/24")
	if err := w.hub.ShutOut(Member{}, netip.MustParseAddr("203.0.113.50")); err != nil {
		t.Errorf("after the ban was lifted: %v", err)
	}
}

// A guest by HTTP is somebody new with every request: in slow mode the address waits.
func TestSlowModeHoldsGuestsByHTTP(t *testing.T) {
	w, clock := newWorldAt(t, Limits{PresenceGrace: time.Hour})
	owner := w.owner()
	owner.acts("/slow 1m")
	say := func(from string) error {
		m, err := w.hub.Guest(t.Context(), "ci")
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.hub.Submit(t.Context(), m, netip.MustParseAddr(from), protocol.Send{Room: "lobby", Text: "готово"})
		return err
	}
	if err := say("192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	err := say("192.0.2.1")
	wantCode(t, "the second message of an address", err, protocol.CodeSlowMode)
	if e := asProtocol(err); e.RetryAfter != time.Minute {
		t.Errorf("to wait %s, want 1m", e.RetryAfter)
	}
	if err := say("192.0.2.2"); err != nil {
		t.Errorf("another address: %v", err)
	}
	clock.add(time.Minute)
	if err := say("192.0.2.1"); err != nil {
		t.Errorf("a minute later: %v", err)
	}
	owner.acts("/slow 0")
	if err := say("192.0.2.1"); err != nil {
		t.Errorf("without slow mode: %v", err)
	}
}
