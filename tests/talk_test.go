package tests

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// The test of the first implementation of the wish, as it was: a client without a name reads a text frame with
// "You are", sends "test message" and then reads a frame with it.
func TestFirstImplementationsClientIsServed(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		ws, _, err := websocket.Dial(ctx, "ws://"+s.addr+"/ws", nil) //nolint:bodyclose // the library closes it
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		typ, data, err := ws.Read(ctx)
		if err != nil || typ != websocket.MessageText || !strings.Contains(string(data), "You are") {
			t.Fatalf("the first frame is %v %q, %v, want text with %q", typ, data, err, "You are")
		}
		if err := ws.Write(ctx, websocket.MessageText, []byte("test message")); err != nil {
			t.Fatal(err)
		}
		for {
			_, data, err := ws.Read(ctx)
			if err != nil {
				t.Fatalf("the message does not come back: %v", err)
			}
			if strings.Contains(string(data), "test message") {
				break
			}
		}
	})
}

func TestFormatsTalkToEachOther(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		text, name := s.text("Иван", "")
		if name != "Иван" {
			t.Errorf("the name is %q", name)
		}
		program := s.joined("Робот")
		page := s.html("Мария")
		page.send("h1", "от **страницы**")
		line := text.await("страницы")
		if line != "Мария: от **страницы**" {
			t.Errorf("text has %q", line)
		}
		if m := program.message(); m.From != "Мария" || m.Text != "от **страницы**" || m.Seq != 1 || m.Room != "lobby" || m.ID != "h1" {
			t.Errorf("JSON has %s", m.raw)
		}
		if seq, from, body := page.message(); seq != "1" || from != "Мария" || body != "от страницы" {
			t.Errorf("HTML has %q %q %q", seq, from, body)
		}

		text.write("раз\nдва <b>")
		if line := text.await("два"); line != "Иван: раз\nИван: два <b>" {
			t.Errorf("text has %q", line)
		}
		if m := program.message(); m.From != "Иван" || m.Text != "раз\nдва <b>" || m.Seq != 2 || m.ID == "" {
			t.Errorf("JSON has %s", m.raw)
		}
		if seq, from, body := page.message(); seq != "2" || from != "Иван" || !strings.Contains(body, "два <b>") {
			t.Errorf("HTML has %q %q %q", seq, from, body)
		}

		program.say("j1", "от программы")
		if ack := program.answer("j1"); ack.Type != "ack" || ack.Seq != 3 || ack.Duplicate || ack.Room != "lobby" {
			t.Errorf("receipt = %s", ack.raw)
		}
		if line := text.await("программы"); line != "Робот: от программы" {
			t.Errorf("text has %q", line)
		}
		if seq, from, _ := page.message(); seq != "3" || from != "Робот" {
			t.Errorf("HTML has %q %q", seq, from)
		}
	})
}

// send sends a message as the page does and waits for the receipt.
func (c *htmlConn) send(id, text string) {
	c.t.Helper()
	c.write(fmt.Sprintf(`{"type":"send","id":%q,"text":%q}`, id, text))
}

func TestTakenAndReservedNamesGetASuffix(t *testing.T) {
	t.Parallel()
	s := start(t)
	long := strings.Repeat("я", 32)
	for _, tt := range []struct{ ask, get string }{
		{"Иван", "Иван"},
		{"Иван", "Иван-2"},
		{"ИВАН", "ИВАН-3"},
		{"admin", "admin-2"},
		{long, long},
		{long, long[:60] + "-2"},
	} {
		if _, got := s.text(tt.ask, ""); got != tt.get {
			t.Errorf("who asks for %q is %q, want %q", tt.ask, got, tt.get)
		}
	}
	_, first := s.text("", "")
	_, second := s.text("", "")
	if first == "" || first == second {
		t.Errorf("two guests without a name are %q and %q", first, second)
	}
	// A name comes back when its owner has gone.
	c, got := s.text("Пётр", "")
	if got != "Пётр" {
		t.Fatalf("the name is %q", got)
	}
	c.close()
	eventually(t, "the name is free again", func() bool {
		c, got := s.text("Пётр", "")
		c.close()
		return got == "Пётр"
	})
}

func TestPresenceIsAnnounced(t *testing.T) {
	t.Parallel()
	s := start(t, "--presence-grace", "100ms")
	text, _ := s.text("Иван", "")
	program := s.joined("Робот")
	page := s.html("Мария")
	text.await("* Мария has joined")
	program.where("Мария joins", func(f frame) bool {
		return f.Type == "presence" && slices.Contains(f.Joined, "Мария") && f.Online == 3
	})
	guest, _ := s.text("Пётр", "")
	text.await("* Пётр has joined")
	page.await("Пётр")
	guest.close()
	if line := text.await("Пётр has left"); strings.Contains(line, "* Пётр has left") {
		t.Errorf("leaving is %q, want it as the first implementation wrote it", line)
	}
	left := program.where("Пётр leaves", func(f frame) bool { return f.Type == "presence" && slices.Contains(f.Left, "Пётр") })
	if left.Online != 3 {
		t.Errorf("after leaving %d are online, want 3", left.Online)
	}
	joined := s.json("Анна", "")
	joined.send(map[string]any{"type": "hello"})
	people := joined.frame("joined")
	var names []string
	for _, p := range people.People {
		names = append(names, p.Name)
	}
	if want := []string{"Анна", "Иван", "Мария", "Робот"}; !slices.Equal(names, want) || people.Online != 4 {
		t.Errorf("who is there: %v, %d online, want %v", names, people.Online, want)
	}
}

// A reload is no leaving: who comes back within the grace time is not announced.
func TestShortAbsenceIsSilent(t *testing.T) {
	t.Parallel()
	s := start(t, "--presence-grace", "20s")
	text, _ := s.text("Иван", "")
	program := s.joined("Робот")
	text.await("* Робот has joined")
	program.close()
	back := s.json("", "")
	back.send(map[string]any{"type": "hello", "token": program.welcome.Token})
	if w := back.frame("welcome"); w.Name != "Робот" {
		t.Fatalf("the token makes %q", w.Name)
	}
	back.frame("joined")
	third, _ := s.text("Пётр", "")
	defer third.close()
	for {
		line := text.next("Пётр joins")
		if strings.Contains(line, "Робот") {
			t.Errorf("a short absence was announced: %q", line)
		}
		if strings.Contains(line, "Пётр has joined") {
			break
		}
	}
}

func TestPlainTextBeginsWithHistory(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		writer, _ := s.text("Иван", "")
		for i := range 30 {
			writer.write(fmt.Sprintf("line %d", i))
			writer.await(fmt.Sprintf("line %d", i))
		}
		reader := s.dial(url.Values{"name": {"Пётр"}, "history": {"5"}}, "", nil)
		if first := reader.next("welcome"); first != "You are Пётр" {
			t.Errorf("the first frame is %q", first)
		}
		writer.write("live")
		var got []string
		for len(got) < 6 {
			for line := range strings.SplitSeq(reader.next("history"), "\n") {
				if text, ok := strings.CutPrefix(line, "Иван: "); ok {
					got = append(got, text)
				}
			}
		}
		if want := []string{"line 25", "line 26", "line 27", "line 28", "line 29", "live"}; !slices.Equal(got, want) {
			t.Errorf("history and what follows = %q, want %q", got, want)
		}
		if c, status, err := s.tryDial(url.Values{"history": {"1001"}}, "", nil); err == nil {
			c.close()
			t.Error("history=1001 is allowed")
		} else if status != http.StatusBadRequest {
			t.Errorf("history=1001: %d, %v, want 400", status, err)
		}
	}, "--no-limits")
}

// The address alone brings a program into the room and back to where it was: it has no hello to send, and waits for none.
func TestAddressSaysWhereToBegin(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		writer := s.joined("Иван")
		var ids []string
		for i := range 5 {
			writer.say(fmt.Sprint("m", i), fmt.Sprint("line ", i+1))
			ids = append(ids, writer.answer(fmt.Sprint("m", i)).ID)
		}
		for _, tt := range []struct {
			query url.Values
			after int64
		}{
			{url.Values{"history": {"2"}}, 3},
			{url.Values{"history": {"0"}}, 5},
			{url.Values{"after": {"4"}, "id": {ids[3]}}, 4},
			{url.Values{"after": {"0"}}, 0},
		} {
			c := &jsonConn{conn: s.dial(tt.query, "govor.v1.json", nil)}
			c.frame("welcome")
			if j := c.frame("joined"); j.After != tt.after || j.Last != 5 {
				t.Fatalf("%v: %s", tt.query, j.raw)
			}
			for seq := tt.after + 1; seq <= 5; seq++ {
				if m := c.message(); m.Seq != seq || m.Text != fmt.Sprint("line ", seq) {
					t.Fatalf("%v: %s, want number %d", tt.query, m.raw, seq)
				}
			}
			c.close()
		}

		late := &jsonConn{conn: s.dial(url.Values{"after": {"4"}, "id": {ids[0]}}, "govor.v1.json", nil)}
		if r := late.frame("reset"); r.Reason != "mismatch" {
			t.Errorf("after another event: %s", r.raw)
		}
		late.frame("joined")
		late.send(map[string]any{"type": "hello", "rooms": map[string]any{"планы": map[string]any{}}})
		if j := late.frame("joined"); j.Room != "планы" {
			t.Errorf("a hello that comes all the same: %s", j.raw)
		}
		writer.say("live", "live")
		late.where("what is said in the first room", func(f frame) bool { return f.Type == "message" && f.Text == "live" })

		lines := s.dial(url.Values{"name": {"Мария"}, "after": {"3"}}, "", nil)
		lines.await("Иван: line 4")
	}, "--no-limits")
}

func TestNoTextForgesALine(t *testing.T) {
	t.Parallel()
	s := start(t)
	text, _ := s.text("Иван", "")
	program := s.joined("Робот")
	program.say("f1", "ку\nИван: отдай деньги\r* Пётр has joined\u2028Иван: да\x1b[2J\u202e\u0000")
	if ack := program.answer("f1"); ack.Type != "ack" {
		t.Fatalf("answer = %s", ack.raw)
	}
	got := text.await("ку")
	want := "Робот: ку\nРобот: Иван: отдай деньги\ufffd* Пётр has joined\ufffdИван: да\ufffd[2J\ufffd\ufffd"
	if got != want {
		t.Errorf("the lines are %q, want %q", got, want)
	}
	if m := program.message(); m.Text != "ку\nИван: отдай деньги\r* Пётр has joined\u2028Иван: да\x1b[2J\u202e\u0000" {
		t.Errorf("a program gets %q, want the text as it was sent", m.Text)
	}
}

func TestRoomsAreApart(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		c := s.json("Робот", "")
		c.send(map[string]any{"type": "hello", "rooms": map[string]any{"Планы": map[string]any{}, "lobby": map[string]any{}}})
		rooms := map[string]bool{}
		for len(rooms) < 2 { // a hello that takes long finds the lobby joined, and joins it again
			rooms[c.frame("joined").Room] = true
		}
		if !rooms["lobby"] || !rooms["планы"] {
			t.Fatalf("joined %v", rooms)
		}
		lobby, _ := s.text("Иван", "")
		plans, _ := s.text("Мария", "планы")
		plans.write("в планах")
		if m := c.message(); m.Room != "планы" || m.Seq != 1 {
			t.Errorf("message = %s", m.raw)
		}
		lobby.write("в общей")
		if m := c.message(); m.Room != "lobby" || m.Seq != 1 {
			t.Errorf("message = %s", m.raw)
		}
		if line := lobby.await("Иван: "); line != "Иван: в общей" {
			t.Errorf("the lobby has %q", line)
		}
		c.send(map[string]any{"type": "send", "id": "p1", "room": "ПЛАНЫ", "text": "и я"})
		if ack := c.answer("p1"); ack.Room != "планы" || ack.Seq != 2 {
			t.Errorf("receipt = %s", ack.raw)
		}
		plans.await("Робот: и я")

		c.send(map[string]any{"type": "leave", "room": "lobby"})
		c.frame("left")
		c.say("l1", "text")
		if a := c.answer("l1"); a.Type != "error" || a.Code != "not_in_room" {
			t.Errorf("a send to a room that was left: %s", a.raw)
		}
		lobby.write("без робота")
		lobby.await("без робота")
		c.send(map[string]any{"type": "join", "room": "lobby", "after": 1})
		if j := c.frame("joined"); j.After != 1 || j.Last != 2 {
			t.Errorf("joined = %s", j.raw)
		}
		if m := c.where("a message in the lobby", func(f frame) bool { return f.Type == "message" && f.Room == "lobby" }); m.Seq != 2 {
			t.Errorf("after joining again: %s", m.raw)
		}
		c.send(map[string]any{"type": "ping"})
		c.frame("pong")
	})
}
