//go:build linux

// Command floor is the least that a server in Go can do to bring a message to everybody: one write system call per
// member, in a loop, of bytes that are ready. No queue, no framing but that of one known length, no error handling:
// it is what the others are measured by, and good for one room only.
package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"unsafe"
)

var listen = flag.String("listen", "127.0.0.1:9003", "address to listen on")

// crowd is everybody's descriptor. They do not block, and none is ever closed while the program runs.
type crowd struct {
	mu  sync.Mutex // guards the field below
	fds []uintptr
}

func (c *crowd) join(conn *net.TCPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return raw.Control(func(fd uintptr) { c.fds = append(c.fds, fd) })
}

// tell is the floor. RawSyscall because it is the cheapest way to the kernel that Go has.
func (c *crowd) tell(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, fd := range c.fds {
		_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(&frame[0])), uintptr(len(frame)))
	}
}

func (c *crowd) serve(conn *net.TCPConn) error {
	r := bufio.NewReader(conn)
	request, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	h := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if _, err := fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(h[:])); err != nil {
		return err
	}
	if err := c.join(conn); err != nil {
		return err
	}
	frame := make([]byte, 2, 128)
	for {
		header, err := r.Peek(2)
		if err != nil {
			return err
		}
		n := int(header[1] & 0x7f)
		if n > 125 {
			return fmt.Errorf("a message of more than 125 bytes")
		}
		if _, err := r.Discard(6); err != nil { // the mask is 0
			return err
		}
		frame = append(frame[:0], 0x81, byte(n))
		frame = frame[:2+n]
		if _, err := io.ReadFull(r, frame[2:]); err != nil {
			return err
		}
		c.tell(frame)
	}
}

func main() {
	flag.Parse()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	var c crowd
	for {
		conn, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() { _ = c.serve(conn.(*net.TCPConn)) }()
	}
}
