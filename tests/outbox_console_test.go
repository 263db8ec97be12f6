//go:build unix

package tests

import (
	"fmt"
	"io"
	"os/exec"
	"testing"

	"github.com/creack/pty"
)

// consoleIn runs the client as somebody with this home directory sits before it.
func (s *server) consoleIn(home, name string) *console {
	s.t.Helper()
	cmd := exec.Command(clientBinary, "--server", s.url(""), name)
	cmd.Env = append(cleanEnv(), "HOME="+home, "TERM=xterm-256color", "LANG=ru_RU.UTF-8")
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

// ends waits for the end of the client and requires its exit code.
func (c *console) ends(code int) {
	c.t.Helper()
	eventually(c.t, "the console ends", func() bool {
		select {
		case <-c.exited:
			return true
		default:
			return false
		}
	})
	if got := c.cmd.ProcessState.ExitCode(); got != code {
		c.t.Errorf("exit code %d, want %d", got, code)
	}
}

// The client is killed while it sends, and is left while the server is gone: whatever was typed comes once, in order.
func TestConsoleKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	s := start(t, "--rate", "6", "--burst", "3")
	home := t.TempDir()
	var want []string
	types := func(c *console, n int) {
		for range n {
			want = append(want, fmt.Sprintf("строка %d", len(want)))
			c.types(want[len(want)-1] + "\r")
		}
	}

	c := s.consoleIn(home, "Иван")
	c.shows("> ")
	c.shows("Вы вошли как Иван")
	types(c, 24)
	c.shows("ждут отправки") // it is the rate that holds them up
	eventually(t, "some are stored", func() bool { return s.stored() >= 6 })
	_ = c.cmd.Process.Kill()
	<-c.exited
	if n := s.stored(); n >= len(want) {
		t.Fatalf("all %d were stored before the client was killed: nothing is tested", n)
	}

	c = s.consoleIn(home, "Иван")
	c.shows("С прошлого раза ")
	c.shows("Вы вошли как Иван")
	eventually(t, "all are stored", func() bool { return s.stored() >= len(want) })
	c.shows(want[len(want)-1])

	s.kill()
	c.shows("Нет связи")
	types(c, 3)
	c.shows("3 сообщения ждут отправки")
	c.types("\x04") // Ctrl+D: nothing can be delivered now
	c.ends(6)
	c.shows("3 сообщения не отправлены; уйдут при следующем запуске")
	s = s.again()
	c = s.consoleIn(home, "Иван")
	c.shows("С прошлого раза 3 сообщения ждут отправки")
	eventually(t, "all are stored", func() bool { return s.stored() >= len(want) })
	c.shows(want[len(want)-1])
	c.types("\x03")
	c.ends(0)

	stored := s.everything()
	if len(stored) != len(want) {
		t.Errorf("%d messages are stored, want %d", len(stored), len(want))
	}
	for i, m := range stored[:min(len(stored), len(want))] {
		if m.Text != want[i] || m.From != "Иван" {
			t.Errorf("message %d is %q of %s, want %q", i+1, m.Text, m.From, want[i])
		}
	}
}
