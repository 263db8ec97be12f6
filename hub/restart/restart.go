// Package restart is how one process follows another without anybody being refused: the listening socket outlives the
// process. It is inherited, from systemd or from the process before (sd_listen_fds(3)), and a process that is asked to
// restart replaces itself by the program that lies at its path by then, with the same arguments, number and socket. The
// kernel lets those who connect meanwhile wait; those who were accepted and have no request under way are handed on, too.
//
// On systems without exec and signals nothing is inherited, and nobody can ask for a restart.
package restart

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Variables by which sockets are handed over. The first three are systemd's. Ours say at which descriptors the sockets
// are, where those are not 3, 4 … (a running Go program uses 3 for itself and cannot let go of it), and at which ones there
// are connections that were accepted from them.
const (
	envCount = "LISTEN_FDS"
	envPID   = "LISTEN_PID"
	envNames = "LISTEN_FDNAMES"
	envAt    = "GOVOR_LISTEN_FD"
	envConns = "GOVOR_CONN_FDS"
)

// firstDescriptor is where systemd puts the first socket.
const firstDescriptor = 3

// Program is what may replace this process.
type Program struct {
	// Fixed at construction.
	path string
	args []string // with the name it was called by
}

// self is the program of this process. Its path is the one it was called by, if that leads to it: a link that points to
// a newer version by then is followed.
func self() (*Program, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the own program: %w", err)
	}
	if called, err := exec.LookPath(os.Args[0]); err == nil && sameFile(called, path) {
		if path, err = filepath.Abs(called); err != nil {
			return nil, fmt.Errorf("find the own program: %w", err)
		}
	}
	return &Program{path: path, args: os.Args}, nil
}

func sameFile(a, b string) bool {
	first, errFirst := os.Stat(a) //nolint:gosec // how the program was called is its own
	second, errSecond := os.Stat(b)
	return errFirst == nil && errSecond == nil && os.SameFile(first, second)
}

// checkPatience bounds how long a program may take to say whether it can go on with the data.
const checkPatience = 10 * time.Second

// check runs the program as `govor version --check-data dir`, and returns the version that it says it is. An error means
// that it does not run, or cannot go on with the data there: its text is what the program said.
func (p *Program) check(ctx context.Context, dir string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.path, "version", "--check-data", dir) //nolint:gosec // the path is our own
	cmd.Env = without(os.Environ(), envCount, envPID, envNames, envAt, envConns, envNotify)
	cmd.WaitDelay = time.Second
	var said, complained bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complained
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(complained.String()); text != "" {
			return "", fmt.Errorf("%s: %w", text, err)
		}
		return "", fmt.Errorf("run %s: %w", p.path, err)
	}
	first, _, _ := strings.Cut(said.String(), "\n")
	return first, nil
}

// Exec replaces this process by the program, which inherits the sockets of l, the connections that Settle has kept, and
// nothing else but standard input, output and error. Data must have been closed. It returns only when it failed.
func (p *Program) Exec(l *Listener) error {
	if err := l.keep(); err != nil {
		return err
	}
	var at []string
	for _, socket := range l.sockets {
		fd, err := keepOpen(socket)
		if err != nil {
			return fmt.Errorf("keep the socket open: %w", err)
		}
		at = append(at, strconv.Itoa(fd))
	}
	env := without(os.Environ(), envCount, envPID, envNames, envAt, envConns)
	env = append(env, envCount+"="+strconv.Itoa(len(at)), envPID+"="+strconv.Itoa(os.Getpid()), envAt+"="+strings.Join(at, ","))
	if conns := l.watch.keepOpen(); conns != "" {
		env = append(env, envConns+"="+conns)
	}
	return fmt.Errorf("replace the process by %s: %w", p.path, replace(p.path, p.args, env))
}

// without returns the environment without some variables.
func without(env []string, names ...string) []string {
	left := make([]string, 0, len(env)+4)
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		drop := false
		for _, n := range names {
			drop = drop || n == name
		}
		if !drop {
			left = append(left, kv)
		}
	}
	return left
}

// inheritedAt reads at which descriptors sockets were handed over to the process pid; ok is false when none were.
func inheritedAt(getenv func(string) string, pid int) (at []int, ok bool, err error) {
	if getenv(envCount) == "" || getenv(envPID) != strconv.Itoa(pid) {
		return nil, false, nil // none, or meant for another process
	}
	count, err := strconv.Atoi(getenv(envCount))
	switch {
	case err != nil || count < 0:
		return nil, false, fmt.Errorf("%s=%q is not a number of sockets", envCount, getenv(envCount))
	case count == 0:
		return nil, false, nil
	}
	for i := range count {
		at = append(at, firstDescriptor+i)
	}
	if s := getenv(envAt); s != "" {
		at = nil
		for item := range strings.SplitSeq(s, ",") {
			fd, err := strconv.Atoi(item)
			if err != nil || fd < firstDescriptor {
				return nil, false, fmt.Errorf("%s=%q is not a list of descriptors", envAt, s)
			}
			at = append(at, fd)
		}
		if len(at) != count {
			return nil, false, fmt.Errorf("%s=%q names %d descriptors, and %s is %d", envAt, s, len(at), envCount, count)
		}
	}
	return at, true, nil
}
