package views

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is what the calling thread has used of its processor.
func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}
