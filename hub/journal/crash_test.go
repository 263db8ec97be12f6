package journal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"govor/hub/journal"
	"govor/hub/journal/journaltest"
	"govor/hub/protocol"
	"govor/hub/store"
)

// The environment by which the test binary is told to be a child: GOVOR_TEST_CHILD is what it does, in
// GOVOR_TEST_DIR. A child writes "id number" to its output for every event that was acknowledged.
const (
	childDoes = "GOVOR_TEST_CHILD"
	childDir  = "GOVOR_TEST_DIR"
)

// TestChild is the body of the child processes.
func TestChild(t *testing.T) {
	does := os.Getenv(childDoes)
	if does == "" {
		t.Skip("for child processes only")
	}
	s, err := store.Open(os.Getenv(childDir), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	j := journal.NewLocal(s, zap.NewNop(), prometheus.NewRegistry())
	room := protocol.Event{Room: protocol.RoomServer, Kind: protocol.KindRoom, V: 1, ID: "open", At: 1, Body: `{"name":"lobby","kind":"public"}`}
	if _, err := journal.Wait(t.Context(), j, room); err != nil {
		t.Fatal(err)
	}
	switch does {
	case "forever":
		var wg sync.WaitGroup
		for n := range 16 {
			wg.Go(func() { childAppend(t, j, n, 1<<30) })
		}
		wg.Wait()
	case "hundred":
		childAppend(t, j, 0, 100)
		if err := errors.Join(j.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// childAppend sends one event after the other, each until it is acknowledged.
func childAppend(t *testing.T, j journal.Journal, n, count int) {
	t.Helper()
	for i := range count {
		e := journaltest.Message("lobby", fmt.Sprintf("%d-%d", n, i), n, "text")
		for try := 0; ; try++ {
			r, err := journal.Wait(context.Background(), j, e)
			if err == nil {
				fmt.Fprintf(os.Stdout, "ack %s %d %v\n", e.ID, r.Seq, r.Duplicate)
				break
			}
			if fmt.Fprintf(os.Stdout, "failed %s\n", e.ID); try > 10 {
				t.Errorf("%s: %v", e.ID, err)
				return
			}
		}
	}
}

func child(t *testing.T, does, dir string, under ...string) *exec.Cmd {
	t.Helper()
	args := append(under, os.Args[0], "-test.run=^TestChild$", "-test.v")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childDoes+"="+does, childDir+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// acks reads the numbers that a child got, by id.
func acks(lines []string) map[string]int64 {
	m := make(map[string]int64)
	for _, line := range lines {
		if f := strings.Fields(line); len(f) == 4 && f[0] == "ack" {
			m[f[1]], _ = strconv.ParseInt(f[2], 10, 64)
		}
	}
	return m
}

// allStored checks that what was acknowledged is in the store at its number, and that numbers have no gaps.
func allStored(t *testing.T, dir string, acked map[string]int64) {
	t.Helper()
	s, err := store.Open(dir, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	found := 0
	room, _ := s.Room("lobby")
	for after := int64(0); after < room.Last; {
		events, err := s.Events(t.Context(), "lobby", after, room.Last, 1000)
		if err != nil || len(events) == 0 {
			t.Fatalf("Events = %d, %v", len(events), err)
		}
		for _, e := range events {
			if after++; e.Seq != after {
				t.Fatalf("number %d comes after %d", e.Seq, after-1)
			}
			if seq, ok := acked[e.ID]; ok && seq == e.Seq {
				found++
			}
		}
	}
	if found != len(acked) {
		t.Errorf("%d of %d acknowledged events are in the store", found, len(acked))
	}
}

func TestAcknowledgedOutlivesKill(t *testing.T) {
	dir := t.TempDir()
	cmd := child(t, "forever", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		if lines = append(lines, scanner.Text()); len(lines) == 2000 {
			if err := cmd.Process.Kill(); err != nil { // what is in the pipe is read on
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	acked := acks(lines)
	if len(acked) < 1900 {
		t.Fatalf("only %d events were acknowledged: %q", len(acked), lines[max(0, len(lines)-5):])
	}
	allStored(t, dir, acked)
}

// strace says where it is, or skips the test.
func strace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("GOVOR_REQUIRE_STRACE") == "1" {
			t.Fatal("strace is required and not there")
		}
		t.Skip("strace is not there: syncs are not counted (GOVOR_REQUIRE_STRACE=1 makes this a failure)")
	}
	return path
}

var syncCalls = regexp.MustCompile(`(?m)^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?f(?:data)?sync$`)

func TestEverySingleSendIsSynced(t *testing.T) {
	path := strace(t)
	dir := t.TempDir()
	counts := dir + "/counts"
	out, err := child(t, "hundred", dir, path, "-f", "-c", "-o", counts, "-e", "trace=fsync,fdatasync").Output()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	acked := acks(strings.Split(string(out), "\n"))
	table, err := os.ReadFile(counts)
	if err != nil {
		t.Fatal(err)
	}
	syncs := 0
	for _, m := range syncCalls.FindAllStringSubmatch(string(table), -1) {
		n, _ := strconv.Atoi(m[1])
		syncs += n
	}
	if len(acked) != 100 || syncs < 100 {
		t.Errorf("%d sends and %d syncs, want at least one each:\n%s", len(acked), syncs, table)
	}
	allStored(t, dir, acked)
}

func TestFailedSyncLosesNothing(t *testing.T) {
	path := strace(t)
	dir := t.TempDir()
	out, err := child(t, "hundred", dir, path, "-f", "-o", "/dev/null",
		"-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=30+25").Output()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	acked := acks(lines)
	if failed := strings.Count(string(out), "failed "); len(acked) != 100 || failed == 0 {
		t.Errorf("%d of 100 were acknowledged, %d tries failed", len(acked), failed)
	}
	allStored(t, dir, acked)
}
