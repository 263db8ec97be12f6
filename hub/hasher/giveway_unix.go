//go:build unix

package hasher

import (
	"os"
	"strconv"
	"syscall"
)

const lowest = 19

// giveWay has this process run when nobody else wants to, as good as. Without it, hashes are made all the same. On Linux a
// priority is of a thread, and a hash is made by others than the one that asks for it; a thread that begins later has that of
// the one by which it is begun, so that a second round finds what the first has missed.
func giveWay() {
	for range 2 {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, lowest)
			return
		}
		for _, t := range threads {
			if tid, err := strconv.Atoi(t.Name()); err == nil {
				_ = syscall.Setpriority(syscall.PRIO_PROCESS, tid, lowest)
			}
		}
	}
}
