package synfilter

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// The packet as a filter of a TCP socket sees it (linux/filter.h, RFC 9293 §3.1, RFC 791 §3.1, RFC 8200 §3).
const (
	networkHeader = -0x100000 // SKF_NET_OFF: what begins there is IP's header; at 0 TCP's
	version       = networkHeader
	source4       = networkHeader + 12
	source6       = networkHeader + 8
	flags         = 13

	syn, synOrAck = 0x02, 0x12

	drop, pass = 0, 0xffffffff // bytes of the packet that are kept
)

// attach has the kernel drop attempts to connect to the socket from addrs, and from nobody else; there is one.
func attach(socket syscall.RawConn, addrs []netip.Addr) error {
	program := compile(addrs)
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]} //nolint:gosec // maxAddrs bounds it
	return control(socket, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog)
	})
}

// detach takes the filter away. The error says that there was none, too.
func detach(socket syscall.RawConn) error {
	return control(socket, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	})
}

func control(socket syscall.RawConn, call func(fd int) error) error {
	var failed error
	if err := socket.Control(func(fd uintptr) { failed = call(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// compile writes the filter in the kernel's classic BPF (bpf(4), Documentation/networking/filter.rst).
func compile(addrs []netip.Addr) []unix.SockFilter {
	var in4, in6 []unix.SockFilter
	for _, addr := range addrs {
		if addr.Is4() {
			a := addr.As4()
			in4 = append(in4, unless(binary.BigEndian.Uint32(a[:]), 1), returns(drop))
			continue
		}
		a := addr.As16()
		in6 = append(in6,
			load(unix.BPF_W, source6), unless(binary.BigEndian.Uint32(a[:4]), 3),
			load(unix.BPF_W, source6+4), unless(binary.BigEndian.Uint32(a[4:8]), 1), returns(drop))
	}
	in4 = append(append([]unix.SockFilter{load(unix.BPF_W, source4)}, in4...), returns(pass))
	program := []unix.SockFilter{
		load(unix.BPF_B, flags), compute(unix.BPF_AND, synOrAck), when(syn, 1), returns(pass),
		load(unix.BPF_B, version), compute(unix.BPF_RSH, 4), when(4, 1), skip(len(in4)),
	}
	return append(append(append(program, in4...), in6...), returns(pass))
}

func load(size uint16, offset int) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_ABS | size, K: uint32(int32(offset))} //nolint:gosec // negative on purpose
}

func compute(operation uint16, k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_K | operation, K: k}
}

// when skips n instructions if what was loaded is k; unless if it is not.
func when(k uint32, n uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: n, K: k}
}

func unless(k uint32, n uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: n, K: k}
}

func skip(n int) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(n)} //nolint:gosec // maxAddrs bounds it
}

func returns(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
}
