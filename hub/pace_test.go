package hub

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"govor/hub/protocol"
)

var someAddr = netip.MustParseAddr("192.0.2.7")

// limited is how often a limit did something.
func (w *world) limited(name string) float64 {
	var m dto.Metric
	if err := w.hub.metrics.limited.WithLabelValues(name).Write(&m); err != nil {
		w.t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// Each limit of what is sent refuses by HTTP what would have to wait for long, says for how long, and is counted under
// the name of its flag.
func TestPacesSayHowLongToWait(t *testing.T) {
	long := strings.Repeat("я", 1000)
	tests := []struct {
		limit  string
		limits Limits
		text   string
		others bool // another member at the same address is over it, too
	}{
		{limitRate, Limits{Rate: 0.1, Burst: 2}, "x", true}, // a guest's address stands for the session
		{limitByteRate, Limits{ByteRate: 10, MaxText: 1000}, long, true},
		{limitMemberRate, Limits{PerMember: Pace{Messages: 0.3}}, "x", false},
		{limitMemberByteRate, Limits{PerMember: Pace{Bytes: 10}, MaxText: 1000}, long, false},
		{limitAddrRate, Limits{PerAddr: Pace{Messages: 0.3}}, "x", true},
		{limitAddrByteRate, Limits{PerAddr: Pace{Bytes: 10}, MaxText: 1000}, long, true},
	}
	for _, tt := range tests {
		t.Run(tt.limit, func(t *testing.T) {
			w := newWorld(t, tt.limits)
			send := func(m Member, from netip.Addr) *protocol.Error {
				_, err := w.hub.Submit(t.Context(), m, from, protocol.Send{Room: "lobby", Text: tt.text})
				return asProtocol(err)
			}
			guest := func() Member {
				m, err := w.hub.Guest(t.Context(), "")
				if err != nil {
					t.Fatal(err)
				}
				return m
			}
			m := guest()
			var e *protocol.Error
			for range 10 {
				if e = send(m, someAddr); e != nil {
					break
				}
			}
			if e == nil || e.Code != protocol.CodeTooFast || e.RetryAfter <= submitPatience || !strings.Contains(e.Message, "more than ") {
				t.Fatalf("over the limit: %+v", e)
			}
			if got := w.limited(tt.limit); got < 1 {
				t.Errorf("chat_limited_total{limit=%q} = %v", tt.limit, got)
			}
			if e := send(guest(), someAddr); (e != nil) != tt.others {
				t.Errorf("somebody else at the address: %+v", e)
			}
			if e := send(guest(), netip.MustParseAddr("198.51.100.1")); e != nil {
				t.Errorf("somebody else elsewhere: %v", e)
			}
		})
	}
}

// Who shares an address with somebody hasty is slowed down and never ended for it.
func TestNeighboursAreNotEndedForAnAddress(t *testing.T) {
	w := newWorld(t, Limits{PerAddr: Pace{Messages: 100}, RatePatience: time.Nanosecond})
	c := w.named("Иван")
	c.s.ip = someAddr
	start := time.Now()
	const n = 430 // four hundred come at once
	for i := range n {
		c.send(`{"type":"send","id":"m%d","text":"x"}`, i)
	}
	for c.until("ack").ID != fmt.Sprintf("m%d", n-1) {
	}
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Errorf("%d messages took %v, which is faster than the limit", n, took)
	}
	if _, _, ends := c.s.Ending(); ends {
		t.Error("the session is ended")
	}
}

// A flood of commands that store nothing is slowed down, too, and then ended: pings, bad frames, joining and leaving.
func TestCommandsAreSlowedDown(t *testing.T) {
	for _, frame := range []string{
		`{"type":"ping"}`, `not JSON`, `{"type":"no such"}`, `{"type":"join","room":"other"}`, `{"type":"leave","room":"other"}`,
		`{"type":"send","text":""}`, `{"type":"send","room":"elsewhere","text":"x"}`, `{"type":"send","id":"a b","text":"x"}`,
	} {
		t.Run(frame, func(t *testing.T) {
			w := newWorld(t, Limits{FrameRate: 100, RatePatience: 50 * time.Millisecond})
			c := w.named("Иван")
			start := time.Now()
			for range 1000 {
				if _, _, ends := c.s.Ending(); ends {
					break
				}
				c.send("%s", frame)
			}
			code, reason, ends := c.s.Ending()
			if !ends || code != protocol.ClosePolicy || reason != reasonTooFast {
				t.Errorf("ending %d %q, %v", code, reason, ends)
			}
			if took := time.Since(start); took < 50*time.Millisecond {
				t.Errorf("ended after %v, before it was slowed down for so long", took)
			}
		})
	}
}

// More sessions are no way around the pace of commands: they share that of their address, and none is ended for it.
func TestCommandsOfAnAddressAreSlowedDown(t *testing.T) {
	w := newWorld(t, Limits{FrameRatePerAddr: 100, RatePatience: time.Nanosecond})
	pings := func(addr string, sessions, each int) time.Duration {
		var all []*client
		for range sessions {
			c := w.named("Иван")
			c.s.ip = netip.MustParseAddr(addr)
			all = append(all, c)
		}
		start := time.Now()
		for range each {
			for _, c := range all {
				c.send(`{"type":"ping"}`)
			}
		}
		took := time.Since(start)
		for _, c := range all {
			if _, _, ends := c.s.Ending(); ends {
				t.Error("a session is ended")
			}
			c.until("pong")
		}
		return took
	}
	if took := pings("192.0.2.1", 10, 44); took < 200*time.Millisecond { // four hundred come at once, ten firsts are free
		t.Errorf("440 commands of ten sessions took %v, which is faster than the limit", took)
	}
	if w.limited(limitAddrFrameRate) == 0 {
		t.Error("the limit is not counted")
	}
	before := w.limited(limitAddrFrameRate)
	pings("192.0.2.2", 10, 30)
	if got := w.limited(limitAddrFrameRate); got != before {
		t.Errorf("another address was slowed down %v times", got-before)
	}
}

// A command that names many rooms is many in one.
func TestCommandsCostWhatTheyName(t *testing.T) {
	rooms := map[string]protocol.Resume{}
	for i := range 64 {
		rooms[fmt.Sprint("room", i)] = protocol.Resume{}
	}
	for _, tt := range []struct {
		cmd  protocol.Command
		want int
	}{
		{protocol.Ping{}, 1},
		{protocol.Join{Room: "a"}, joinCost},
		{nil, refusalCost},
		{protocol.Watch{}, 1},
		{protocol.Watch{Rooms: rooms}, 1 + 64*watchCost},
		{protocol.Hello{}, 1},
		{protocol.Hello{Rooms: rooms}, 1 + 64*joinCost},
	} {
		if got := costOf(tt.cmd); got != tt.want {
			t.Errorf("%T costs %d, want %d", tt.cmd, got, tt.want)
		}
	}
	w := newWorld(t, Limits{FrameRate: 80}) // three hundred and twenty at once
	c := w.named("Иван")
	watch := `{"type":"watch","rooms":{` + strings.Repeat(`"lobby":{},`, 63) + `"lobby":{}}}` // one room, whatever it costs to read
	many := `{"type":"watch","rooms":{`
	for i := range 64 {
		many += fmt.Sprintf(`"room%d":{},`, i)
	}
	many = strings.TrimSuffix(many, ",") + "}}"
	c.send("%s", watch) // the first is free
	for range 2 {
		c.send("%s", many)
	}
	if got := w.limited(limitFrameRate); got != 0 {
		t.Errorf("slowed down %v times, within what may come at once", got)
	}
	c.send("%s", many)
	if got := w.limited(limitFrameRate); got != 1 {
		t.Errorf("slowed down %v times over it, want once", got)
	}
	w = newWorld(t, Limits{FrameRate: 80})
	c = w.named("Иван")
	for range 3 {
		c.send("%s", many) // the first is too dear to be free
	}
	if got := w.limited(limitFrameRate); got != 1 {
		t.Errorf("slowed down %v times by many at once, want once", got)
	}
}

func TestRoomsAreLimited(t *testing.T) {
	w := newWorld(t, Limits{MaxRooms: 2, NewRoomsPerHour: 2})
	c := w.named("Иван")
	c.send(`{"type":"join","room":"second"}`)
	c.until("joined")
	c.send(`{"type":"join","room":"third"}`)
	if e := c.until("error"); e.Code != "too_many" {
		t.Errorf("a third room: %+v", e)
	}
	m, err := w.hub.Guest(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"one", "two", "one", "three"} {
		_, err := w.hub.Submit(t.Context(), m, someAddr, protocol.Send{Room: name, Text: "x"})
		if e := asProtocol(err); (e != nil) != (i == 3) || e != nil && (e.Code != protocol.CodeTooMany || e.RetryAfter < time.Minute) {
			t.Errorf("writing to the room %s: %+v", name, e)
		}
	}
	other, err := w.hub.Guest(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.hub.Submit(t.Context(), other, someAddr, protocol.Send{Room: "four", Text: "x"}); err == nil {
		t.Error("a new guest at the same address opens one more room")
	}
}

func TestChangesOfTheNameAreLimited(t *testing.T) {
	w := newWorld(t, Limits{RenamesPerHour: 2})
	m, err := w.hub.Login(t.Context(), "name0", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 3; i++ {
		next, err := w.hub.Login(t.Context(), fmt.Sprintf("name%d", i), &m)
		if e := asProtocol(err); (e != nil) != (i == 3) || e != nil && (e.Code != protocol.CodeTooFast || e.RetryAfter < time.Minute) {
			t.Fatalf("change %d: %+v", i, e)
		} else if e == nil {
			m = next
		}
	}
	if _, err := w.hub.Login(t.Context(), m.Name, &m); err != nil {
		t.Errorf("to log in again by the same name: %v", err)
	}
}

// A member has so many sessions, on however many devices and from however many addresses; another member is not the worse for it.
func TestSessionsOfAMemberAreBounded(t *testing.T) {
	w := newWorld(t, Limits{MaxSessionsPerMember: 2})
	ivan := w.mustEnter("Иван", "", nil)
	open := func(m Member) (*Session, error) {
		return w.hub.Open(SessionParams{Member: m, Room: "lobby", Format: protocol.JSON{}, Addr: someAddr})
	}
	var all []*Session
	for range 2 {
		s, err := open(ivan)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	_, err := open(ivan)
	wantCode(t, "the third", err, protocol.CodeTooMany)
	if e := asProtocol(err); e.RetryAfter <= 0 {
		t.Error("nothing says how long to wait")
	}
	if got := w.limited(limitMemberConnections); got != 1 {
		t.Errorf("counted %v refusals", got)
	}
	anna, err := open(w.mustEnter("Анна", "", nil))
	if err != nil {
		t.Fatal(err)
	}
	all[0].Ended(protocol.CloseNormal, "")
	again, err := open(ivan)
	if err != nil {
		t.Fatalf("when one has ended: %v", err)
	}
	for _, s := range []*Session{all[1], anna, again} {
		s.Ended(protocol.CloseNormal, "")
	}
}

// An address that is not known is not the address of all who are not known.
func TestUnknownAddressHasNoLimitOfItsOwn(t *testing.T) {
	w := newWorld(t, Limits{MaxConnectionsPerAddr: 1, PerAddr: Pace{Messages: 0.1}})
	for range 3 {
		lease, err := w.hub.Admit(netip.Addr{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(lease.Release)
	}
	if _, err := w.hub.Admit(someAddr); err != nil {
		t.Fatal(err)
	}
	if _, err := w.hub.Admit(someAddr); err == nil {
		t.Error("two connections of one address")
	}
	if got := w.limited(limitAddrConnections); got != 1 {
		t.Errorf("counted %v refusals", got)
	}
}
