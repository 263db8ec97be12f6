//go:build torture

// Package clock is the time by which events are stamped. It is the system's, but in the builds of tests/torture (tag
// torture), which let the clock be set: nothing of that is in other builds.
package clock

import (
	"os"
	"strings"
	"time"
)

// Now is the system's time, put forward or back by the duration in the file that GOVOR_TORTURE_CLOCK names.
func Now() time.Time {
	now := time.Now().Round(0) // a clock that jumps is not monotonic
	data, err := os.ReadFile(os.Getenv("GOVOR_TORTURE_CLOCK"))
	if err != nil {
		return now
	}
	by, err := time.ParseDuration(strings.TrimSpace(string(data)))
	if err != nil {
		return now
	}
	return now.Add(by)
}
