package terminal

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"govor/hub/protocol"
)

const testWord = "лошадь батарея скрепка"

// fakeDoor is what a fake server asks before the upgrade.
type fakeDoor struct {
	closed bool                  // nobody comes in without a password
	server string                // the server's password: it makes guests
	claims map[string]fakeMember // by name; their password is testWord
	asked  []http.Header         // of the requests that came
}

// knock is who Authorization proves, nil for nobody; false when it has refused the request.
func (s *fakeServer) knock(w http.ResponseWriter, r *http.Request) (*fakeMember, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.door.asked = append(s.door.asked, r.Header)
	name, word, said := r.BasicAuth()
	m, claimed := s.door.claims[name]
	code := protocol.CodeBadPassword
	switch {
	case claimed && word == testWord:
		return &m, true
	case !claimed && said && s.door.server != "" && word == s.door.server:
		return &fakeMember{protocol.NewMemberID(), name}, true
	case !said && !s.door.closed:
		return nil, true
	case !said:
		code = protocol.CodeNeedPassword
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write(protocol.JSON{}.Append(nil, protocol.Errorf(code, "no")))
	return nil, false
}

func passwordFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "word")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantNowhere fails if the text is in any file below dir.
func wantNowhere(t *testing.T, dir, text string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), text) {
			t.Errorf("%s has it: %s", path, data)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files looked at, %v", files, err)
	}
}

func TestPasswordComesFromAFileOrTheEnvironment(t *testing.T) {
	for _, test := range []struct {
		file, env, want string
	}{
		{"", "", ""},
		{"", "из среды", "из среды"},
		{"из файла\n", "из среды", "из файла"},
		{" с пробелом \r\nвторая", "", " с пробелом "},
	} {
		args := []string{"Иван"}
		if test.file != "" {
			args = append(args, "--password-file", passwordFile(t, test.file))
		}
		o, err := parseOptions(args, &english, func(key string) string {
			return map[string]string{"GOVOR_PASSWORD": test.env}[key]
		})
		if err != nil || o.password != test.want {
			t.Errorf("%+v: %q, %v", test, o.password, err)
		}
	}
	for path, why := range map[string]string{passwordFile(t, "\nвторая"): "its first line is empty", "/nowhere/word": "/nowhere/word"} {
		code, _, notes := runPiped(t, "", nil, "Иван", "--password-file", path)
		if code != exitUsage || !strings.Contains(notes, "--password-file: ") || !strings.Contains(notes, why) {
			t.Errorf("%s: exit code %d, %s", path, code, notes)
		}
	}
	if code, _, notes := runPiped(t, "", nil, "Иван", "--password", testWord); code != exitUsage || strings.Contains(notes, testWord) {
		t.Errorf("on the command line: exit code %d, %s", code, notes)
	}
}

func TestPasswordProvesAClaimedName(t *testing.T) {
	s := newFakeServer(t)
	ivan := fakeMember{protocol.NewMemberID(), "Иван"}
	s.door = fakeDoor{closed: true, claims: map[string]fakeMember{"Иван": ivan}}
	dir := t.TempDir()
	for range 2 {
		id, err := openIdentity(dir, s.srv.URL, "Иван")
		if err != nil {
			t.Fatal(err)
		}
		p := startPiped(t, s, func(c *client) { c.id = id }, "Иван", "--password-file", passwordFile(t, testWord+"\n"))
		p.type_("привет")
		_ = p.in.Close()
		p.wantExit(exitOK)
		id.close()
		if all := p.out.String() + p.notes.String(); strings.Contains(all, testWord) {
			t.Errorf("the password was shown:\n%s", all)
		}
	}
	for i, e := range s.events {
		if e.Member != ivan.id {
			t.Errorf("message %d is of %s", i, e.Name)
		}
	}
	// A token that is presented ends the other connections of its member: the password alone was enough both times.
	if len(s.hellos) != 2 || s.hellos[0].Token != "" || s.hellos[1].Token != "" {
		t.Errorf("hellos %+v", s.hellos)
	}
	if agent := s.door.asked[0].Get("User-Agent"); agent != "govor client" {
		t.Errorf("the login will be called %q", agent)
	}
	wantNowhere(t, dir, testWord)
}

// Guests of a server with a password are recognised by their token, so that what they have sent is stored once.
func TestServersPasswordMakesAGuestWhoIsRecognisedAgain(t *testing.T) {
	s := newFakeServer(t)
	s.door = fakeDoor{closed: true, server: testWord}
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		if m, ok := cmd.(protocol.Send); ok && c.number == 0 {
			c.storeUnseen(m)
			_ = c.ws.CloseNow() // without a receipt
			return true
		}
		return false
	})
	p := startPiped(t, s, nil, "Иван", "--password-file", passwordFile(t, testWord))
	p.type_("один раз")
	_ = p.in.Close()
	p.wantExit(exitOK)
	if got := s.texts(); len(got) != 1 {
		t.Errorf("stored %q", got)
	}
	if s.hellos[1].Token == "" {
		t.Error("the second connection presented nothing")
	}
}

// The name was claimed after this client had been a guest by it: the password counts, not the token of the guest.
func TestPasswordWinsOverTheTokenOfAGuest(t *testing.T) {
	s := newFakeServer(t)
	ivan := fakeMember{protocol.NewMemberID(), "Иван"}
	s.door.claims = map[string]fakeMember{"Иван": ivan}
	s.tokens["old"] = fakeMember{protocol.NewMemberID(), "Иван-2"} // as a server calls a guest whose name was claimed
	dir := t.TempDir()
	id, err := openIdentity(dir, s.srv.URL, "Иван")
	if err != nil {
		t.Fatal(err)
	}
	defer id.close()
	if err := id.save(savedToken{Server: s.srv.URL, Name: "Иван", Token: "old"}); err != nil {
		t.Fatal(err)
	}
	p := startPiped(t, s, func(c *client) { c.id = id }, "Иван", "--password-file", passwordFile(t, testWord))
	p.type_("я")
	_ = p.in.Close()
	p.wantExit(exitOK)
	if s.events[0].Member != ivan.id || strings.Contains(p.notes.String(), "Иван-2") {
		t.Errorf("said by %s; notes:\n%s", s.events[0].Name, p.notes)
	}
	if got := id.load().Member; got != ivan.id.String() {
		t.Errorf("the token that is kept is of %s", got)
	}
}

func TestRefusedPasswordSaysWhatToDo(t *testing.T) {
	s := newFakeServer(t)
	s.door = fakeDoor{closed: true, claims: map[string]fakeMember{"Иван": {protocol.NewMemberID(), "Иван"}}}
	for _, test := range []struct {
		lang, word string
		want       string
	}{
		{"en", "", "A password is needed: put it on the first line of a file and say --password-file FILE, or set GOVOR_PASSWORD"},
		{"ru", "", "Нужен пароль: запишите его первой строкой в файл"},
		{"en", "другой пароль", "The name or the password is wrong"},
		{"ru", "другой пароль", "Неверное имя или пароль"},
	} {
		before := len(s.door.asked)
		began := time.Now()
		code, _, notes := runPiped(t, "пропало\n", map[string]string{"GOVOR_LANG": test.lang, "GOVOR_PASSWORD": test.word}, "Иван", "-s", s.srv.URL)
		if code != exitName || !strings.Contains(notes, test.want) || test.word != "" && strings.Contains(notes, test.word) {
			t.Errorf("%+v: exit code %d, notes %q", test, code, notes)
		}
		if strings.Contains(notes, english.kicked) || strings.Contains(notes, russian.kicked) {
			t.Errorf("%+v: says that access is denied, too: %q", test, notes)
		}
		if n := len(s.door.asked) - before; n != 1 {
			t.Errorf("%+v: tried %d times in %v, want once", test, n, time.Since(began))
		}
	}
}
