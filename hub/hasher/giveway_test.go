//go:build linux

package hasher

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// Every thread of the process gives way, also those that begin later: a hash is not made by the one that asks for it.
func TestEveryThreadGivesWay(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := New(self, zap.NewNop())
	h.patience = time.Minute
	defer h.Close()
	for range 3 {
		if _, err := h.Hash("password"); err != nil {
			t.Fatal(err)
		}
	}
	dir := fmt.Sprintf("/proc/%d/task", h.idle[0].cmd.Process.Pid)
	threads, err := os.ReadDir(dir)
	if err != nil || len(threads) < 2 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(dir + "/" + thread.Name() + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		_, fields, _ := strings.Cut(string(stat), ") ")
		if nice := strings.Fields(fields)[16]; nice != fmt.Sprint(lowest) {
			t.Errorf("thread %s has the priority %s", thread.Name(), nice)
		}
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		// A kernel that knows nothing of slices (before 6.12) says 0.
		attr, err := unix.SchedGetAttr(tid, 0)
		if err != nil || attr.Runtime != uint64(slice) && attr.Runtime != 0 {
			t.Errorf("thread %s has a slice of %v, %v", thread.Name(), time.Duration(attr.Runtime), err)
		}
		if policy := strings.Fields(fields)[38]; policy != fmt.Sprint(unix.SCHED_IDLE) {
			t.Errorf("thread %s has the policy %s", thread.Name(), policy)
		}
	}
}
