//go:build linux

package generator

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	opMore  = 0
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// maxFrame bounds what a server may send as one frame.
const maxFrame = 1 << 18

// clientFrame appends a frame with the mask 0, which is legal and costs nothing.
func clientFrame(dst []byte, op byte, payload []byte) []byte {
	dst = append(dst, 0x80|op)
	if n := len(payload); n < 126 {
		dst = append(dst, 0x80|byte(n))
	} else {
		dst = append(dst, 0x80|126, byte(n>>8), byte(n))
	}
	dst = append(dst, 0, 0, 0, 0)
	return append(dst, payload...)
}

// final is the bit of the last fragment of a message.
const final = 0x80

// serverFrame finds the first frame in b: its first byte and what it holds; size is 0 if it is not whole yet.
func serverFrame(b []byte) (first byte, payload []byte, size int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	header, length := 2, uint64(b[1])
	switch {
	case b[0]&0x70 != 0:
		return 0, nil, 0, fmt.Errorf("a frame beginning with %#x: reserved bits", b[0])
	case length > 127:
		return 0, nil, 0, fmt.Errorf("a masked frame of a server")
	case length == 126:
		if header = 4; len(b) < header {
			return 0, nil, 0, nil
		}
		length = uint64(binary.BigEndian.Uint16(b[2:]))
	case length == 127:
		if header = 10; len(b) < header {
			return 0, nil, 0, nil
		}
		length = binary.BigEndian.Uint64(b[2:])
	}
	if length > maxFrame {
		return 0, nil, 0, fmt.Errorf("a frame of %d bytes", length)
	}
	if size = header + int(length); len(b) < size {
		return 0, nil, 0, nil
	}
	return b[0], b[header:size], size, nil
}

// consume handles the whole frames in b and returns their length.
func (g *generator) consume(c *conn, b []byte, now int64) int {
	used := 0
	for c.state != dead {
		first, payload, size, err := serverFrame(b[used:])
		if err != nil {
			g.fail(c, err.Error())
			break
		}
		if size == 0 {
			break
		}
		used += size
		switch op := first & 0x0f; op {
		case opText, opMore:
			if g.frames++; first&final == 0 || len(c.parts) > 0 {
				if c.parts = append(c.parts, payload...); first&final == 0 {
					continue
				}
				payload, c.parts = c.parts, nil
			}
			g.received(c, payload, now)
		case opPing:
			g.write(c, clientFrame(nil, opPong, payload))
		case opClose:
			code := 0
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
			}
			g.fail(c, fmt.Sprintf("close frame %d", code))
		case opPong:
		default:
			g.fail(c, fmt.Sprintf("frame of kind %d", op))
		}
	}
	return used
}

var markerEnds = []byte("@@")

// received looks for markers in a frame.
func (g *generator) received(c *conn, p []byte, now int64) {
	if c.state == joining {
		if s := g.spec.Dialect.Stranger; s != "" && c.index < len(g.spec.Cookies) && bytes.Contains(p, []byte(s)) {
			g.fail(c, "the login cookie proves nothing; a seed of another version below tests/out/load is to be removed")
			return
		}
		if bytes.Contains(p, []byte(g.spec.Dialect.Joined)) {
			g.joined(c)
		}
		return
	}
	for {
		_, rest, ok := bytes.Cut(p, markerEnds)
		if !ok {
			return
		}
		var marker []byte
		if marker, p, ok = bytes.Cut(rest, markerEnds); !ok {
			return
		}
		run, rest, _ := bytes.Cut(marker, []byte{':'})
		id, seq, ok := twoNumbers(rest)
		switch {
		case string(run) != g.run || !ok || id >= uint32(len(g.publishers)):
			g.result.Wrong++
		default:
			g.delivered(c, g.publishers[id], seq, now)
		}
	}
}

// twoNumbers reads "12:345".
func twoNumbers(b []byte) (x, y uint32, ok bool) {
	v, colon := [2]uint32{}, 0
	for _, d := range b {
		switch {
		case d >= '0' && d <= '9':
			v[colon] = v[colon]*10 + uint32(d-'0')
		case d == ':' && colon == 0:
			colon = 1
		default:
			return 0, 0, false
		}
	}
	return v[0], v[1], colon == 1
}

// readRaw is read(2) on a socket that never blocks, without telling Go's scheduler.
func readRaw(fd int, b []byte) (int, unix.Errno) {
	n, _, err := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if err != 0 {
		return 0, err
	}
	return int(n), 0
}
