package socket

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// System calls that return at once, whatever happens: telling Go's scheduler of each of them would cost as much again
// as all else that a loop does for a delivery.

// rawWrite is send(2) of a socket that does not block; b is not empty. It spares the kernel what write(2) does for files, a
// twentieth of the whole.
func rawWrite(fd int32, b []byte) (int, error) {
	//nolint:gosec // b stays where it is until the kernel has copied it
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// rawRead is recv(2) of a socket that does not block; b is not empty.
func rawRead(fd int32, b []byte) (int, error) {
	//nolint:gosec // as above
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// rawEpoll is how many sockets have news now; it does not wait for any.
func rawEpoll(epfd int, events []unix.EpollEvent) int {
	//nolint:gosec // as above
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}
