//go:build linux

package generator

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// processCPU is the user and system time of a process with all its threads, 0 if it cannot be read. The clock of a
// process is exact where /proc/PID/stat counts ticks of 10 ms.
func processCPU(pid int) time.Duration {
	var ts unix.Timespec
	if pid == 0 || unix.ClockGettime(int32(^pid)<<3|2, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// ownCPU is processCPU of this process.
func ownCPU() time.Duration { return processCPU(os.Getpid()) }

// coreBusy is how long a core has worked for anybody, or another machine for it, since the start of the system.
func coreBusy(core int) time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	ticks := 0.0
	for i := range 8 { // user nice system idle iowait irq softirq steal
		if i != 3 && i != 4 {
			ticks += number(b, "cpu"+strconv.Itoa(core), i)
		}
	}
	return time.Duration(ticks * float64(10*time.Millisecond))
}

// resident is what a process has in memory, in KiB.
func resident(pid int) float64 {
	if pid == 0 {
		return 0
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	return number(b, "Rss:", 0)
}

// tcpMemory is what the kernel holds for all TCP sockets, in KiB.
func tcpMemory() float64 {
	b, err := os.ReadFile("/proc/net/sockstat")
	if err != nil {
		return 0
	}
	return number(b, "TCP:", 9) * float64(os.Getpagesize()) / 1024
}

// number is field i of what stands after name on its line.
func number(b []byte, name string, i int) float64 {
	for line := range bytes.Lines(b) {
		if f := bytes.Fields(line); len(f) > i+1 && string(f[0]) == name {
			v, err := strconv.ParseFloat(string(f[i+1]), 64)
			if err == nil {
				return v
			}
		}
	}
	return 0
}
