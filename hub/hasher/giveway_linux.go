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
// A thread that wakes up takes the processor from one of the lowest priority when that has had its slice, and is heard
// of at the next tick of the clock if it has not; so the slice is the shortest (since Linux 6.12, where it is 1.4 to 3 ms
// otherwise). SCHED_IDLE would have it at once, but from threads of its own group only: those of the kernel, by which a write
// to the disk goes on, would be woken on the processor where this runs, which counts as free, and wait there for the tick,
// up to 4 ms.
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
}
