package restart

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

const envNotify = "NOTIFY_SOCKET"

// States that the service manager is told of (sd_notify(3)).
const (
	Ready     = "READY=1"
	Reloading = "RELOADING=1"
	Stopping  = "STOPPING=1"
)

// notify tells the service manager, if there is one, how this process is: a state and a line for people. Nobody waits
// for an answer.
func notify(getenv func(string) string, state, status string) error {
	path := getenv(envNotify)
	if path == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"}) // @ begins an abstract name
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	defer func() { _ = conn.Close() }()
	lines := []string{state, "MAINPID=" + strconv.Itoa(os.Getpid()), "STATUS=" + strings.ReplaceAll(status, "\n", " ")}
	if state == Reloading {
		lines = append(lines, monotonic())
	}
	if _, err := conn.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
