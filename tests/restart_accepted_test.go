//go:build unix

package tests

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// visitor is one connection over which requests are made by hand.
type visitor struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (s *server) visit() *visitor {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &visitor{s.t, c, bufio.NewReader(c)}
}

func (v *visitor) say(text string) {
	v.t.Helper()
	if _, err := io.WriteString(v, text); err != nil {
		v.t.Fatal(err)
	}
}

func (v *visitor) status(what string) int {
	v.t.Helper()
	resp, err := http.ReadResponse(v.r, nil)
	if err != nil {
		v.t.Errorf("%s: %v", what, err)
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.StatusCode
}

// Whoever was accepted by the process that stops is served, by it or by the next one: with a connection over which nothing
// has come yet, or which waits between two requests, or over which half a request has come.
func TestRestartServesWhomItHasAccepted(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		const request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
		silent, between, half, handshake := s.visit(), s.visit(), s.visit(), s.visit()
		between.say(request)
		if got := between.status("before"); got != http.StatusOK {
			t.Fatalf("before: %d", got)
		}
		half.say(request + request[:20])
		if got := half.status("before the half"); got != http.StatusOK { // then the half has been read, too
			t.Fatalf("before: %d", got)
		}
		n, stopping := s.started(), strings.Count(s.log.String(), `"msg":"stopping"`)
		s.askRestart()
		eventually(t, "it stops", func() bool { return strings.Count(s.log.String(), `"msg":"stopping"`) > stopping })
		half.say(request[20:])
		if got := half.status("half a request"); got != http.StatusOK {
			t.Errorf("half a request is answered with %d", got)
		}
		eventually(t, "the program has restarted", func() bool { return s.started() > n })
		for what, v := range map[string]*visitor{"nothing yet": silent, "between two": between, "after the half": half} {
			v.say(request)
			if got := v.status(what); got != http.StatusOK {
				t.Errorf("%s: %d", what, got)
			}
		}
		handshake.say(fmt.Sprintf("GET /ws?name=late HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", s.addr))
		if got := handshake.status("a handshake"); got != http.StatusSwitchingProtocols {
			t.Errorf("a handshake: %d", got)
		}
		if text, err := readServerFrame(handshake.r); err != nil || text != "You are late" {
			t.Errorf("after the handshake: %q, %v", text, err)
		}
	}, "--no-limits")
}
