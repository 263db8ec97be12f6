package hasher

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const lowest = 19

// giveWay has this process run when nobody else wants to, as good as. Without it, hashes are made all the same. Where
// SCHED_IDLE is to be had, whoever wakes up takes the processor sooner than from the lowest priority, but not always at once:
// beside a loop that does nothing, on one core with it, the 99th percentile of a message's way was 3 to 4 ms instead of 1.3, and
// 5 with the lowest priority (Linux 6.18, PREEMPT_NONE).
//
// Both are of a thread, and a hash is made by others than the one that asks for it; a thread that begins later has what the
// one has by which it is begun, so that a second round finds what the first has missed.
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
	_ = unix.SchedSetAttr(tid, &unix.SchedAttr{Policy: unix.SCHED_IDLE, Nice: lowest}, 0)
}
