package terminal

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"govor/hub/protocol"
)

// hasty is the usual pace for tests.
var hasty = pace{
	dial: 5 * time.Second, ping: 10 * time.Millisecond, silence: 5 * time.Second, calm: 20 * time.Millisecond,
	steady: time.Minute, echo: time.Second, goodbye: 150 * time.Millisecond,
}

// output is what a client wrote, to be waited for.
type output struct {
	mu      sync.Mutex
	changed *sync.Cond
	text    strings.Builder
	late    bool
}

func newOutput() *output {
	o := &output{}
	o.changed = sync.NewCond(&o.mu)
	return o
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changed.Broadcast()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) wait(t *testing.T, what string) {
	t.Helper()
	timer := time.AfterFunc(5*time.Second, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.late = true
		o.changed.Broadcast()
	})
	defer timer.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for !strings.Contains(o.text.String(), what) {
		if o.late {
			t.Fatalf("waited in vain for %q in:\n%s", what, o.text.String())
		}
		o.changed.Wait()
	}
}

// piped is a client with a lineFace under test.
type piped struct {
	t          *testing.T
	in         *io.PipeWriter
	out, notes *output
	client     *client
	interrupt  context.CancelFunc
	code       chan int
}

// startPiped starts a client for s; args are as on the command line, change may adjust it before it runs.
func startPiped(t *testing.T, s *fakeServer, change func(c *client), args ...string) *piped {
	t.Helper()
	env := func(string) string { return "" }
	opts, err := parseOptions(append([]string{"-s", s.srv.URL}, args...), &russian, env)
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	p := &piped{t: t, in: w, out: newOutput(), notes: newOutput(), code: make(chan int, 1)}
	paint := &painter{words: &russian, now: time.Now, zone: time.UTC}
	guard := func() {}
	p.client = &client{
		opts: opts, words: &russian, dial: dialWebSocket, now: time.Now, pace: hasty, guard: guard,
		random:  func() float64 { return 0.01 },
		face:    newLineFace(r, p.out, p.notes, paint, palette{}, opts.json, guard),
		history: max(0, opts.history),
	}
	if change != nil {
		change(p.client)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p.interrupt = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.code <- p.client.run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = w.Close()
		_ = r.Close()
	})
	return p
}

func (p *piped) type_(lines ...string) {
	p.t.Helper()
	for _, line := range lines {
		if _, err := io.WriteString(p.in, line+"\n"); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *piped) wantExit(want int) {
	p.t.Helper()
	select {
	case got := <-p.code:
		if got != want {
			p.t.Fatalf("exit code %d, want %d; notes:\n%s", got, want, p.notes)
		}
	case <-time.After(10 * time.Second):
		p.t.Fatalf("the client did not end; notes:\n%s", p.notes)
	}
}

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

func TestAtMostSixteenAreOnTheirWay(t *testing.T) {
	s := newFakeServer(t)
	var mu sync.Mutex
	var held []protocol.Send
	most := 0
	s.intercept = func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if !ok {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		held = append(held, m)
		most = max(most, len(held))
		// The heartbeat comes often: it shows that nothing more is sent.
		return true
	}
	pings := 0
	s.upgrade = nil
	inner := s.intercept
	s.intercept = func(c *fakeConn, cmd protocol.Command) bool {
		if _, ok := cmd.(protocol.Ping); ok {
			mu.Lock()
			full := len(held) == protocol.MaxUnacknowledged
			if full {
				pings++
			}
			release := pings >= 3 || !full && len(held) > 0 && most == protocol.MaxUnacknowledged
			batch := held
			if release {
				held, pings = nil, 0
			}
			mu.Unlock()
			if release {
				for _, m := range batch {
					c.send(m)
				}
			}
		}
		return inner(c, cmd)
	}
	p := startPiped(t, s, nil, "Иван")
	for i := range 40 {
		p.type_(fmt.Sprint(i))
	}
	_ = p.in.Close()
	p.wantExit(exitOK)
	if most != protocol.MaxUnacknowledged {
		t.Errorf("%d were on their way at once, want %d", most, protocol.MaxUnacknowledged)
	}
	if got := s.texts(); len(got) != 40 || got[0] != "0" || got[39] != "39" {
		t.Errorf("stored %q", got)
	}
}

// A connection that is cut before the receipts arrive must neither lose, double nor reorder anything.
func TestReconnectSendsAgainInOrderAndNothingTwice(t *testing.T) {
	s := newFakeServer(t)
	s.intercept = func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if !ok || c.number > 0 {
			return false
		}
		switch m.Text {
		case "два": // stored, the receipt is lost
			c.s.mu.Lock()
			c.live = false
			c.s.mu.Unlock()
			c.store(m)
			_ = c.ws.CloseNow()
			return true
		case "один":
			return false
		}
		return true // lost on the way
	}
	p := startPiped(t, s, nil, "Иван")
	p.type_("один", "два", "три", "четыре")
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
			return dialWebSocket(ctx, url)
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
	s.intercept = func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if !ok || m.Text != "нельзя" {
			return false
		}
		c.write(protocol.Errorf(protocol.CodeRoomClosed, "\x1b[31mclosed").About(m.Room, m.ID))
		return true
	}
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
	s.intercept = func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if !ok || c.number > 0 || m.Text == "раз" {
			return false
		}
		c.write(protocol.Errorf(protocol.CodeUnavailable, "disk full").About(m.Room, m.ID))
		c.close(protocol.CloseTryAgain, "unavailable")
		return true
	}
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
	s.intercept = func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if ok {
			c.write(protocol.Errorf(protocol.CodeInternal, "oops").About(m.Room, m.ID))
		}
		return ok
	}
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
	s.intercept = func(_ *fakeConn, cmd protocol.Command) bool { _, ok := cmd.(protocol.Send); return ok }
	got := make(chan struct{}, 1)
	inner := s.intercept
	s.intercept = func(c *fakeConn, cmd protocol.Command) bool {
		if inner(c, cmd) {
			got <- struct{}{}
			return true
		}
		return false
	}
	p = startPiped(t, s, nil, "Иван")
	p.type_("без ответа")
	<-got
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
		{403, `no`, exitName, "Доступ закрыт"},
		{404, `<h1>nothing</h1>`, exitOther, "это не Говор (404 Not Found)"},
		{400, `{"error":{"code":"bad_room","message":"x"}}`, exitOther, "комнаты"},
		{503, `{"error":{"code":"too_many","message":"a` + "\u009b" + `31mb"}}`, exitNoConnection, "a\uFFFD31mb"},
	} {
		s := newFakeServer(t)
		s.upgrade = func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
			return true
		}
		p := startPiped(t, s, nil, "Иван", "--timeout", "50ms")
		p.wantExit(test.want)
		if note := strings.ToLower(p.notes.String()); !strings.Contains(note, strings.ToLower(test.note)) {
			t.Errorf("%d %s: notes %q, want %q", test.status, test.body, note, test.note)
		}
	}
}

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
	if err := id.save(s.srv.URL, "Иван", "stale"); err != nil {
		t.Fatal(err)
	}
	p := startPiped(t, s, func(c *client) { c.id = id }, "Иван")
	p.type_("привет")
	_ = p.in.Close()
	p.wantExit(exitOK)
	if s.names[1] != "Иван" || s.events[0].Name != "Иван" {
		t.Errorf("went on as %q, said as %q, want Иван", s.names[1], s.events[0].Name)
	}
	if got := id.load(); got == "" || got == "stale" {
		t.Errorf("token %q kept, want the new one", got)
	}
}

func TestSuffixIsTold(t *testing.T) {
	s := newFakeServer(t)
	s.intercept = func(c *fakeConn, cmd protocol.Command) bool {
		if _, ok := cmd.(protocol.Hello); ok {
			c.member.name = "Иван-2"
			c.welcome()
		}
		return false
	}
	p := startPiped(t, s, nil, "Иван")
	p.notes.wait(t, "* Имя «Иван» уже занято\n* Вы вошли как Иван-2 · ")
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
