package terminal

import (
	"strings"
	"testing"
	"time"

	"govor/hub/protocol"
)

// A person's command goes to the server as it was typed, and what comes of it is told; a pipe sends every line.
func TestCommandsOfHosts(t *testing.T) {
	s := newFakeServer(t)
	acts := make(chan protocol.Act, 10)
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		a, ok := cmd.(protocol.Act)
		if !ok {
			return false
		}
		acts <- a
		if a.Name == "Никто" {
			c.write(protocol.Errorf(protocol.CodeNoMember, "nobody").About("", a.ID))
			return true
		}
		at := time.Now()
		c.write(protocol.Receipt{Room: protocol.RoomServer, ID: a.ID, Seq: 1})
		c.write(&protocol.Notice{Action: a.Action, Room: "lobby", Name: a.Name, By: "Иван", Why: a.Why, At: at, Until: at.Add(a.For)})
		return true
	})
	p := startPiped(t, s, func(c *client) { c.patient = true }, "Иван")
	p.notes.wait(t, "Вы вошли")
	p.type_("/mute Пётр 10m спам")
	if a := <-acts; a.Action != protocol.ActionMute || a.Name != "Пётр" || a.For != 10*time.Minute || a.Why != "спам" || a.ID == "" {
		t.Errorf("the server has %+v", a)
	}
	p.notes.wait(t, "Иван запрещает участнику Пётр писать на 10m: спам")
	p.type_("/kick Никто", "/slow скоро", " /kick Пётр")
	p.notes.wait(t, "такого участника нет")
	p.notes.wait(t, "команда написана не так")
	p.out.wait(t, " /kick Пётр") // a space before it makes a message of it
	_ = p.in.Close()
	p.wantExit(exitOK)

	piped := newFakeServer(t)
	q := startPiped(t, piped, nil, "Иван")
	q.type_("/kick Пётр")
	_ = q.in.Close()
	q.wantExit(exitOK)
	if got := piped.texts(); len(got) != 1 || got[0] != "/kick Пётр" {
		t.Errorf("a pipe sent %q", got)
	}
}

func TestRemovedByAHostSaysWhyAndDoesNotComeBack(t *testing.T) {
	s := newFakeServer(t)
	p := startPiped(t, s, func(c *client) { c.patient = true }, "Иван")
	p.notes.wait(t, "Вы вошли")
	c := s.seated(0)
	c.write(&protocol.Notice{Action: protocol.ActionKick, Name: "Иван", By: "Мария", You: true, Why: "спам", At: time.Now()})
	c.close(protocol.ClosePolicy, "kicked")
	p.notes.wait(t, "Мария отключает вас от чата: спам")
	p.wantExit(exitKicked)
}

func TestNoticesInBothLanguages(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, action := range []protocol.Action{
		protocol.ActionKick, protocol.ActionMute, protocol.ActionUnmute, protocol.ActionBan, protocol.ActionUnban, protocol.ActionRole,
		protocol.ActionClose, protocol.ActionOpen, protocol.ActionSlow, protocol.ActionDelete,
	} {
		for _, w := range []*words{&russian, &english} {
			for _, you := range []bool{false, true} {
				text := w.told(&protocol.Notice{Action: action, By: "М\x1b[2J", Name: "Пётр", You: you, Why: "спам\n", At: at, Until: at.Add(time.Hour)})
				if len(strings.Fields(text)) < 3 || strings.ContainsAny(text, "\x1b\n") || !strings.Contains(text, "спам") || strings.Contains(text, "  ") {
					t.Errorf("%s, you %v: %q", action, you, text)
				}
			}
		}
	}
}

// What will pass says for how long it holds, never less than that.
func TestErrorsSayHowLong(t *testing.T) {
	for _, tt := range []struct {
		code protocol.Code
		wait time.Duration
		why  string
		want string
	}{
		{protocol.CodeMuted, 59500 * time.Millisecond, "спам", " (1m): спам"},
		{protocol.CodeTooFast, 59*time.Minute + 32*time.Second, "", " (1h)"},
		{protocol.CodeTooFast, 57*time.Minute + 32*time.Second, "", " (58m)"},
		{protocol.CodeTooMany, 90 * time.Second, "", " (90s)"},
		{protocol.CodeBanned, 49*time.Hour + time.Second, "", " (50h)"},
		{protocol.CodeTooFast, 0, "", ""},
	} {
		e := &protocol.Error{Code: tt.code, Message: "no", Why: tt.why, RetryAfter: tt.wait}
		for _, w := range []*words{&russian, &english} {
			if got, want := w.errorText(e), w.errorText(&protocol.Error{Code: tt.code, Message: "no"})+tt.want; got != want {
				t.Errorf("errorText of %s = %q, want %q", tt.code, got, want)
			}
		}
	}
}
