package hasher

import (
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	lowest = 19
	slice  = 100 * time.Millisecond // the longest there is
)

// giveWay has this process run when nobody else wants to, as good as. Without it, hashes are made all the same.
//
// Whoever wakes up takes the processor from SCHED_IDLE at once, but only within a scheduling group. Others, the kernel's own
// threads for one, do so only if their slice is shorter and the deadline of it earlier (PREEMPT_SHORT, since Linux 6.12);
// if not, they wait for the next tick of the clock, up to 4 ms. So the slice is the longest there is. It is taken with
// SCHED_BATCH, and kept. Traced on Linux 6.18 beside the chat: of what was woken over a hash half as many waited for more than
// half a millisecond as with the shortest slice; SCHED_BATCH alone let those of its own group wait five times as often.
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
