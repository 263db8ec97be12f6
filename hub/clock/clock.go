//go:build !torture

// Package clock is the time by which events are stamped. It is the system's, but in the builds of tests/torture (tag
// torture), which let the clock be set: nothing of that is in other builds.
package clock

import "time"

// Now is time.Now.
func Now() time.Time { return time.Now() }
