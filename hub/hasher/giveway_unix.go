//go:build unix && !linux

package hasher

import "syscall"

const lowest = 19

// giveWay has this process run when nobody else wants to, as good as. Without it, hashes are made all the same.
func giveWay() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, lowest) }
