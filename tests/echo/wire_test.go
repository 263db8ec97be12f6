package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(
		m,
		// What the HTTP library leaves to end by itself.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}

// eachDriver runs f against an echo on each driver of sockets.
func eachDriver(t *testing.T, f func(t *testing.T, addr string)) {
	t.Helper()
	for _, mode := range []string{"on", "off"} {
		t.Run("event-loop-"+mode, func(t *testing.T) {
			ctx, stop := context.WithCancel(context.Background())
			ready, done := make(chan net.Addr, 1), make(chan error, 1)
			go func() { done <- run(ctx, "127.0.0.1:0", mode, func(a net.Addr) { ready <- a }) }()
			t.Cleanup(func() {
				stop()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
			select {
			case addr := <-ready:
				f(t, addr.String())
			case err := <-done:
				done <- nil
				if mode == "on" && err != nil && strings.Contains(err.Error(), "no event loops") {
					t.Skip(err)
				}
				t.Fatal(err)
			}
		})
	}
}

// wire is a WebSocket of raw frames.
type wire struct {
	t    *testing.T
	conn *net.TCPConn
	in   *bufio.Reader
}

// dial does the handshake. What is not done within a minute has failed.
func dial(t *testing.T, addr string) *wire {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	l := &wire{t: t, conn: c.(*net.TCPConn), in: bufio.NewReaderSize(c, 64<<10)}
	l.raw([]byte("GET / HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"))
	status, err := l.in.ReadString('\n')
	if err != nil || !strings.Contains(status, " 101 ") {
		t.Fatalf("handshake: %q, %v", status, err)
	}
	for accepted := false; ; {
		header, err := l.in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		accepted = accepted || strings.Contains(header, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
		if strings.Contains(strings.ToLower(header), "extensions") {
			t.Errorf("an extension nobody asked for: %q", header)
		}
		if header == "\r\n" {
			if !accepted {
				t.Error("the key is not answered")
			}
			return l
		}
	}
}

// raw writes bytes at once. That the other side has closed meanwhile is for the reader to find.
func (l *wire) raw(b []byte) { _, _ = l.conn.Write(b) }

// chopped writes bytes in pieces, each a packet of its own as far as we can make one.
func (l *wire) chopped(b []byte, size int) {
	for len(b) > 0 {
		n := min(size, len(b))
		l.raw(b[:n])
		b = b[n:]
	}
}

// Opcodes, and the bit that ends a message.
const (
	opText, opBinary, opClose, opPing, opPong = 0x1, 0x2, 0x8, 0x9, 0xA
	fin                                       = 0x80
)

// frame is a masked frame of a client.
func frame(first byte, payload []byte) []byte {
	b := appendHead(make([]byte, 0, len(payload)+14), first, len(payload))
	b[1] |= 0x80
	mask := [4]byte{0x9d, 0x01, 0xfe, 0x5a}
	b = append(b, mask[:]...)
	at := len(b)
	b = append(b, payload...)
	for i := range payload {
		b[at+i] ^= mask[i&3]
	}
	return b
}

// fragments is a message in frames of size bytes of payload.
func fragments(op byte, payload []byte, size int) []byte {
	var b []byte
	for first := op; ; first = 0 {
		if len(payload) <= size {
			return append(b, frame(fin|first, payload)...)
		}
		b = append(b, frame(first, payload[:size])...)
		payload = payload[size:]
	}
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

func closing(code int, reason string) []byte {
	return frame(fin|opClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...))
}

// read returns the next frame of the server, which is whole and not masked.
func (l *wire) read() (op byte, payload []byte, err error) {
	var b [10]byte
	if _, err := io.ReadFull(l.in, b[:2]); err != nil {
		return 0, nil, err
	}
	first, n := b[0], uint64(b[1])
	if first&0xf0 != fin || n&0x80 != 0 {
		return 0, nil, fmt.Errorf("the server wrote a frame that begins with % x", b[:2])
	}
	switch n {
	case 126:
		_, err = io.ReadFull(l.in, b[:2])
		n = uint64(binary.BigEndian.Uint16(b[:2]))
	case 127:
		_, err = io.ReadFull(l.in, b[:8])
		n = binary.BigEndian.Uint64(b[:8])
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(l.in, payload)
	return first & 0x0f, payload, err
}

// want reads one frame.
func (l *wire) want(op byte, payload []byte) {
	l.t.Helper()
	gotOp, got, err := l.read()
	if err != nil || gotOp != op || !bytes.Equal(got, payload) {
		l.t.Fatalf("read opcode %d with %d bytes %.40q, %v; want opcode %d with %d bytes %.40q", gotOp, len(got), got, err, op, len(payload), payload)
	}
}

// wantClosed reads the close frame, skipping messages that came before it, answers it and waits for the end of the
// connection. Code 0 is a close frame without one.
func (l *wire) wantClosed(codes ...int) {
	l.t.Helper()
	for {
		op, payload, err := l.read()
		if err != nil {
			l.t.Fatalf("the connection ended without a close frame: %v", err)
		}
		if op == opText || op == opBinary {
			continue
		}
		if op != opClose {
			l.t.Fatalf("read opcode %d %q, want a close frame", op, payload)
		}
		code := 0
		if len(payload) >= 2 {
			code = int(binary.BigEndian.Uint16(payload))
		}
		found := false
		for _, c := range codes {
			found = found || c == code
		}
		if !found {
			l.t.Fatalf("close code %d %q, want %v", code, payload[min(2, len(payload)):], codes)
		}
		l.raw(frame(fin|opClose, payload))
		l.wantGone()
		return
	}
}

// wantGone waits until the server has closed the connection: nothing follows, and it does not wait for us.
func (l *wire) wantGone() {
	l.t.Helper()
	n, err := l.in.Read(make([]byte, 1))
	if n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		l.t.Errorf("after the end: %d bytes, %v", n, err)
	}
}

// leave closes in order.
func (l *wire) leave() {
	l.t.Helper()
	l.raw(closing(1000, ""))
	l.want(opClose, []byte{0x03, 0xe8})
	l.wantGone()
}
