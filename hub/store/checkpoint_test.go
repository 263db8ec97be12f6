package store

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"govor/hub/protocol"
)

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Size()
}

// Commits write over what is there: the file of the log is longer than what they have come to, from the first ones on, and
// again after it was cut.
func TestLogIsMadeLongerBeforehand(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("for Linux only")
	}
	t.Parallel()
	s := newStore(t)
	for round := range 3 {
		for i := range 40 {
			apply(t, s, message("lobby", fmt.Sprint(round, " ", i), i%3, "раз"))
		}
		eventually(t, "the log is not longer than what is in it", func() bool {
			return s.WALBytes() > 0 && sizeOf(t, s.path+"-wal")-s.WALBytes() >= roomBytes
		})
		if done, err := s.checkpoints.cut(t.Context()); !done || err != nil {
			t.Fatal(done, err)
		}
		if n := sizeOf(t, s.path+"-wal"); n > extendBytes {
			t.Errorf("the log has %d bytes after it was cut", n)
		}
	}
	s = again(t, s)
	if room, _ := s.Room("lobby"); room.Last != 3*40 {
		t.Errorf("the last message is %d, want %d", room.Last, 3*40)
	}
}

// Zeros are added while commits make the file longer, too: nothing of those is lost.
func TestMakingTheLogLongerDisturbsNoCommit(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	const batches, of = 200, 50
	var adding sync.WaitGroup
	done := make(chan struct{})
	adding.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				s.checkpoints.extend(1 << 40) // more than there can be: it is always needed
			}
		}
	})
	for i := range batches {
		var batch []protocol.Event
		for n := range of {
			batch = append(batch, message("lobby", fmt.Sprint(i, " ", n), n, "раз два три"))
		}
		apply(t, s, batch...)
		if i%20 == 10 { // it begins anew, and again both write at its end
			if _, err := s.checkpoints.cut(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(done)
	adding.Wait()

	// What is found after a crash. Another process copies: closing the database in this one would drop SQLite's locks.
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "cp", s.path, s.path+"-wal", dir).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
	sound(t, dir)
	if room, _ := openAt(t, dir).Room("lobby"); room.Last != batches*of {
		t.Errorf("the last message is %d, want %d", room.Last, batches*of)
	}
}
