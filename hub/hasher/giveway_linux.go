package hasher

import (
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	lowest = 19
	slice  = 100 * time.Microsecond // the shortest there is
)

// giveWay has this process run when nobody else wants to, as good as. Without it, hashes are made all the same.
//
// Whoever wakes up takes the processor from SCHED_IDLE at once, but only within a scheduling group. The kernel's own threads,
// by which a write to the disk goes on, are in another: one that is woken where this runs, which counts as free, waits for
// the end of this thread's slice and from then on for the next tick of the clock, up to 4 ms. So the slice is the shortest
// there is, instead of 1.4 to 3 ms (since Linux 6.12, which takes it with SCHED_BATCH and keeps it). SCHED_BATCH alone does
// not draw others to where it runs, but lets those of its own group wait five times as often (traced on Linux 6.18).
//
// All of it is of a thread, and a hash is made by others than the one that asks for it; a thread that begins later has what
// the one has by which it is begun, so that a second round finds what the first has missed.
func giveWay() {
	for range 2 {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			threadGivesWay(0)
			return
		}
		for _, t := range threads {
			if tid, err := strconv.Atoi(t.Name()); err == nil {
				threadGivesWay(tid)
			}
		}
	}
}

// threadGivesWay is for the thread tid, 0 = this one.
func threadGivesWay(tid int) {
	_ = unix.Setpriority(unix.PRIO_PROCESS, tid, lowest)
	_ = unix.SchedSetAttr(tid, &unix.SchedAttr{Policy: unix.SCHED_BATCH, Nice: lowest, Runtime: uint64(slice)}, 0)
	_ = unix.SchedSetAttr(tid, &unix.SchedAttr{Policy: unix.SCHED_IDLE, Nice: lowest}, 0)
}
