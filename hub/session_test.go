package hub

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"govor/hub/protocol"
)

func TestJournalThatNeverDeliversReachesNobody(t *testing.T) {
	w := newWorld(t, Limits{})
	a, b := w.named("Анна"), w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Борис"}})
	a.hello(0)
	a.until("joined")
	b.next() // You are
	w.gate.hold(true)
	a.send(`{"type":"send","id":"one","text":"hello"}`)
	if f := a.until("ack"); f.Seq != 1 || f.ID != "one" {
		t.Errorf("receipt %+v, want number 1 of one", f)
	}
	for _, c := range []*client{a, b} {
		if f := c.poll(); strings.Contains(f, "hello") {
			t.Errorf("before delivery: %s", f)
		}
	}
	w.gate.hold(false)
	if f := a.until("message"); f.Text != "hello" {
		t.Errorf("echo %+v", f)
	}
	for f := b.next(); f != "Анна: hello"; f = b.next() {
		if strings.Contains(f, "hello") {
			t.Fatalf("text frame %q", f)
		}
	}
}

func TestReceiptOfARetrySaysDuplicate(t *testing.T) {
	w := newWorld(t, Limits{})
	c := w.named("Иван")
	c.hello(0)
	for i, want := range []bool{false, true} {
		c.send(`{"type":"send","id":"same","text":"once"}`)
		if f := c.until("ack"); f.Duplicate != want || f.Seq != 1 {
			t.Errorf("try %d: %+v, want duplicate %t of number 1", i, f, want)
		}
	}
	c.send(`{"type":"send","id":"same","text":"something else"}`)
	if f := c.until("error"); f.Code != "id_reused" || f.ID != "same" {
		t.Errorf("reused id: %+v", f)
	}
}

func TestTokenReplacesTheOldSessionAndKeepsTheName(t *testing.T) {
	w := newWorld(t, Limits{PresenceGrace: time.Hour})
	old := w.named("Иван")
	token := old.until("welcome").Token
	old.hello(0)
	old.until("joined")
	old.send(`{"type":"send","id":"a","text":"before"}`)
	old.until("ack")

	c := w.named("Иван")
	if f := c.until("welcome"); f.Name != "Иван-2" {
		t.Errorf("second Иван is %s, want Иван-2", f.Name)
	}
	c.send(`{"type":"hello","token":%q,"rooms":{"lobby":{"after":0}}}`, token)
	if f := c.until("welcome"); f.Name != "Иван" {
		t.Errorf("recognised as %s", f.Name)
	}
	if code, reason, ok := old.s.Ending(); !ok || code != protocol.CloseGoingAway || reason != reasonReplaced {
		t.Errorf("old session: %d %q %t", code, reason, ok)
	}
	old.close()
	c.send(`{"type":"send","id":"a","text":"before"}`)
	if f := c.until("ack"); !f.Duplicate {
		t.Errorf("a retry over the new session: %+v", f)
	}
	if people, n := w.hub.People("lobby"); n != 1 || people[0].Name != "Иван" {
		t.Errorf("people %v", people)
	}
	again := w.named("Анна")
	token = again.until("welcome").Token
	again.close()
	again = w.named("Анна") // the name is in the address, too
	again.send(`{"type":"hello","token":%q}`, token)
	for _, what := range []string{"opened", "recognised"} {
		if f := again.until("welcome"); f.Name != "Анна" {
			t.Errorf("%s as %s", what, f.Name)
		}
	}
	again.close()

	c.send(`{"type":"hello","token":"forged.token"}`)
	if f := c.until("error"); f.Code != "bad_token" {
		t.Errorf("forged token: %+v", f)
	}
}

func TestAfterAnAppendFailedAllLaterOnesOfTheSessionFail(t *testing.T) {
	w := newWorld(t, Limits{})
	c := w.named("Иван")
	c.hello(0)
	c.until("joined")
	w.gate.fail(true)
	c.send(`{"type":"send","id":"a","text":"one"}`)
	if f := c.until("error"); f.Code != "unavailable" || f.ID != "a" {
		t.Errorf("failed append: %+v", f)
	}
	w.gate.fail(false)
	// One that was read before the session knew of its end, and one that comes later.
	c.s.append(w.hub.message(c.s.member(), "lobby", protocol.Send{ID: "b", Text: "two"}))
	c.send(`{"type":"send","id":"c","text":"three"}`)
	eventually(t, "the session ends", func() bool {
		code, _, ok := c.s.Ending()
		return ok && code == protocol.CloseTryAgain
	})
	w.say("kitchen", "what was appended before has been decided now")
	if room, ok := w.store.Room("lobby"); ok && room.Last != 0 {
		t.Errorf("room %+v: something was stored after a failure", room)
	}
}

func TestRateSlowsDownBeforeItRefuses(t *testing.T) {
	w := newWorld(t, Limits{Rate: 100, Burst: 1, RatePatience: 50 * time.Millisecond})
	c := w.named("Иван")
	c.hello(0)
	c.until("joined")
	start := time.Now()
	sent := 0
	for ; sent < 1000; sent++ {
		c.send(`{"type":"send","id":"m%d","text":"x"}`, sent)
		if _, _, ok := c.s.Ending(); ok {
			break
		}
	}
	if elapsed := time.Since(start); elapsed < 40*time.Millisecond {
		t.Errorf("refused after %s and %d messages, want patience first", elapsed, sent)
	}
	if sent < 3 || sent == 1000 {
		t.Errorf("%d messages before the end", sent)
	}
	for {
		f := c.until("error")
		if f.Code == "too_fast" {
			break
		}
	}
	if code, _, _ := c.s.Ending(); code != protocol.ClosePolicy {
		t.Errorf("close code %d", code)
	}
}

func TestPresenceIsToldOnceAndReconnectsAreSilent(t *testing.T) {
	w := newWorld(t, Limits{PresenceGrace: 200 * time.Millisecond})
	a := w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Анна"}})
	for f := a.next(); f != "* Анна has joined"; f = a.next() {
		continue
	}
	b := w.open(SessionParams{Format: protocol.Text{}, Member: Member{Name: "Борис"}})
	who := b.s.member()
	if f := a.next(); f != "* Борис has joined" {
		t.Fatalf("%q", f)
	}
	b.close()
	b = w.open(SessionParams{Format: protocol.Text{}, Member: who})
	w.say("lobby", "still here")
	if f := a.next(); !strings.HasSuffix(f, "still here") {
		t.Errorf("a reconnect was told: %q", f)
	}
	b.close()
	if f := a.next(); f != "Борис has left" {
		t.Errorf("%q", f)
	}
}

func TestManyRoomsOnOneSession(t *testing.T) {
	w := newWorld(t, Limits{})
	dev := w.say("dev", "earlier")
	c := w.named("Иван")
	c.send(`{"type":"hello","rooms":{"lobby":{},"dev":{"after":0}}}`)
	if f := c.until("message"); f.Room != "dev" || f.Seq != dev {
		t.Errorf("%+v", f)
	}
	c.send(`{"type":"send","id":"1","room":"dev","text":"to dev"}`)
	if f := c.until("message"); f.Room != "dev" || f.Text != "to dev" {
		t.Errorf("%+v", f)
	}
	c.send(`{"type":"leave","room":"dev"}`)
	c.until("left")
	w.say("dev", "nobody listens")
	w.say("lobby", "here")
	if f := c.until("message"); f.Room != "lobby" {
		t.Errorf("after leaving dev: %+v", f)
	}
	c.send(`{"type":"send","id":"2","room":"dev","text":"x"}`)
	if f := c.until("error"); f.Code != "not_in_room" || f.ID != "2" {
		t.Errorf("%+v", f)
	}
	c.send(`{"type":"join","room":"$server"}`)
	if f := c.until("error"); f.Code != "bad_room" {
		t.Errorf("joining $server: %+v", f)
	}
}

func TestResetWhenTheClientHasWhatIsNotStored(t *testing.T) {
	w := newWorld(t, Limits{})
	w.sayMany(60)
	tests := []struct {
		name, resume, reason string
		after                int64
	}{
		{"a number from the future", `{"after":61}`, "ahead", 10},
		{"another id at the number", `{"after":5,"id":"other"}`, "mismatch", 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := w.named("")
			c.send(`{"type":"hello","rooms":{"lobby":%s}}`, tt.resume)
			f := c.until("reset")
			if f.Reason != tt.reason || f.After != tt.after {
				t.Errorf("%+v", f)
			}
			c.wantRun(tt.after+1, 60)
		})
	}
}

func TestStopEndsSessionsWithTheSpreadAndFinishesAppends(t *testing.T) {
	w := newWorld(t, Limits{})
	c := w.named("Иван")
	c.hello(0)
	c.until("joined")
	c.send(`{"type":"send","id":"last","text":"x"}`)
	stopped := make(chan error, 1)
	go func() { stopped <- w.hub.Stop(t.Context()) }()
	eventually(t, "the session ends", func() bool { _, _, ok := c.s.Ending(); return ok })
	code, reason, _ := c.s.Ending()
	if spread, ok := protocol.ParseRestartReason(reason); code != protocol.CloseRestart || !ok || spread < time.Second {
		t.Errorf("ended with %d %q", code, reason)
	}
	c.until("ack")
	c.close()
	if err := <-stopped; err != nil {
		t.Errorf("Stop = %v", err)
	}
	if err := w.hub.Ready(t.Context()); err == nil {
		t.Error("ready after Stop")
	}
	if _, err := w.hub.Admit(netip.MustParseAddr("127.0.0.1")); err == nil {
		t.Error("a connection was admitted after Stop")
	}
}

func TestNames(t *testing.T) {
	w := newWorld(t, Limits{})
	ctx := t.Context()
	m, err := w.hub.Login(ctx, "Мария", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.hub.Login(ctx, "мария", nil)
	if e := asProtocol(err); e == nil || e.Code != protocol.CodeNameTaken || e.Suggestion != "мария-2" {
		t.Errorf("second login: %+v", e)
	}
	if g, err := w.hub.Guest(ctx, "Мария"); err != nil || g.Name != "Мария-2" {
		t.Errorf("guest: %+v %v", g, err)
	}
	got, err := w.hub.Authenticate(ctx, w.hub.Cookie(m))
	if err != nil || got != m {
		t.Errorf("Authenticate = %+v, %v, want %+v", got, err, m)
	}
	if m, err = w.hub.Login(ctx, "Маша", &m); err != nil || m.ID != got.ID {
		t.Errorf("a new name for the same member: %+v %v", m, err)
	}
	if err := w.hub.Logout(ctx, m); err != nil {
		t.Fatal(err)
	}
	if _, err := w.hub.Authenticate(ctx, w.hub.Cookie(m)); err == nil {
		t.Error("the cookie is good after logout")
	}
	if _, err := w.hub.Login(ctx, "Маша", nil); err != nil {
		t.Errorf("the name is not free after logout: %v", err)
	}
}

func TestLeasesAreCountedPerAddressAndInAll(t *testing.T) {
	w := newWorld(t, Limits{MaxConnections: 3, MaxConnectionsPerAddr: 2})
	one, two := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.2")
	var leases []*Lease
	for i, tt := range []struct {
		addr netip.Addr
		ok   bool
	}{{one, true}, {one, true}, {one, false}, {two, true}, {two, false}} {
		l, err := w.hub.Admit(tt.addr)
		if (err == nil) != tt.ok {
			t.Errorf("connection %d: %v", i, err)
		}
		if l != nil {
			leases = append(leases, l)
		}
	}
	leases[0].Release()
	leases[0].Release() // only the first call counts
	if _, err := w.hub.Admit(two); err != nil {
		t.Errorf("after a release: %v", err)
	}
	if _, err := w.hub.Admit(two); err == nil {
		t.Error("a place was given back twice")
	}
}

func BenchmarkDispatch(b *testing.B) {
	r := &room{name: "lobby", hub: &Hub{}, rings: map[string]*ring{}}
	g := newRing(protocol.JSON{}, 0)
	r.rings["x"] = g
	for range 1000 {
		s := &Session{}
		t := &seat{session: s, room: r, ring: g, end: noEnd, state: live}
		g.add(t)
	}
	e := protocol.Event{Room: "lobby", Kind: protocol.KindMessage, ID: protocol.NewID(), Name: "Иван", Body: strings.Repeat("п", 50)}
	b.ReportAllocs()
	for b.Loop() {
		e.Seq++
		r.dispatchLocked(&e)
		for _, t := range g.seats {
			t.session.Pending()
			t.session.current = nil
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/delivery")
}
