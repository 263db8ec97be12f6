package tests

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stacks ends a process that is still running and returns what its goroutines were doing, see summarize; "" if it has
// ended, or does not tell.
func (s *server) stacks() string {
	before := len(s.log.String())
	if s.cmd.Process.Signal(syscall.SIGQUIT) != nil {
		return ""
	}
	select {
	case <-s.exited:
	case <-time.After(patience):
	}
	return summarize(s.log.String()[before:])
}

var goroutineHead = regexp.MustCompile(`^goroutine \d+ .*\[([^\],]*)`)

// summarize has a line for each kind of goroutine in what a Go program prints when it is told to quit: how many, what they
// wait for, and the program's own functions, the innermost first.
func summarize(dump string) string {
	kinds := map[string]int{}
	waits, calls := "", []string{}
	add := func() {
		if len(calls) > 0 {
			kinds[waits+": "+strings.Join(calls, " < ")]++
		}
		calls = nil
	}
	for line := range strings.Lines(dump) {
		if m := goroutineHead.FindStringSubmatch(line); m != nil {
			add()
			waits = m[1]
		} else if end := strings.LastIndexByte(line, '('); end > 0 && (strings.HasPrefix(line, "govor/") || strings.HasPrefix(line, "main.")) {
			calls = append(calls, strings.TrimPrefix(line[:end], "govor/"))
		}
	}
	add()
	list := make([]string, 0, len(kinds))
	for kind, n := range kinds {
		list = append(list, fmt.Sprintf("%d × %s", n, kind))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// A test that fails because the program hangs shows where.
func TestStacksSayWhereTheProgramIs(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGQUIT")
	}
	s := start(t)
	got := s.stacks()
	for _, want := range []string{"hub/journal.NewLocal.", "main.serve < main.run < main.main"} { // whatever each is at
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if again := s.stacks(); again != "" {
		t.Errorf("of a process that has ended: %s", again)
	}
	s.log = newLogBuffer() // the stacks in it are no mistake
}
