//go:build unix

package hasher

import "syscall"

// giveWay has this thread run when nobody else wants to, as good as. Without it, hashes are made all the same.
func giveWay() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 19) }
