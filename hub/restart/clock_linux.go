package restart

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the time that systemd wants with Reloading, to tell this Ready from the one before.
func monotonic() string {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return ""
	}
	return fmt.Sprintf("MONOTONIC_USEC=%d", t.Nano()/time.Microsecond.Nanoseconds())
}
