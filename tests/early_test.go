package tests

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// maskedText is a text frame of a client.
func maskedText(text string) []byte {
	b := []byte{0x81, 0x80 | 126}
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	return append(append(b, 0, 0, 0, 0), text...) // a mask of zeros
}

// A client that does not wait for the answer to its handshake loses nothing, however its bytes are cut into packets.
func TestBytesThatComeWithTheHandshakeAreNotLost(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		handshake := fmt.Sprintf("GET /ws?name=early HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", s.addr)
		var lines []string
		for i := range 5 {
			lines = append(lines, fmt.Sprintf("%d %s", i, strings.Repeat("x", 200)))
		}
		stream := []byte(handshake)
		for _, line := range lines {
			stream = append(stream, maskedText(line)...)
		}
		for _, cut := range []int{len(stream), len(handshake) + 1, len(handshake) + 300, len(handshake) - 1, 10} {
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(time.Now().Add(patience))
			for _, part := range [][]byte{stream[:cut], stream[cut:]} {
				if _, err := c.Write(part); err != nil {
					t.Fatal(err)
				}
			}
			expectLines(t, bufio.NewReader(c), lines)
			c.Close()
		}
	}, "--no-limits")
}

// expectLines reads an answer to a handshake, and then messages until all lines have come, in their order.
func expectLines(t *testing.T, in *bufio.Reader, lines []string) {
	t.Helper()
	resp, err := http.ReadResponse(in, nil) //nolint:bodyclose // a 101 has none
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the handshake got %s", resp.Status)
	}
	for len(lines) > 0 {
		var head [2]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			t.Fatalf("%d lines are missing: %v", len(lines), err)
		}
		n := int(head[1])
		if n == 126 {
			var length [2]byte
			if _, err := io.ReadFull(in, length[:]); err != nil {
				t.Fatal(err)
			}
			n = int(binary.BigEndian.Uint16(length[:]))
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(in, payload); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(string(payload), ": "+lines[0]) {
			lines = lines[1:]
		}
	}
}
