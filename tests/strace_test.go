package tests

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Acknowledged is on disk: the kernel is asked to sync at least once for each of a hundred messages, each sent after
// the receipt of the one before.
func TestEverySingleSendIsSynced(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("GOVOR_REQUIRE_STRACE") == "1" {
			t.Fatal("GOVOR_REQUIRE_STRACE=1, and there is no strace")
		}
		t.Skip("skipped: there is no strace to count syncs with")
	}
	trace := filepath.Join(t.TempDir(), "trace")
	dir := t.TempDir()
	s := launchCommand(t, exec.Command(strace, "-f", "-qq", "-ttt", "-e", "trace=fdatasync,fsync", "-o", trace,
		serverBinary, "--listen", "127.0.0.1:0", "--data-dir", dir, "--log-format", "json", "--no-limits"))
	m := s.log.await(t, regexp.MustCompile(`http://(?:localhost|127\.0\.0\.1):(\d+)`), s.exited)
	s.addr = "127.0.0.1:" + m[1]
	s.awaitReady()
	c := s.joined("Иван")
	c.say("first", "opens the room")
	c.answer("first")
	from := time.Now()
	for i := range 100 {
		c.say(fmt.Sprintf("m-%d", i), "text")
		if a := c.answer(fmt.Sprintf("m-%d", i)); a.Type != "ack" {
			t.Fatalf("answer %d = %s", i, a.raw)
		}
	}
	upto := time.Now()
	s.interruptTraced()
	if n := countSyncs(t, trace, from, upto); n < 100 {
		t.Errorf("%d syncs for 100 single sends", n)
	} else {
		t.Logf("%d syncs for 100 single sends", n)
	}
}

// interruptTraced ends the program under strace, which does not pass signals on.
func (s *server) interruptTraced() {
	s.t.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(s.cmd.Process.Pid)).Output()
	if err != nil {
		s.t.Fatalf("find the traced program: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		s.t.Fatalf("find the traced program: %v", err)
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Signal(os.Interrupt)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if code := s.wait(); code != 0 {
		s.t.Errorf("exit code after an interrupt = %d, want 0", code)
	}
}

func countSyncs(t *testing.T, trace string, from, upto time.Time) int {
	t.Helper()
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	call := regexp.MustCompile(`^\d+ +(\d+\.\d+) f(?:data)?sync\(`)
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		m := call.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		at, err := strconv.ParseFloat(m[1], 64)
		if err == nil && at >= float64(from.UnixNano())/1e9 && at <= float64(upto.UnixNano())/1e9 {
			n++
		}
	}
	return n
}
