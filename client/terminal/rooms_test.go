package terminal

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"govor/hub/protocol"
)

// aPerson starts a client that somebody looks at.
func aPerson(t *testing.T, s *fakeServer) *piped {
	t.Helper()
	p := startPiped(t, s, func(c *client) { c.patient = true }, "Иван")
	p.notes.wait(t, "Вы вошли")
	return p
}

func TestHelpNamesEverything(t *testing.T) {
	for _, w := range []*words{&russian, &english} {
		for _, word := range slashes[1:] { // /help itself
			if !strings.Contains(w.help, word) {
				t.Errorf("/help says nothing of %s: %s", word, w.help)
			}
		}
		if w.help != cleanLinesJoined(w.help) {
			t.Errorf("/help is not clean: %q", w.help)
		}
	}
	p := aPerson(t, newFakeServer(t))
	p.type_("/help")
	for _, line := range strings.Split(russian.help, "\n") {
		p.notes.wait(t, "* "+line)
	}
}

func cleanLinesJoined(s string) string { return strings.Join(cleanLines(s), "\n") }

func TestWhatIsNoCommandIsNotSent(t *testing.T) {
	s := newFakeServer(t)
	p := aPerson(t, s)
	p.type_("/etc/passwd", "/me", "/nick", "/join", "/leave", "/nick a:b", "/join a b!", "//etc/passwd", "//me машет", "/me машет", " /who")
	for _, note := range []string{"Нет команды /etc/passwd", "/me машет рукой", "/nick Имя", "/join комната", "не покидают", "имя: от 1", "такой комнаты быть не может"} {
		p.notes.wait(t, note)
	}
	p.out.wait(t, "* Иван машет")
	p.out.wait(t, "Иван:  /who")
	if got, want := s.texts(), []string{"/etc/passwd", " /me машет", "/me машет", " /who"}; !slices.Equal(got, want) {
		t.Errorf("sent: %q, want %q", got, want)
	}
}

func TestNick(t *testing.T) {
	s := newFakeServer(t)
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		switch cmd := cmd.(type) {
		case protocol.Nick:
			if cmd.Name == "Пётр" {
				e := protocol.Errorf(protocol.CodeNameTaken, "taken")
				e.Suggestion = "Пётр-2"
				c.write(e)
				return true
			}
			c.member.name = cmd.Name
			c.welcome()
			c.write(&protocol.Presence{Room: "lobby", Online: 9, Renamed: []protocol.Rename{{Was: "Иван", Name: cmd.Name}}, At: time.Now()})
		case protocol.Who:
			c.write(protocol.People{Room: "lobby", Online: 12, People: []protocol.Person{{Name: "Анна"}, {Name: "Ваня\x1b[31m"}}})
		default:
			return false
		}
		return true
	})
	p := aPerson(t, s)
	p.type_("/nick Пётр")
	p.notes.wait(t, "имя уже занято: /nick Пётр-2")
	p.type_("/nick Ваня", "/who")
	p.out.wait(t, "Иван теперь Ваня")
	p.notes.wait(t, "Здесь 12: Анна, Ваня\uFFFD[31m и ещё 10")
	p.type_("@Ваня, это я")
	p.out.wait(t, "Ваня: @Ваня, это я")
	_ = p.in.Close()
	p.wantExit(exitOK)
	if p.client.opts.name != "Ваня" {
		t.Errorf("the client goes on as %s", p.client.opts.name)
	}
}

func TestJoinGoesToAnotherRoom(t *testing.T) {
	s := newFakeServer(t)
	sent, left := make(chan protocol.Send, 9), make(chan string, 9)
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		switch cmd := cmd.(type) {
		case protocol.Join:
			if cmd.Room != "закрыто" { // that one is answered when the client has read what was typed after it
				c.write(protocol.Joined{Room: cmd.Room, Online: 3})
			}
		case protocol.Who:
			c.write(protocol.Errorf(protocol.CodeNoRoom, "no").About("закрыто", ""))
		case protocol.Leave:
			left <- cmd.Room
		case protocol.Send:
			sent <- cmd
			c.write(protocol.Receipt{Room: cmd.Room, ID: cmd.ID, Seq: 1})
		default:
			return false
		}
		return true
	})
	p := aPerson(t, s)
	p.type_("/join закрыто", "тайна", "/who")
	p.notes.wait(t, "такой комнаты нет")
	p.notes.wait(t, "Не отправлено: такой комнаты нет: тайна") // it was not meant for the lobby
	p.type_("прощай", "/join #Планы", "привет")
	for _, want := range []protocol.Send{{Room: "lobby", Text: "прощай"}, {Room: "планы", Text: "привет"}} {
		if m := <-sent; m.Room != want.Room || m.Text != want.Text {
			t.Errorf("sent %+v, want %+v", m, want)
		}
	}
	p.notes.wait(t, "планы · 3 онлайн")
	if room := <-left; room != "lobby" {
		t.Errorf("left %s", room)
	}
	p.type_("ещё", "/join планы")
	p.notes.wait(t, "Вы уже здесь: планы")
	p.type_("/leave")
	p.notes.wait(t, "Общая · 3 онлайн")
	if m := <-sent; m.Room != "планы" || m.Text != "ещё" {
		t.Errorf("sent %+v", m)
	}
	if room := <-left; room != "планы" {
		t.Errorf("left %s", room)
	}
}

// What waits for slow mode is said, and goes out when its time has come, in order.
func TestSlowModeIsWaitedFor(t *testing.T) {
	s := newFakeServer(t)
	var refused time.Time
	const pause = 300 * time.Millisecond
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if !ok || m.Text == "раз" || !refused.IsZero() && time.Since(refused) >= pause {
			return false
		}
		if refused.IsZero() {
			refused = time.Now()
		}
		e := protocol.Errorf(protocol.CodeSlowMode, "wait").About("lobby", m.ID)
		e.RetryAfter = pause - time.Since(refused)
		c.write(e)
		return true
	})
	p := aPerson(t, s)
	p.type_("раз", "два", "три")
	p.notes.wait(t, "Медленный режим. Следующее сообщение через 1 с · 2 сообщения ждут отправки")
	p.out.wait(t, "три")
	if got, want := s.texts(), []string{"раз", "два", "три"}; !slices.Equal(got, want) {
		t.Errorf("stored: %q, want %q", got, want)
	}
	_ = p.in.Close()
	p.wantExit(exitOK)
}

func TestTooMuchHasteIsSaid(t *testing.T) {
	c := &client{words: &russian, now: time.Now, due: time.Now().Add(29500 * time.Millisecond)}
	c.outage.cause = &closeError{code: protocol.ClosePolicy, reason: "too fast"}
	if got := c.offlineText(); got != "Слишком часто. Повтор через 30 с" {
		t.Errorf("offlineText = %q", got)
	}
	for d, want := range map[time.Duration]string{9 * time.Second: "9 с", 61 * time.Second: "01:01", 2*time.Hour + time.Second: "02:00:01"} {
		at := time.Now()
		c.now = func() time.Time { return at }
		if got := c.clock(at.Add(d)); got != want {
			t.Errorf("clock(%v) = %q, want %q", d, got, want)
		}
	}
}

// With another name or room go the token, and what was not sent.
func TestKeepingMovesAlong(t *testing.T) {
	dir := t.TempDir()
	r := &runner{dir: dir, words: &russian, opts: options{server: &url.URL{Scheme: "ws", Host: "a"}, name: "Иван", room: "lobby", historyFile: true}}
	id, err := openIdentity(dir, r.opts.server.String(), "Иван")
	if err != nil || id == nil {
		t.Fatal(err)
	}
	c := &client{opts: r.opts, words: &russian, now: time.Now, id: id, keep: r.keeper, face: newLineFace(strings.NewReader(""), newOutput(), newOutput(), &painter{}, palette{}, false, func() {})}
	if err := id.save(savedToken{Token: "t", Name: "Иван"}); err != nil {
		t.Fatal(err)
	}
	r.openShelf(&client{}) // without an identity there is none
	s, err := openShelf(dir, r.opts.server.String(), "Иван", "lobby")
	if err != nil {
		t.Fatal(err)
	}
	c.box.open(s, c.now())
	if _, err := c.box.add("failed", "не ушло", c.now()); err != nil {
		t.Fatal(err)
	}
	c.box.fail("failed", protocol.CodeTooLong, "длинно")

	c.renamed("Ваня")
	if err := c.id.save(savedToken{Token: "t2", Name: "Ваня"}); err != nil {
		t.Fatal(err)
	}
	if len(c.box.failed) != 1 || !strings.HasPrefix(c.box.failed[0].file, dir) {
		t.Errorf("failed: %+v", c.box.failed)
	}
	old, err := openIdentity(dir, r.opts.server.String(), "Иван")
	if err != nil || old == nil || old.load().Token != "" {
		t.Errorf("the old name is %+v, %v", old, err)
	}
	if files, _ := filepath.Glob(filepath.Join(s.dir, "*.json")); len(files) != 0 {
		t.Errorf("left behind: %q", files)
	}

	c.home("Ваня", "планы")
	if _, err := c.box.add("waiting", "для планов", c.now()); err != nil || len(c.box.failed) != 0 || c.box.len() != 1 {
		t.Errorf("in another room: %+v, %v", c.box, err)
	}
	c.home("Ваня", "lobby")
	if len(c.box.failed) != 1 || c.box.len() != 1 || c.box.waiting[0].text != "для планов" {
		t.Errorf("back again: %+v", c.box)
	}
	c.id.close()
}

func TestTabCompletesCommands(t *testing.T) {
	var e editor
	c := completion{names: []string{"Жанна"}}
	for _, test := range []struct{ text, want string }{{"/jo", "/join "}, {"/un", "/unmute "}, {"Жа", "@Жанна "}, {"x /jo", "x /jo"}} {
		c.reset()
		e.set(test.text)
		c.complete(&e)
		if e.text != test.want {
			t.Errorf("%q becomes %q, want %q", test.text, e.text, test.want)
		}
	}
}
