package terminal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"govor/hub/protocol"
)

func TestTokenIsKeptAndPresented(t *testing.T) {
	s := newFakeServer(t)
	dir := t.TempDir()
	run := func() {
		id, err := openIdentity(dir, s.srv.URL, "Иван")
		if err != nil {
			t.Fatal(err)
		}
		defer id.close()
		p := startPiped(t, s, func(c *client) { c.id = id }, "Иван")
		p.type_("привет")
		_ = p.in.Close()
		p.wantExit(exitOK)
		if strings.Contains(p.notes.String(), "занято") {
			t.Errorf("notes: %s", p.notes)
		}
	}
	run()
	run()
	if s.hellos[0].Token != "" || s.hellos[1].Token == "" || s.names[1] != "" {
		t.Errorf("tokens %q, %q; second name %q", s.hellos[0].Token, s.hellos[1].Token, s.names[1])
	}
	if s.events[0].Member != s.events[1].Member {
		t.Error("two members, want one")
	}
	files, err := filepath.Glob(filepath.Join(dir, "token-*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("token files %v, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
}

func TestBadTokenIsDroppedAndANewGuestGoesOn(t *testing.T) {
	s := newFakeServer(t)
	dir := t.TempDir()
	id, err := openIdentity(dir, s.srv.URL, "Иван")
	if err != nil {
		t.Fatal(err)
	}
	defer id.close()
	if err := id.save(savedToken{Server: s.srv.URL, Name: "Иван", Token: "stale"}); err != nil {
		t.Fatal(err)
	}
	p := startPiped(t, s, func(c *client) { c.id = id }, "Иван")
	p.type_("привет")
	_ = p.in.Close()
	p.wantExit(exitOK)
	if s.names[1] != "Иван" || s.events[0].Name != "Иван" {
		t.Errorf("went on as %q, said as %q, want Иван", s.names[1], s.events[0].Name)
	}
	if got := id.load().Token; got == "" || got == "stale" {
		t.Errorf("token %q kept, want the new one", got)
	}
}

func TestSuffixIsTold(t *testing.T) {
	s := newFakeServer(t)
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		if _, ok := cmd.(protocol.Hello); ok {
			c.member.name = "Иван-2"
			c.welcome()
		}
		return false
	})
	p := startPiped(t, s, nil, "Иван")
	p.notes.wait(t, "* Имя «Иван» уже занято; если оно ваше, нужен пароль (--password-file)\n* Вы вошли как Иван-2 · ")
}

func TestTextFromOthersIsHarmless(t *testing.T) {
	s := newFakeServer(t)
	p := startPiped(t, s, nil, "Иван")
	s.seated(0)
	s.say("Зл\x1b[2Jой\u202e", "a\x1b[31mb\u009b2Jc\rd\u2066e\n09:00 Пётр: подделка")
	p.out.wait(t, "подделка\n")
	conn := s.conn(0)
	conn.write(&protocol.Presence{Room: "lobby", Joined: []string{"\x1b]0;x\a"}, JoinedCount: 1, At: time.Now()})
	p.out.wait(t, "теперь в чате")
	conn.write(protocol.Errorf("odd\x1b", "\x1b[5mwarn"))
	p.notes.wait(t, "[5mwarn")
	all := p.out.String() + p.notes.String()
	for _, r := range all {
		if r != '\n' && protocol.CleanText(string(r)) != string(r) {
			t.Errorf("%q reached the terminal in %q", r, all)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(p.out.String()), "\n") {
		if strings.HasPrefix(line, "09:00 Пётр") {
			t.Errorf("forged line %q", line)
		}
	}
}

func TestJSONIsPassedOnHarmlessly(t *testing.T) {
	s := newFakeServer(t)
	p := startPiped(t, s, nil, "Иван", "--json")
	s.seated(0)
	s.say("Пётр", "раз\u009b2J\u202e два \x7f\uFFFD 🙏")
	p.out.wait(t, "\n")
	frame, err := protocol.DecodeFrame([]byte(p.out.String()))
	if err != nil {
		t.Fatalf("%v in %q", err, p.out)
	}
	m, ok := frame.(protocol.Message)
	if !ok || m.Body != "раз\u009b2J\u202e два \x7f\uFFFD 🙏" || m.Seq != 1 {
		t.Errorf("got %+v", frame)
	}
	if line := strings.TrimSuffix(p.out.String(), "\n"); protocol.CleanText(line) != line {
		t.Errorf("controls in %q", line)
	}
}
