//go:build !linux

package views

import "time"

var began = time.Now()

// threadTime is the clock where a thread's own time cannot be had.
func threadTime() time.Duration { return time.Since(began) }
