package terminal

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"govor/hub/protocol"
)

func TestPipeSendsEveryLineInOrderAndEndsWithZero(t *testing.T) {
	s := newFakeServer(t)
	p := startPiped(t, s, nil, "Иван")
	var want []string
	for i := range 40 {
		want = append(want, fmt.Sprintf("строка %d", i))
	}
	p.type_(want...)
	p.type_("", "   ") // nothing to send
	_ = p.in.Close()
	p.wantExit(exitOK)
	if got := s.texts(); !slices.Equal(got, want) {
		t.Errorf("stored %q, want %q", got, want)
	}
	if got := strings.Count(p.out.String(), " Иван: строка "); got != 40 {
		t.Errorf("shown %d own messages, want 40:\n%s", got, p.out)
	}
	p.notes.wait(t, "* Вы вошли как Иван · Общая · 9 онлайн")
}

// The server answers nothing until the heartbeats show that the client waits.
func TestAtMostSixteenAreOnTheirWay(t *testing.T) {
	s := newFakeServer(t)
	var held []protocol.Send // owned by the connection's goroutine
	most, pings := 0, 0
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		switch cmd := cmd.(type) {
		case protocol.Send:
			held, pings = append(held, cmd), 0
			most = max(most, len(held))
			return true
		case protocol.Ping:
			if pings++; pings >= 3 {
				for _, m := range held {
					c.send(m)
				}
				held = nil
			}
		}
		return false
	})
	p := startPiped(t, s, nil, "Иван")
	for i := range 40 {
		p.type_(fmt.Sprint(i))
	}
	_ = p.in.Close()
	p.wantExit(exitOK)
	s.stop()
	if most != protocol.MaxUnacknowledged {
		t.Errorf("%d were on their way at once, want %d", most, protocol.MaxUnacknowledged)
	}
	if got := s.texts(); len(got) != 40 || got[0] != "0" || got[39] != "39" {
		t.Errorf("stored %q", got)
	}
}

// A connection that is cut before the receipts arrive must neither lose, double nor reorder anything.
func TestReconnectSendsAgainInOrderAndNothingTwice(t *testing.T) {
	s, seen := newFakeServer(t), make(chan struct{})
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if !ok || c.number > 0 {
			return false
		}
		switch m.Text {
		case "два": // stored, the receipt is lost
			<-seen // a reset takes along what the client has not read
			c.storeUnseen(m)
			_ = c.ws.CloseNow()
			return true
		case "один":
			return false
		}
		return true // lost on the way
	})
	p := startPiped(t, s, nil, "Иван")
	p.type_("один", "два", "три", "четыре")
	p.out.wait(t, "Иван: один")
	close(seen)
	s.seated(1)
	s.say("Пётр", "а я тут")
	p.out.wait(t, "а я тут")
	_ = p.in.Close()
	p.wantExit(exitOK)
	want := []string{"один", "два", "три", "четыре"}
	got := slices.DeleteFunc(s.texts(), func(s string) bool { return s == "а я тут" })
	if !slices.Equal(got, want) {
		t.Errorf("stored %q, want %q", got, want)
	}
	if got := s.hellos[1].Rooms[protocol.RoomLobby]; got.After == nil || *got.After != 1 || got.ID != s.events[0].ID {
		t.Errorf("resumed at %+v, want after 1 with its id", got)
	}
	if s.names[1] != "" || s.hellos[1].Token == "" {
		t.Errorf("came back as %q with token %q, want no name and a token", s.names[1], s.hellos[1].Token)
	}
	for _, text := range append(want, "а я тут") {
		if n := strings.Count(p.out.String(), ": "+text+"\n"); n != 1 {
			t.Errorf("%q shown %d times:\n%s", text, n, p.out)
		}
	}
}

func TestResumeShowsWhatWasSaidMeanwhileOnce(t *testing.T) {
	s := newFakeServer(t)
	gate := make(chan struct{})
	dials := 0
	p := startPiped(t, s, func(c *client) {
		c.dial = func(ctx context.Context, url string) (wire, error) {
			if dials++; dials > 1 {
				<-gate
			}
			return dialWebSocket(ctx, url, nil)
		}
	}, "Иван")
	first := s.seated(0)
	s.say("Пётр", "до")
	p.out.wait(t, "Пётр: до")
	_ = first.ws.CloseNow()
	s.mu.Lock()
	first.live = false
	s.mu.Unlock()
	s.say("Пётр", "во время")
	p.notes.wait(t, "* Нет связи. ")
	close(gate)
	p.out.wait(t, "Пётр: во время")
	p.notes.wait(t, "* Снова на связи")
	s.say("Пётр", "после")
	p.out.wait(t, "Пётр: после")
	for _, text := range []string{"до", "во время", "после"} {
		if n := strings.Count(p.out.String(), "Пётр: "+text+"\n"); n != 1 {
			t.Errorf("%q shown %d times", text, n)
		}
	}
}

func TestResetIsSaid(t *testing.T) {
	s := newFakeServer(t)
	s.say("Пётр", "раз")
	p := startPiped(t, s, nil, "Иван")
	s.seated(0)
	s.say("Пётр", "два")
	p.out.wait(t, "два")
	s.mu.Lock() // another file was put in place
	s.events = nil
	c := s.conns[0]
	c.live = false
	s.mu.Unlock()
	s.say("Анна", "другое")
	_ = c.ws.CloseNow()
	p.notes.wait(t, "* Часть истории не показана")
	p.out.wait(t, "Анна: другое")
}

func TestHistoryIsShownFirst(t *testing.T) {
	s := newFakeServer(t)
	for i := range 10 {
		s.say("Пётр", fmt.Sprint("старое ", i))
	}
	p := startPiped(t, s, nil, "Иван", "--history", "3")
	_ = p.in.Close()
	p.wantExit(exitOK)
	lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], "Пётр: старое 7") || !strings.HasSuffix(lines[2], "Пётр: старое 9") {
		t.Errorf("shown %q, want the last three", lines)
	}
}

func TestRestartWaitsWithinTheSpread(t *testing.T) {
	s := newFakeServer(t)
	p := startPiped(t, s, func(c *client) { c.random = func() float64 { return 0.5 } }, "Иван")
	c := s.seated(0)
	start := time.Now()
	c.close(protocol.CloseRestart, protocol.RestartReason(600*time.Millisecond))
	s.seated(1)
	if took := time.Since(start); took < 300*time.Millisecond || took > 900*time.Millisecond {
		t.Errorf("came back after %v, want about half of the spread of 600ms", took)
	}
	p.notes.wait(t, "Сервер обновляется")
}

func TestNotReconnectedWhenReplacedOrKicked(t *testing.T) {
	for _, end := range []struct {
		code   int
		reason string
	}{{1001, "replaced"}, {1001, "logged out"}, {1008, "forbidden"}} {
		s := newFakeServer(t)
		p := startPiped(t, s, nil, "Иван")
		s.seated(0).close(end.code, end.reason)
		p.wantExit(exitKicked)
	}
	s := newFakeServer(t)
	startPiped(t, s, nil, "Иван")
	s.seated(0).close(1001, "idle")
	s.seated(1)
}

func TestRefusedMessagesAreToldAndExitSix(t *testing.T) {
	s := newFakeServer(t)
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if !ok || m.Text != "нельзя" {
			return false
		}
		c.write(protocol.Errorf(protocol.CodeRoomClosed, "\x1b[31mclosed").About(m.Room, m.ID))
		return true
	})
	p := startPiped(t, s, nil, "Иван")
	p.type_("можно", "нельзя", "опять можно")
	_ = p.in.Close()
	p.wantExit(exitUndelivered)
	p.notes.wait(t, "* Не отправлено: комната закрыта: нельзя")
	if got := s.texts(); !slices.Equal(got, []string{"можно", "опять можно"}) {
		t.Errorf("stored %q", got)
	}
}

func TestUnavailableIsSentAgainInOrder(t *testing.T) {
	s := newFakeServer(t)
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if !ok || c.number > 0 || m.Text == "раз" {
			return false
		}
		c.write(protocol.Errorf(protocol.CodeUnavailable, "disk full").About(m.Room, m.ID))
		c.close(protocol.CloseTryAgain, "unavailable")
		return true
	})
	p := startPiped(t, s, nil, "Иван")
	p.type_("раз", "два", "три")
	_ = p.in.Close()
	p.wantExit(exitOK)
	if got := s.texts(); !slices.Equal(got, []string{"раз", "два", "три"}) {
		t.Errorf("stored %q", got)
	}
}

func TestInternalErrorsEnd(t *testing.T) {
	s := newFakeServer(t)
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if ok {
			c.write(protocol.Errorf(protocol.CodeInternal, "oops").About(m.Room, m.ID))
		}
		return ok
	})
	p := startPiped(t, s, nil, "Иван")
	p.type_("раз")
	_ = p.in.Close()
	p.wantExit(exitUndelivered)
}

func TestCannotConnect(t *testing.T) {
	s := newFakeServer(t)
	s.stop()
	p := startPiped(t, s, nil, "Иван", "--timeout", "100ms")
	p.wantExit(exitNoConnection)
	p.notes.wait(t, "Не удалось подключиться к "+s.srv.URL)
}

func TestServerGoneWithMessagesLeft(t *testing.T) {
	s := newFakeServer(t)
	p := startPiped(t, s, nil, "Иван", "--timeout", "200ms")
	s.seated(0)
	s.stop()
	p.type_("пропало")
	_ = p.in.Close()
	p.wantExit(exitUndelivered)
	if p.client.box.len() != 1 {
		t.Errorf("%d messages left, want 1", p.client.box.len())
	}
}

func TestInterrupt(t *testing.T) {
	s := newFakeServer(t)
	p := startPiped(t, s, nil, "Иван")
	s.seated(0)
	p.interrupt()
	p.wantExit(exitOK)

	s = newFakeServer(t)
	got := make(chan struct{}, 1)
	s.on(func(_ *fakeConn, cmd protocol.Command) bool {
		_, ok := cmd.(protocol.Send)
		if ok {
			got <- struct{}{}
		}
		return ok
	})
	p = startPiped(t, s, nil, "Иван")
	p.type_("без ответа")
	<-got
	p.interrupt()
	p.wantExit(exitInterrupted)
}

// Who sees the own message among the others' has sent it, also where the receipt is still on its way.
func TestAnEchoIsAsGoodAsAReceipt(t *testing.T) {
	s := newFakeServer(t)
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if ok {
			// The same id, of somebody else, is another message.
			c.s.add(protocol.Event{ID: m.ID, Member: protocol.NewMemberID(), Name: "Пётр", Body: "не " + m.Text})
			if m.Text == "дошло" {
				c.store(m)
			}
		}
		return ok
	})
	p := startPiped(t, s, nil, "Иван")
	p.type_("дошло")
	p.out.wait(t, "Иван: дошло")
	p.interrupt()
	p.wantExit(exitOK)

	p = startPiped(t, s, nil, "Анна")
	p.type_("пропало")
	p.out.wait(t, "Пётр: не пропало")
	p.interrupt()
	p.wantExit(exitInterrupted)
}

func TestRefusedBeforeTheUpgrade(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   int
		note   string
	}{
		{400, `{"error":{"code":"bad_name","message":"x"}}`, exitName, "Имя:"},
		{400, `{"code":"bad_name","message":"x"}`, exitName, "Имя:"},
		{403, `no`, exitName, "не впускает (403): возможно, прокси"},
		{401, `<h1>401</h1>`, exitName, "--password-file"},
		{403, `{"error":{"code":"forbidden","message":"x"}}`, exitName, "обратный прокси"},
		{403, `{"error":{"code":"banned","message":"x"}}`, exitName, "Доступ закрыт"},
		{404, `<h1>nothing</h1>`, exitOther, "это не Говор (404 Not Found)"},
		{404, `{"error":{"code":"no_room","message":"Cannot GET /ws"}}`, exitOther, "это не Говор (404 Cannot GET /ws)"},
		{400, `{"error":{"code":"bad_room","message":"x"}}`, exitOther, "комнаты"},
		{503, `{"error":{"code":"too_many","message":"a` + "\u009b" + `31mb"}}`, exitNoConnection, "a\uFFFD31mb"},
	} {
		s := newFakeServer(t)
		var asked atomic.Int32
		s.refuse = func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
		}
		p := startPiped(t, s, func(c *client) {
			c.now = func() time.Time {
				if asked.Load() > 1 { // the first refusal is known by now: the time for trying is over
					return time.Now().Add(2 * time.Hour)
				}
				return time.Now()
			}
		}, "Иван", "--timeout", "1h")
		p.wantExit(test.want)
		if note := strings.ToLower(p.notes.String()); !strings.Contains(note, strings.ToLower(test.note)) {
			t.Errorf("%d %s: notes %q, want %q", test.status, test.body, note, test.note)
		}
	}
}
