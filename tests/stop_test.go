package tests

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TERM: everybody is told when to come back, what was acknowledged is there afterwards, and the program says 0.
func TestTERMDrains(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		text, _ := s.text("Иван", "")
		page := s.html("Мария")
		program := s.joined("Робот")
		const sends = 400
		for i := range sends { // still under way when the signal comes
			program.say(fmt.Sprintf("m-%d", i), fmt.Sprintf("text %d", i))
		}
		acked := map[string]int64{"m-0": program.answer("m-0").Seq}
		s.terminate()
		for name, c := range map[string]*conn{"text": text, "HTML": page.conn} {
			if code, reason := c.ended(); code != 1012 || !regexp.MustCompile(`^restart retry-within-ms=\d+$`).MatchString(reason) {
				t.Errorf("the %s connection ended with %d %q, want 1012", name, code, reason)
			}
		}
		for f := range program.frames {
			if f := program.parse(f); f.Type == "ack" {
				acked[f.ID] = f.Seq
			}
		}
		if code, _ := program.ended(); code != 1012 {
			t.Errorf("the program's connection ended with %d, want 1012", code)
		}
		if code := s.wait(); code != 0 {
			t.Fatalf("exit code = %d, want 0", code)
		}
		if _, err := net.Dial("tcp", s.addr); err == nil {
			t.Error("the port is still open")
		}
		s = s.again()
		stored := s.everything()
		for id, seq := range acked {
			if int(seq) > len(stored) || stored[seq-1].ID != id {
				t.Fatalf("the receipt of %s said %d, the history has %d messages and not this one there", id, seq, len(stored))
			}
		}
		if len(acked) < 2 {
			t.Errorf("only %d sends were acknowledged", len(acked))
		}
	}, "--no-limits")
}

// everything reads the lobby from its beginning and requires that its numbers have no gaps.
func (s *server) everything() []frame {
	s.t.Helper()
	c := s.json("", "")
	defer c.close()
	c.send(map[string]any{"type": "hello", "rooms": map[string]any{"lobby": map[string]any{"after": 0}}})
	j := c.frame("joined")
	var all []frame
	for int64(len(all)) < j.Last {
		m := c.message()
		if all = append(all, m); m.Seq != int64(len(all)) {
			s.t.Fatalf("message %d has the number %d", len(all), m.Seq)
		}
	}
	return all
}

// A second signal ends the program although the first is still waiting for a socket that takes nothing.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		stalled := s.stall()
		writer := s.joined("Иван")
		for i := range 300 {
			writer.say(fmt.Sprintf("m-%d", i), strings.Repeat("б", 8000))
		}
		writer.answer("m-299")
		s.terminate()
		writer.ended()
		s.terminate()
		begun := time.Now()
		s.wait()
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("after the second signal it took %v", took)
		}
		stalled.Close()
	}, "--no-limits", "--shutdown-timeout", "2m", "--stall-timeout", "2m")
}

// A socket that takes nothing does not hold up the stop for longer than its timeout.
func TestStopDoesNotWaitForAStalledSocket(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		defer s.stall().Close()
		writer := s.joined("Иван")
		for i := range 300 {
			writer.say(fmt.Sprintf("m-%d", i), strings.Repeat("б", 8000))
		}
		writer.answer("m-299")
		begun := time.Now()
		s.stop()
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("stopping took %v, the timeout is 3s", took)
		}
	}, "--no-limits", "--shutdown-timeout", "3s", "--stall-timeout", "2m")
}

// What keeps the program from starting is said in a sentence, with an exit code, and without a trace.
func TestWhatKeepsTheProgramFromStarting(t *testing.T) {
	t.Parallel()
	running := start(t)
	refused := func(t *testing.T, code int, says string, args ...string) {
		t.Helper()
		s := launch(t, args...)
		got := s.wait()
		log := s.log.String()
		if got != code || !regexp.MustCompile(says).MatchString(log) {
			t.Errorf("exit code %d, it says:\n%s\nwant %d and something like %q", got, tail(log, 800), code, says)
		}
		if strings.Contains(log, "goroutine ") || strings.Contains(log, ".go:") && !strings.Contains(log, `"level"`) {
			t.Errorf("there is a trace:\n%s", tail(log, 800))
		}
	}
	t.Run("the port is in use", func(t *testing.T) {
		refused(t, 1, "another program listens on "+regexp.QuoteMeta(running.addr), "--listen", running.addr, "--data-dir", t.TempDir())
	})
	t.Run("the data directory is in use", func(t *testing.T) {
		refused(t, 1, regexp.QuoteMeta(running.dir)+".*in use", "--listen", "127.0.0.1:0", "--data-dir", running.dir)
	})
	t.Run("the data directory cannot be made", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, 1, "cannot make the data directory", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(file, "sub"))
	})
	t.Run("the data directory is read-only", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("needs /proc")
		}
		refused(t, 1, "cannot (make|write)", "--listen", "127.0.0.1:0", "--data-dir", "/proc/self")
	})
	t.Run("no place for the data", func(t *testing.T) {
		refused(t, 2, "--data-dir", "--listen", "127.0.0.1:0", "--data-dir", "")
	})
	for args, says := range map[string]string{
		"--listen=nonsense":           `--listen is "nonsense"`,
		"--rate=fast":                 `--rate is "fast", but it is a number`,
		"--log-level=loud":            "debug, info, warn, error",
		"--ring-bytes=5G":             `--ring-bytes is "5G"`,
		"--unknown":                   "unknown",
		"dance":                       "dance",
		"--base-url=ftp://x":          "--base-url",
		"--trusted-proxies=localhost": "localhost",
	} {
		t.Run(args, func(t *testing.T) { refused(t, 2, regexp.QuoteMeta(says), args) })
	}
}

// damaged makes a data directory with something in it, stops the program and lets change have the file.
func damaged(t *testing.T, change func(t *testing.T, file string)) string {
	t.Helper()
	s := start(t)
	c := s.joined("Иван")
	c.say("m-1", "text")
	c.answer("m-1")
	s.stop()
	change(t, filepath.Join(s.dir, "govor.db"))
	return s.dir
}

func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	patch := func(offset int64, data []byte) func(t *testing.T, file string) {
		return func(t *testing.T, file string) {
			t.Helper()
			f, err := os.OpenFile(file, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteAt(data, offset); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name, says string
		change     func(t *testing.T, file string)
	}{
		{"a newer version", "newer", patch(60, binary.BigEndian.AppendUint32(nil, 4711))}, // user_version, in the header
		{"no database", "(?i)corrupt|not a database", patch(0, []byte("this is something else, by mistake"))},
		{"damaged pages", "(?i)corrupt|malformed", patch(100, []byte(strings.Repeat("\xff", 3900)))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := damaged(t, tt.change)
			before, err := os.ReadFile(filepath.Join(dir, "govor.db"))
			if err != nil {
				t.Fatal(err)
			}
			s := launch(t, "--listen", "127.0.0.1:0", "--data-dir", dir)
			code := s.wait()
			if log := s.log.String(); code != 1 || !regexp.MustCompile(tt.says).MatchString(log) || strings.Contains(log, "goroutine ") {
				t.Errorf("exit code %d, it says:\n%s\nwant 1 and something like %q", code, tail(log, 800), tt.says)
			}
			if after, err := os.ReadFile(filepath.Join(dir, "govor.db")); err != nil || string(after) != string(before) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
}

func TestStartSaysWhereItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startIn(t, dir, "127.0.0.1:0")
	log := s.log.String()
	for _, want := range []string{s.addr[strings.LastIndexByte(s.addr, ':'):], dir} {
		if !strings.Contains(log, want) {
			t.Errorf("the first lines do not say %q:\n%s", want, log)
		}
	}
	help := launch(t, "--help")
	if code := help.wait(); code != 0 || !strings.Contains(help.log.String(), "GOVOR_DATA_DIR") || !strings.Contains(help.log.String(), "--listen") {
		t.Errorf("--help: %d\n%s", code, help.log.String())
	}
}
