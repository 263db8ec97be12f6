package tests

import (
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// console is the console client as a process in a pseudo-terminal.
type console struct {
	t      *testing.T
	cmd    *exec.Cmd
	tty    io.ReadWriteCloser
	screen *logBuffer
	exited chan struct{}
}

// console runs the client as somebody sits before it.
func (s *server) console(name string, args ...string) *console {
	s.t.Helper()
	cmd := exec.Command(clientBinary, append([]string{"--server", s.url(""), name}, args...)...)
	cmd.Env = append(cleanEnv(), "HOME="+s.t.TempDir(), "TERM=xterm-256color", "LANG=ru_RU.UTF-8")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		s.t.Fatalf("start the console: %v", err)
	}
	c := &console{t: s.t, cmd: cmd, tty: tty, screen: newLogBuffer(), exited: make(chan struct{})}
	go func() {
		_, _ = io.Copy(c.screen, tty) // ends when the client has ended
		_ = cmd.Wait()
		close(c.exited)
	}()
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-c.exited
		_ = tty.Close()
		if s.t.Failed() {
			s.t.Logf("the console of %s:\n%q", name, tail(c.screen.String(), 3000))
		}
	})
	return c
}

func (c *console) types(keys string) {
	c.t.Helper()
	if _, err := io.WriteString(c.tty, keys); err != nil {
		c.t.Fatalf("type: %v", err)
	}
}

// control is what moves the cursor or colours the terminal.
var control = regexp.MustCompile(`\x1b\[[0-9;?]*[a-zA-Z]`)

// shows waits until the text has been written, whatever its colours.
func (c *console) shows(text string) {
	c.t.Helper()
	eventually(c.t, "the console shows "+text, func() bool {
		return strings.Contains(control.ReplaceAllString(c.screen.String(), ""), text)
	})
}

func TestConsoleTalksInATerminal(t *testing.T) {
	t.Parallel()
	s := start(t)
	other, _ := s.text("Мария", "")
	c := s.console("Иван")
	c.shows("> ")
	other.await("* Иван has joined")
	c.types("привет из консоли\r")
	other.await("Иван: привет из консоли")
	other.write("и тебе \x1b[2J\x1b]0;заголовок\a")
	c.shows("и тебе")
	if strings.Contains(c.screen.String(), "\x1b]0;") {
		t.Error("another's text set the title of the terminal")
	}

	// The program restarts; what is typed meanwhile is sent then, once.
	s.kill()
	c.types("не потеряется\r")
	s = s.again()
	reader := s.json("", "")
	reader.send(map[string]any{"type": "hello", "rooms": map[string]any{"lobby": map[string]any{"after": 2}}})
	if m := reader.message(); m.From != "Иван" || m.Text != "не потеряется" || m.Seq != 3 {
		t.Errorf("after the restart: %s", m.raw)
	}
	c.shows("Иван: не потеряется")
	s.curl("/r/lobby/messages?name=ci", "пока")
	c.shows("ci: пока") // so its receipt has come, too

	c.types("\x03") // Ctrl+C
	select {
	case <-c.exited:
		if code := c.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code after Ctrl+C = %d, want 0", code)
		}
	case <-time.After(patience):
		t.Error("the console does not end")
	}
	if n := len(s.everything()); n != 4 {
		t.Errorf("%d messages are stored, want 4", n)
	}
}

// Piped lines are sent, acknowledged, and then the client exits.
func TestConsoleSendsPipedLines(t *testing.T) {
	t.Parallel()
	s := start(t)
	cmd := exec.CommandContext(t.Context(), clientBinary, "--server", s.url(""), "ci")
	cmd.Env = append(cleanEnv(), "HOME="+t.TempDir())
	cmd.Stdin = strings.NewReader("раз\nдва\nтри\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the client: %v\n%s", err, out)
	}
	stored := s.everything()
	if len(stored) != 3 || stored[0].Text != "раз" || stored[2].Text != "три" || stored[0].From != "ci" {
		t.Errorf("stored: %+v", stored)
	}
	s.kill()
	cmd = exec.CommandContext(t.Context(), clientBinary, "--server", s.url(""), "--timeout", "1s", "ci")
	cmd.Env = append(cleanEnv(), "HOME="+t.TempDir())
	cmd.Stdin = strings.NewReader("никому\n")
	if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("without a server: %v\n%s\nwant exit code 3", err, out)
	}
}
