package tests

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// govor runs a command of the program and returns what it says and its exit code.
func govor(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), serverBinary, args...)
	cmd.Env = append(cleanEnv(), "HOME="+t.TempDir())
	b, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatalf("govor %v: %v", args, err)
	}
	return string(b), code
}

// must runs a command that has to succeed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	out, code := govor(t, args...)
	if code != 0 {
		t.Fatalf("govor %s: exit code %d: %s", strings.Join(args, " "), code, out)
	}
	return out
}

// crowd talks by HTTP until it is stopped, and remembers what was acknowledged.
type crowd struct {
	s    *server
	stop chan struct{}
	wg   sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	acked  map[int64]string
	failed int // answers other than 201
}

func startCrowd(s *server, n int) *crowd {
	c := &crowd{s: s, stop: make(chan struct{}), acked: map[int64]string{}}
	for i := range n {
		c.wg.Go(func() {
			for k := 0; ; k++ {
				select {
				case <-c.stop:
					return
				default:
				}
				text := fmt.Sprintf("message %d of %d", k, i)
				r := s.curl(fmt.Sprintf("/r/lobby/messages?name=ci-%d", i), text)
				c.mu.Lock()
				if r.status == http.StatusCreated {
					c.acked[posted(s.t, r).Seq] = text
				} else {
					c.failed++
				}
				c.mu.Unlock()
			}
		})
	}
	return c
}

// seen is what was acknowledged up to now.
func (c *crowd) seen() map[int64]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := make(map[int64]string, len(c.acked))
	for seq, text := range c.acked {
		seen[seq] = text
	}
	return seen
}

// reach waits until n messages were acknowledged.
func (c *crowd) reach(n int) {
	c.s.t.Helper()
	eventually(c.s.t, fmt.Sprintf("%d messages are stored", n), func() bool { return len(c.seen()) >= n })
}

func (c *crowd) end() map[int64]string {
	close(c.stop)
	c.wg.Wait()
	return c.seen()
}

// wantAll requires that what was acknowledged is stored.
func (s *server) wantAll(acked map[int64]string) {
	s.t.Helper()
	stored := map[int64]string{}
	for _, m := range s.everything() {
		stored[m.Seq] = m.Text
	}
	lost := 0
	for seq, text := range acked {
		if stored[seq] != text {
			lost++
			s.t.Logf("number %d was acknowledged as %q and is %q", seq, text, stored[seq])
		}
	}
	if lost > 0 {
		s.t.Fatalf("%d of %d acknowledged messages are lost", lost, len(acked))
	}
}

func TestBackupBesideTheServer(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	talk := startCrowd(s, 4)
	talk.reach(300)
	before := talk.seen()
	began := time.Now()
	file := filepath.Join(t.TempDir(), "chat.zst")
	must(t, "backup", file, "--data-dir", s.dir)
	t.Logf("%d messages were backed up in %v", len(before), time.Since(began).Round(time.Millisecond))
	must(t, "check", "--data-dir", s.dir)
	if out := must(t, "export", "--data-dir", s.dir, "--format", "jsonl"); strings.Count(out, "\n") < len(before) {
		t.Errorf("the export has %d lines, and there were %d messages", strings.Count(out, "\n"), len(before))
	}
	talk.reach(len(before) + 100) // it goes on
	after := talk.end()
	if talk.failed > 0 {
		t.Errorf("%d messages were refused meanwhile", talk.failed)
	}

	// Into another place: everything that was acknowledged before is there, and the chat goes on.
	other := filepath.Join(t.TempDir(), "other")
	must(t, "restore", file, "--data-dir", other)
	must(t, "check", "--data-dir", other)
	restored := startIn(t, other, "127.0.0.1:0", "--no-limits")
	restored.wantAll(before)
	if r := restored.curl("/r/lobby/messages?name=ci", "и дальше"); r.status != http.StatusCreated {
		t.Errorf("in the restored chat: %d %s", r.status, r.body)
	}
	s.wantAll(after)
}

// A backup does not bring back what was deleted after it was made.
func TestRestoreKeepsDeletedTextAway(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	c := s.joined("Иван")
	c.say("a", "canary-5e0c")
	c.say("b", "остаётся")
	seq := c.answer("a").Seq
	c.answer("b")
	file := filepath.Join(t.TempDir(), "chat.zst")
	must(t, "backup", file, "--data-dir", s.dir)
	if r := c.delete("d", seq); r.Type != "ack" {
		t.Fatalf("a deletion is answered %s", r.raw)
	}
	c.say("c", "после копии")
	c.answer("c")
	if out, code := govor(t, "restore", file, "--force", "--data-dir", s.dir); code != 1 || !strings.Contains(out, "in use") {
		t.Errorf("beside the server: %d %s", code, out)
	}
	s.stop()
	if out, code := govor(t, "restore", file, "--data-dir", s.dir); code != 1 || !strings.Contains(out, "--force") {
		t.Errorf("over a chat: %d %s", code, out)
	}
	must(t, "restore", file, "--force", "--data-dir", s.dir)
	must(t, "check", "--data-dir", s.dir)
	if f := found(t, s.dir, "canary-5e0c"); len(f) > 0 {
		t.Errorf("deleted, and there again: %v", f)
	}
	s = s.again()
	all := s.list("after=0")
	if len(all) != 2 || all[0].ID != "a" || all[0].Text != "" || all[1].Text != "остаётся" {
		t.Errorf("restored: %+v", all)
	}
	// Who was there before the restore is told that the room has another past.
	back := s.json("", "")
	back.send(map[string]any{"type": "hello", "token": c.welcome.Token, "rooms": map[string]any{"lobby": map[string]any{"after": 4, "id": "c"}}})
	if f := back.frame("reset"); f.Room != "lobby" {
		t.Errorf("reset: %s", f.raw)
	}
}

func TestCommandsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"backup", 2, "govor backup FILE"},
		{"backup --help", 0, "zstd"},
		{"backup x --data-dir " + empty, 1, "no chat in"},
		{"restore " + text + " --data-dir " + empty, 1, "not a backup"},
		{"restore " + text + "2 --data-dir " + empty, 1, "cannot read the backup"},
		{"export --format xml --data-dir " + empty, 1, "jsonl, txt, html"},
		{"check --data-dir " + empty, 1, "no chat in"},
		{"check more", 2, "govor check --help"},
	} {
		if out, code := govor(t, strings.Fields(tt.args)...); code != tt.code || !strings.Contains(out, tt.says) {
			t.Errorf("govor %s: %d %s; want %d and %q", tt.args, code, out, tt.code, tt.says)
		}
	}
	if out, code := govor(t, "check", "--data-dir", damaged(t, func(t *testing.T, file string) {
		t.Helper()
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt(make([]byte, 9000), 8192); err != nil {
			t.Fatal(err)
		}
	})); code != 1 {
		t.Errorf("a damaged file: %d %s", code, out)
	}
}
