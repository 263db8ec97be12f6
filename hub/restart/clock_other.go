//go:build !linux

package restart

// monotonic is for systemd only, which is on Linux.
func monotonic() string { return "" }
