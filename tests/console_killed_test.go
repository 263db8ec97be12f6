//go:build linux

package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The console is killed at the very call that keeps what was typed, or that forgets what has its receipt: all of it comes
// once, in order, and nothing is left over.
func TestConsoleKilledWhileItKeeps(t *testing.T) {
	t.Parallel()
	want := []string{"раньше", "сейчас", "потом"}
	for name, calls := range map[string]string{
		"between writing and syncing":         "fsync",
		"between syncing and naming":          "rename,renameat,renameat2",
		"between the receipt and the removal": "unlink,unlinkat",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			home := t.TempDir()
			c := s.consoleIn(home, "Мария")
			c.shows("Вы вошли как Мария")
			c.types("раньше\r")
			eventually(t, "that is stored, and forgotten", func() bool { return s.stored() == 1 && len(outboxIn(t, home)) == 0 })
			c.killAt(calls)
			c.types("сейчас\r")
			eventually(t, "the console is killed", func() bool {
				select {
				case <-c.exited:
					return true
				default:
					return false
				}
			})
			if left := outboxIn(t, home); len(left) != 1 {
				t.Errorf("in the outbox is %q", left)
			}

			c = s.consoleIn(home, "Мария")
			c.shows("Вы вошли как Мария")
			c.types("потом\r")
			eventually(t, "all is stored, and forgotten", func() bool { return s.stored() == len(want) && len(outboxIn(t, home)) == 0 })
			var got []string
			for _, m := range s.everything() {
				got = append(got, m.Text)
			}
			if strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("stored are %q, want %q", got, want)
			}
		})
	}
}

// killAt kills the console at the first of these system calls that it makes from now on, before that does anything.
func (c *console) killAt(calls string) {
	c.t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("GOVOR_REQUIRE_STRACE") == "1" {
			c.t.Fatal("GOVOR_REQUIRE_STRACE=1, and there is no strace")
		}
		c.t.Skip("skipped: there is no strace to kill it with")
	}
	said := newLogBuffer()
	pid := fmt.Sprint(c.cmd.Process.Pid)
	cmd := exec.Command(strace, "-f", "-o", "/dev/null", "-e", "trace="+calls, "-e", "inject="+calls+":signal=SIGKILL", "-p", pid)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // ends with the console
		defer close(ended)
		_ = cmd.Wait()
	}()
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	eventually(c.t, "strace has it", func() bool {
		select {
		case <-ended:
			c.t.Skipf("skipped: strace may not look at another process here: %s", said.String())
		default:
		}
		tasks, _ := filepath.Glob("/proc/" + pid + "/task/*/status")
		for _, task := range tasks {
			if status, err := os.ReadFile(task); err == nil && strings.Contains(string(status), "TracerPid:\t0\n") {
				return false
			}
		}
		return len(tasks) > 0
	})
}

// outboxIn lists the files of the outbox of whoever lives in a home directory.
func outboxIn(t *testing.T, home string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(home, ".local/state/govor/client/outbox-*/*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}
