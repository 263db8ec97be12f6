package tests

import (
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The words of these tests: that of a name, that of a server.
const (
	nameWord   = "лошадь батарея скрепка"
	serverWord = "вход со двора"
)

// wordFile writes a password as --password-file reads it.
func wordFile(t *testing.T, word string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "word")
	if err := os.WriteFile(path, []byte(word+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// says runs the console client on one line of input and returns its exit code and what it said.
func (s *server) says(home, line string, args ...string) (code int, said string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), clientBinary, append([]string{"--server", s.url("")}, args...)...)
	cmd.Env = append(cleanEnv(), "HOME="+home, "LANG=ru_RU.UTF-8")
	cmd.Stdin = strings.NewReader(line + "\n")
	out, _ := cmd.CombinedOutput()
	if strings.Contains(string(out), nameWord) || strings.Contains(string(out), serverWord) {
		s.t.Errorf("the console shows a password:\n%s", out)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// claim logs in by the page and gives the name a password.
func (s *server) claim(name, word string) {
	s.t.Helper()
	cookie := s.login(name)
	if r := s.form("/account/password", url.Values{"password": {word}}.Encode(), "Cookie", cookie); r.status != http.StatusSeeOther {
		s.t.Fatalf("the password is not set: %d %s", r.status, tail(r.body, 500))
	}
}

// wantUnwritten fails if the word is in a file below dir, or in the log.
func (s *server) wantUnwritten(dir, word string) {
	s.t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), word) {
			s.t.Errorf("%s has the password", path)
		}
		return err
	})
	if err != nil || strings.Contains(s.log.String(), word) {
		s.t.Errorf("the log has the password, or %v", err)
	}
}

func TestConsoleProvesAClaimedName(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.claim("Иван", nameWord)
	file, home := wordFile(t, nameWord), t.TempDir()
	for _, line := range []string{"раз", "два"} {
		if code, out := s.says(home, line, "Иван", "--password-file", file); code != 0 {
			t.Fatalf("exit code %d\n%s", code, out)
		}
	}
	// One's own name is for every device at once: the other console goes on.
	first := s.console("Иван", "--password-file", file)
	first.shows("Вы вошли как Иван · ")
	if code, out := s.says(t.TempDir(), "с другой машины", "Иван", "--password-file", file); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	first.types("я ещё здесь\r")
	first.shows("Иван: я ещё здесь")
	stored := s.everything()
	if len(stored) != 4 {
		t.Fatalf("stored: %+v", stored)
	}
	for _, m := range stored {
		if m.From != "Иван" || m.Member != stored[0].Member {
			t.Errorf("%q is said by %s (%s)", m.Text, m.From, m.Member)
		}
	}
	if code, out := s.says(t.TempDir(), "самозванец", "Иван"); code != 0 || !strings.Contains(out, "Имя «Иван» уже занято; если оно ваше, нужен пароль") {
		t.Errorf("without the password: exit code %d\n%s", code, out)
	}
	if code, out := s.says(t.TempDir(), "самозванец", "Иван", "--password-file", wordFile(t, "другой пароль")); code != 4 || !strings.Contains(out, "Неверное имя или пароль") {
		t.Errorf("with another password: exit code %d\n%s", code, out)
	}
	s.wantUnwritten(home, nameWord)
}

func TestConsoleComesInWithTheServersPassword(t *testing.T) {
	t.Parallel()
	s := start(t, "--mode", "password", "--password-file", wordFile(t, serverWord))
	home := t.TempDir()
	if code, out := s.says(home, "никому", "Иван"); code != 4 || !strings.Contains(out, "Нужен пароль") {
		t.Errorf("without a password: exit code %d\n%s", code, out)
	}
	for _, line := range []string{"раз", "два"} {
		if code, out := s.says(home, line, "Иван", "--password-file", wordFile(t, serverWord)); code != 0 {
			t.Fatalf("exit code %d\n%s", code, out)
		}
	}
	c := s.console("Мария", "--password-file", wordFile(t, serverWord), "--history", "2")
	c.shows("Иван: раз")
	c.shows("Иван: два")
	s.kill()
	c.types("не потеряется\r")
	s = s.again()
	c.shows("Мария: не потеряется")
	if code, out := s.says(home, "три", "Иван", "--password-file", wordFile(t, serverWord), "--history", "3"); code != 0 || strings.Count(out, "Мария: не потеряется") != 1 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	s.wantUnwritten(home, serverWord)
}

func TestConsoleOfAMember(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.claim("Иван", nameWord)
	s.stop()
	s = startIn(t, s.dir, s.addr, "--mode", "members")
	if code, out := s.says(t.TempDir(), "никому", "Мария"); code != 4 || !strings.Contains(out, "Нужен пароль") {
		t.Errorf("somebody else: exit code %d\n%s", code, out)
	}
	if code, out := s.says(t.TempDir(), "привет", "Иван", "--password-file", wordFile(t, nameWord)); code != 0 || !strings.Contains(out, "Иван: привет") {
		t.Errorf("the member: exit code %d\n%s", code, out)
	}
}
