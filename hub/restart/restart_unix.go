//go:build unix

package restart

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// askedFor returns a channel that gets a signal whenever somebody asks for a restart (SIGUSR2).
func askedFor() <-chan os.Signal {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	return asked
}

// adopt makes a listener of a descriptor that was inherited, and a file of the descriptor itself.
func adopt(at int) (net.Listener, *os.File, error) {
	listens, err := unix.GetsockoptInt(at, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || listens == 0 {
		return nil, nil, fmt.Errorf("descriptor %d, which was handed over, is no listening socket", at)
	}
	unix.CloseOnExec(at)
	socket := os.NewFile(uintptr(at), "inherited socket")
	ln, err := net.FileListener(socket)
	if err != nil {
		return nil, nil, fmt.Errorf("listen on the inherited socket: %w", err)
	}
	return ln, socket, nil
}

// adoptConns makes connections of descriptors that were inherited. Those that are none any more are passed over.
func adoptConns(at string) (conns []net.Conn) {
	for s := range strings.SplitSeq(at, ",") {
		fd, err := strconv.Atoi(s)
		if err != nil || fd < firstDescriptor {
			continue
		}
		unix.CloseOnExec(fd)
		f := os.NewFile(uintptr(fd), "inherited connection")
		if f == nil {
			continue
		}
		if c, err := net.FileConn(f); err == nil {
			conns = append(conns, c)
		}
		_ = f.Close() // FileConn has its own
	}
	return conns
}

// keepOpen lets the descriptor survive exec, and returns it.
func keepOpen(f *os.File) (at int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		at = int(fd)
		_, failed = unix.FcntlInt(fd, unix.F_SETFD, 0)
	})
	if err == nil {
		err = failed
	}
	return at, err
}

// replace is exec. A second request to restart is ignored until the new program listens for it: it would end it.
func replace(path string, args, env []string) error {
	signal.Ignore(syscall.SIGUSR2)
	return syscall.Exec(path, args, env) //nolint:gosec // the path and the arguments are our own
}
