//go:build linux

package generator

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

type state int8

const (
	dialing state = iota
	upgrading
	joining
	ready
	dead
)

type role int8

const (
	ordinary role = iota
	stuck         // never reads
	slow          // reads little while it is measured
)

// smallBuffer is the receive buffer of those who do not read: what the kernel keeps for them is not what is measured.
const smallBuffer = 4096

// conn is one member.
type conn struct {
	fd    int
	index int
	room  int
	role  role
	state state

	dialed int64
	rest   []byte   // an unfinished frame
	parts  []byte   // an unfinished message
	out    []byte   // what the socket did not take
	next   []uint32 // the sequence expected of each publisher of the room
	gaps   uint64
	took   int64 // bytes, of a slow one
}

// roleOf spreads those who do not read over the crowd.
func (s *Spec) roleOf(i int) role {
	if n := s.Stuck + s.Slow; n > 0 {
		if step := s.Members / n; i%step == step-1 && i/step < n {
			if i/step < s.Stuck {
				return stuck
			}
			return slow
		}
	}
	return ordinary
}

func (g *generator) dial(i int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open socket %d: %w", i, err)
	}
	c := &conn{fd: fd, index: i, room: i % g.spec.Rooms, role: g.spec.roleOf(i), dialed: g.now()}
	for fd >= len(g.byFD) {
		g.byFD = append(g.byFD, make([]*conn, 4096)...)
	}
	g.conns[i], g.byFD[fd] = c, c
	g.connecting++
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	// A reset at the end leaves no port in TIME_WAIT.
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	if c.role != ordinary {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, smallBuffer)
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Port: g.spec.Port, Addr: [4]byte{127, 0, 0, 1}})
	if err != nil && err != unix.EINPROGRESS {
		g.fail(c, "connect: "+err.Error())
		return nil
	}
	ev := unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(fd)}
	return unix.EpollCtl(g.epoll, unix.EPOLL_CTL_ADD, fd, &ev)
}

// watch asks for readability, and for writability while something waits.
func (g *generator) watch(c *conn) {
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)}
	if len(c.out) > 0 {
		ev.Events |= unix.EPOLLOUT
	}
	_ = unix.EpollCtl(g.epoll, unix.EPOLL_CTL_MOD, c.fd, &ev)
}

func (g *generator) writable(c *conn) {
	if c.state == dialing {
		if e, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || e != 0 {
			g.fail(c, "connect: "+unix.Errno(e).Error())
			return
		}
		g.upgrade(c)
		return
	}
	b := c.out
	c.out = nil
	g.write(c, b)
	if c.state != dead && len(c.out) == 0 {
		g.watch(c)
	}
}

// write sends b, now or when the socket takes it.
func (g *generator) write(c *conn, b []byte) {
	if len(c.out) == 0 {
		n, err := unix.Write(c.fd, b)
		if err != nil && !again(err) {
			g.fail(c, "write: "+err.Error())
			return
		}
		if b = b[max(n, 0):]; len(b) == 0 {
			return
		}
	}
	c.out = append(c.out, b...)
	g.watch(c)
}

// One key for everybody: it is no secret, and a proxy between is not to be fooled here.
const key = "dGhlIHNhbXBsZSBub25jZQ=="

var accept = []byte(func() string {
	h := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(h[:])
}())

func (g *generator) upgrade(c *conn) {
	d, b := &g.spec.Dialect, &strings.Builder{}
	host := fmt.Sprintf("127.0.0.1:%d", g.spec.Port)
	fmt.Fprintf(b, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", g.fill(d.Path, c), host)
	fmt.Fprintf(b, "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n", key)
	if d.Subprotocol != "" {
		fmt.Fprintf(b, "Sec-WebSocket-Protocol: %s\r\n", d.Subprotocol)
	}
	if d.Origin {
		fmt.Fprintf(b, "Origin: http://%s\r\n", host)
	}
	if c.index < len(g.spec.Cookies) {
		fmt.Fprintf(b, "Cookie: %s\r\n", g.spec.Cookies[c.index])
	}
	b.WriteString("\r\n")
	c.state = upgrading
	g.watch(c)
	g.write(c, []byte(b.String()))
}

// fill puts a member's name and room into a template.
func (g *generator) fill(template string, c *conn) string {
	return strings.NewReplacer("{name}", g.spec.NamePrefix+strconv.Itoa(c.index),
		"{room}", g.spec.RoomPrefix+strconv.Itoa(c.room)).Replace(template)
}

// upgraded goes on after the 101.
func (g *generator) upgraded(c *conn) {
	c.state = joining
	if d := &g.spec.Dialect; d.Hello != "" {
		g.write(c, clientFrame(nil, opText, []byte(g.fill(d.Hello, c))))
	}
	if c.state != dead && g.spec.Dialect.Joined == "" {
		g.joined(c)
	}
}

func (g *generator) joined(c *conn) {
	c.state = ready
	g.join.add(g.now() - c.dialed)
	g.connected++
	g.connecting--
	c.next = make([]uint32, g.spec.Publishers)
	if c.role == ordinary {
		g.members[c.room]++
		return
	}
	_ = unix.EpollCtl(g.epoll, unix.EPOLL_CTL_DEL, c.fd, nil)
}

// read takes at most limit bytes from a socket.
func (g *generator) read(c *conn, limit int) {
	have := copy(g.buf, c.rest)
	n, err := readRaw(c.fd, g.buf[have:min(len(g.buf), have+limit)])
	switch {
	case err != 0:
		if !again(err) {
			g.fail(c, "read: "+err.Error())
		}
		return
	case n == 0:
		g.fail(c, "end without a close frame")
		return
	}
	g.reads++
	c.took += int64(n)
	b := g.buf[:have+n]
	used := 0
	now := g.now()
	if c.state == upgrading {
		end := bytes.Index(b, []byte("\r\n\r\n"))
		if end < 0 {
			c.rest = append(c.rest[:0], b...)
			return
		}
		used = end + 4
		if head := b[:used]; !bytes.HasPrefix(head, []byte("HTTP/1.1 101")) || !bytes.Contains(head, accept) {
			line, _, _ := bytes.Cut(head, []byte("\r\n"))
			g.fail(c, "handshake: "+string(line))
			return
		}
		g.upgraded(c)
	}
	used += g.consume(c, b[used:], now)
	if c.state != dead {
		c.rest = append(c.rest[:0], b[used:]...)
	}
}
