//go:build unix

package terminal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"govor/hub/protocol"
)

// onPTY is the real program on a pseudo-terminal.
type onPTY struct {
	t      *testing.T
	vt     *vt
	master *os.File
	slave  *os.File
	before *term.State
	cmd    *exec.Cmd
	done   chan error
}

// buildClient compiles client.go alone, as go run does.
func buildClient(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "client")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../client.go").CombinedOutput(); err != nil {
		t.Fatalf("go build client.go: %v\n%s", err, out)
	}
	return bin
}

func startOnPTY(t *testing.T, bin string, args ...string) *onPTY {
	t.Helper()
	return startOnPTYIn(t, t.TempDir(), bin, args...)
}

// startOnPTYIn starts the program with a state directory that may outlive it.
func startOnPTYIn(t *testing.T, state, bin string, args ...string) *onPTY {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := &onPTY{t: t, vt: newVT(t, 60, 14), master: master, slave: slave, done: make(chan error, 1)}
	if err := pty.Setsize(master, &pty.Winsize{Cols: 60, Rows: 14}); err != nil {
		t.Fatal(err)
	}
	if p.before, err = term.GetState(int(slave.Fd())); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.CommandContext(t.Context(), bin, args...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p.cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+state, "GOVOR_LANG=ru", "TERM=xterm-256color", "TZ=UTC")
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			_, _ = p.vt.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		p.done <- p.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-exited
		_ = slave.Close()
		_ = master.Close()
		<-read
	})
	return p
}

func (p *onPTY) type_(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// wantExit also looks whether the terminal is as it was.
func (p *onPTY) wantExit(want int, within time.Duration) {
	p.t.Helper()
	select {
	case err := <-p.done:
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		if code != want {
			p.t.Fatalf("exit code %d, want %d; screen:\n%s", code, want, p.vt)
		}
	case <-time.After(within):
		p.t.Fatalf("still running after %v", within)
	}
	after, err := term.GetState(int(p.slave.Fd()))
	if err != nil {
		p.t.Fatal(err)
	}
	if !reflect.DeepEqual(after, p.before) {
		p.t.Error("the terminal was left in another mode")
	}
}

// instant is what a person takes for at once, on a machine that has other things to do.
const instant = 2 * time.Second

func TestProgramOnATerminal(t *testing.T) {
	bin := buildClient(t)
	t.Run("typing while messages arrive", func(t *testing.T) { testTyping(t, bin) })
	t.Run("end of input", func(t *testing.T) {
		s := newFakeServer(t)
		p := startOnPTY(t, bin, "Мария", "-s", s.srv.URL)
		p.vt.waitText("* Вы вошли как Мария · Общая · 9 онлайн · Ctrl+C — выйти")
		p.type_("\x04")
		p.wantExit(exitOK, instant)
	})
	t.Run("signal", func(t *testing.T) {
		s := newFakeServer(t)
		p := startOnPTY(t, bin, "Мария", "-s", s.srv.URL)
		p.vt.waitText("Вы вошли как Мария")
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		p.wantExit(exitOK, instant)
	})
	t.Run("message left behind", func(t *testing.T) {
		s := newFakeServer(t)
		s.on(func(_ *fakeConn, cmd protocol.Command) bool { _, ok := cmd.(protocol.Send); return ok })
		p := startOnPTY(t, bin, "Мария", "-s", s.srv.URL, "--no-history-file")
		p.vt.waitText("Вы вошли как Мария")
		p.type_("не дойдёт\r")
		p.vt.waitLast(">")
		p.type_("\x03")
		p.wantExit(exitInterrupted, instant)
		p.vt.waitText("* Не отправлено (1):\n  не дойдёт")
	})
	t.Run("killed while sending", func(t *testing.T) { testKilledWhileSending(t, bin) })
	t.Run("no server", func(t *testing.T) {
		s := newFakeServer(t)
		s.stop()
		p := startOnPTY(t, bin, "Мария", "-s", s.srv.URL, "--timeout", "300ms")
		p.wantExit(exitNoConnection, 10*time.Second)
		p.vt.waitText("connection refused")
	})
}

func testTyping(t *testing.T, bin string) {
	t.Helper()
	s := newFakeServer(t)
	s.say("Пётр", "было раньше")
	p := startOnPTY(t, bin, "Мария", "-s", s.srv.URL)
	p.vt.waitText("Пётр: было раньше")
	p.vt.waitLast(">")
	text := "набираю и не теряю 日本語 🙏"
	for i, r := range []rune(text) {
		p.type_(string(r))
		if i%3 == 0 {
			s.say("Анна", strings.Repeat("шум ", 1+i))
		}
	}
	p.vt.waitLast("> " + text)
	s.say("Анна", "конец шума")
	p.vt.waitText("Анна: конец шума")
	p.vt.waitLast("> " + text)
	if all := p.vt.all(); strings.Count(strings.Join(all, "\n"), ">") != 1 {
		t.Errorf("more than one prompt:\n%s", strings.Join(all, "\n"))
	}

	p.type_("\r")
	p.vt.waitText("Мария: " + text)
	p.vt.waitLast(">")

	p.type_("\x1b[200~две\nстроки\x1b[201~")
	p.vt.waitText("> две\n  строки")
	p.type_("\r")
	p.vt.waitText("Мария: две\n      строки")
	if got := s.texts(); got[len(got)-1] != "две\nстроки" {
		t.Errorf("stored %q", got[len(got)-1])
	}
	p.type_("недописанное\x03")
	p.wantExit(exitOK, instant)
	p.vt.wait("a screen without a prompt", func(lines []string) bool {
		return !strings.Contains(strings.Join(lines, "\n"), ">")
	})
}

// The program is killed while sixteen messages are on their way and more wait. Started again, it sends each once.
func testKilledWhileSending(t *testing.T, bin string) {
	t.Helper()
	s, state := newFakeServer(t), t.TempDir()
	held := make(chan struct{}, protocol.MaxUnacknowledged)
	arrived := 0 // owned by the connection's goroutine
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if !ok || c.number > 0 {
			return false
		}
		if arrived++; arrived <= protocol.MaxUnacknowledged/2 {
			c.storeUnseen(m) // half are stored and half are lost; nothing is answered
		}
		held <- struct{}{}
		return true
	})
	p := startOnPTYIn(t, state, bin, "Мария", "-s", s.srv.URL)
	p.vt.waitText("Вы вошли как Мария")
	var want []string
	for i := range 20 {
		text := fmt.Sprintf("строка %d", i)
		want = append(want, text)
		p.type_(text + "\r")
	}
	for range cap(held) {
		<-held
	}
	p.vt.waitText("* 20 сообщений ждут отправки")
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.done

	p = startOnPTYIn(t, state, bin, "Мария", "-s", s.srv.URL)
	p.vt.waitText("* С прошлого раза 20 сообщений ждут отправки")
	p.vt.waitText("Мария: строка 19")
	late := time.After(10 * time.Second)
	for left := []string{""}; len(left) > 0; { // the last receipt changes nothing on the screen
		select {
		case <-late:
			t.Fatal("there is still something to send: ", left)
		case <-time.After(5 * time.Millisecond):
		}
		left, _ = filepath.Glob(filepath.Join(state, "govor", "client", "outbox-*", "*.json"))
	}
	p.type_("\x03")
	p.wantExit(exitOK, instant)
	if got := s.texts(); !reflect.DeepEqual(got, want) {
		t.Errorf("stored %q, want %q", got, want)
	}
}
