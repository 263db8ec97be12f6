package handlers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"govor/hub"
	"govor/hub/protocol"
	"govor/hub/socket"
)

func TestThreeFormatsOfOneMessage(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Anna")
	text := s.dial("?name=%D0%98%D0%B2%D0%B0%D0%BD", nil, nil)
	if got := text.read(); got != "You are Иван" {
		t.Errorf("first line %q", got)
	}
	program := s.dial("?name=bot", nil, nil, "govor.v2.json", "govor.v1.json")
	program.until(`"type":"welcome"`)
	page := s.dial("", c, s.asPage(), "govor.v1.html")
	page.until(`data-frame="welcome"`)
	page.write(`{"type":"hello","rooms":{"lobby":{}}}`)
	page.until(`data-frame="joined"`)

	program.write(`{"type":"send","id":"p1","text":"hello"}`)
	if got := text.until("hello"); got != "bot: hello" {
		t.Errorf("text %q", got)
	}
	if got := page.until("hello"); !strings.Contains(got, `data-id="p1"`) {
		t.Errorf("page %q", got)
	}
	text.write("привет")
	program.until(`"from":"Иван","text":"привет"`)
	page.write(`{"type":"send","id":"h1","text":"from the page"}`)
	text.until("Anna: from the page")
	if program.ws.Subprotocol() != "govor.v1.json" || text.ws.Subprotocol() != "" {
		t.Errorf("subprotocols %q and %q", program.ws.Subprotocol(), text.ws.Subprotocol())
	}
}

// opening is a handshake with changes; a value of "-" drops the header.
func opening(host string, changes map[string]string) string {
	h := map[string]string{
		"Host": host, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	}
	line := "GET /ws HTTP/1.1"
	for name, value := range changes {
		if name == "line" {
			line = value
			continue
		}
		h[name] = value
	}
	b := line + "\r\n"
	for name, value := range h {
		if value != "-" {
			b += name + ": " + value + "\r\n"
		}
	}
	return b + "\r\n"
}

func TestHandshakeIsCheckedBeforeTheUpgrade(t *testing.T) {
	s := newSite(t, nil)
	tests := []struct {
		name    string
		changes map[string]string
		want    int
	}{
		{"right", nil, 101},
		{"lower case", map[string]string{"Connection": "keep-alive, upgrade", "Upgrade": "WebSocket"}, 101},
		{"no upgrade", map[string]string{"Connection": "-", "Upgrade": "-"}, 426},
		{"version 8", map[string]string{"Sec-WebSocket-Version": "8"}, 426},
		{"no key", map[string]string{"Sec-WebSocket-Key": "-"}, 400},
		{"short key", map[string]string{"Sec-WebSocket-Key": "YWJj"}, 400},
		{"key that is not base64", map[string]string{"Sec-WebSocket-Key": "****"}, 400},
		{"HTTP/1.0", map[string]string{"line": "GET /ws HTTP/1.0"}, 400},
		{"no host", map[string]string{"Host": "-"}, 400},
		{"POST", map[string]string{"line": "POST /ws HTTP/1.1"}, 405},
		{"foreign origin", map[string]string{"Origin": "http://evil.example"}, 403},
		{"null", map[string]string{"Origin": "null"}, 403},
		{"our origin", map[string]string{"Origin": s.url}, 101},
		{"unknown subprotocol", map[string]string{"Sec-WebSocket-Protocol": "mqtt, soap"}, 400},
		{"JSON", map[string]string{"Sec-WebSocket-Protocol": "mqtt,govor.v1.json"}, 101},
		{"HTML without a login", map[string]string{"Sec-WebSocket-Protocol": "govor.v1.html"}, 401},
		{"bad name", map[string]string{"line": "GET /ws?name=a:b HTTP/1.1"}, 400},
		{"bad room", map[string]string{"line": "GET /ws?room=$server HTTP/1.1"}, 400},
		{"bad history", map[string]string{"line": "GET /ws?history=1001 HTTP/1.1"}, 400},
		{"deflate is not taken", map[string]string{"Sec-WebSocket-Extensions": "permessage-deflate"}, 101},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", s.host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			_, _ = conn.Write([]byte(opening(s.host, tt.changes)))
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.want)
			}
			if resp.Header.Get("Sec-WebSocket-Extensions") != "" {
				t.Error("an extension was agreed to")
			}
			if tt.name == "version 8" && resp.Header.Get("Sec-WebSocket-Version") != "13" {
				t.Error("the version that is spoken is not said")
			}
		})
	}
}

// The answer to the handshake is written by the driver of the socket, not by the HTTP library.
func TestHandshakeIsAnsweredByBothDrivers(t *testing.T) {
	for _, driver := range []string{"portable", "loop"} {
		t.Run(driver, func(t *testing.T) {
			var loops *socket.Loops
			if driver == "loop" {
				var err error
				if loops, err = socket.NewLoops(socket.Limits{}, nil, nil); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(loops.Close)
			}
			s := newSite(t, func(c *Config, _ *hub.Limits) { c.Loops = loops })
			conn, err := net.Dial("tcp", s.host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			_, _ = conn.Write([]byte(opening(s.host, map[string]string{"line": "GET /ws?name=Anna HTTP/1.1"}) + clientFrame("hello")))
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != 101 || resp.Header.Get("Connection") != "Upgrade" || resp.Header.Get("Upgrade") != "websocket" {
				t.Errorf("status %d with %v", resp.StatusCode, resp.Header)
			}
			for _, name := range []string{"Date", "Content-Security-Policy", "X-Content-Type-Options", "Cache-Control"} {
				if resp.Header.Get(name) == "" {
					t.Errorf("no %s", name)
				}
			}
			for _, name := range []string{"Content-Type", "Content-Length", "Transfer-Encoding"} {
				if resp.Header.Get(name) != "" {
					t.Errorf("%s: %s", name, resp.Header.Get(name))
				}
			}
			if got := resp.Header.Get("Sec-Websocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // RFC 6455 §1.3
				t.Errorf("accepted with %q", got)
			}
			for _, want := range []string{"You are Anna", "Anna: hello"} {
				head := make([]byte, 2)
				if _, err := io.ReadFull(r, head); err != nil {
					t.Fatal(err)
				}
				text := make([]byte, head[1])
				if _, err := io.ReadFull(r, text); err != nil || string(text) != want {
					t.Errorf("%q, want %q: %v", text, want, err)
				}
			}
		})
	}
}

func TestCookieCountsForASocketOnlyFromAPageOfOurs(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Anna")
	if got := s.dial("?name=x", c, s.asPage()).read(); got != "You are Anna" {
		t.Errorf("a page of ours: %q", got)
	}
	if got := s.dial("?name=x", c, nil).read(); got != "You are x" {
		t.Errorf("a program: %q", got)
	}
	if _, no := s.tryDial("", c, map[string]string{"Origin": "http://evil.example"}); no == nil || no.status != 403 {
		t.Errorf("a foreign page: %v", no)
	}
}

func TestPlacesAreLimitedAndGivenBack(t *testing.T) {
	s := newSite(t, func(_ *Config, l *hub.Limits) { l.MaxConnectionsPerAddr = 2 })
	first := s.dial("", nil, nil)
	s.dial("", nil, nil)
	if _, no := s.tryDial("", nil, nil); no == nil || no.status != 429 || no.header.Get("Retry-After") == "" {
		t.Fatalf("a third connection: %v", no)
	}
	if err := first.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("close: %v", err)
	}
	for range 500 { // the server has its own work to do after the close frame
		if ws, no := s.tryDial("", nil, nil); no == nil {
			_ = ws.CloseNow()
			return
		}
	}
	t.Error("the place was not given back")
}

func TestPlaceComesBackIfTheUpgradeIsNeverFinished(t *testing.T) {
	s := newSite(t, func(_ *Config, l *hub.Limits) { l.MaxConnectionsPerAddr = 1 })
	lease, err := s.hub.Admit(testAddr)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.hub.Guest(t.Context(), "Anna")
	if err != nil {
		t.Fatal(err)
	}
	session, err := s.hub.Open(hub.SessionParams{Member: m, Format: protocol.Text{}, Room: protocol.RoomLobby})
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(lease, session)
	p.timer.Reset(time.Millisecond) // as if the time were up
	for range 5000 {
		if lease, err := s.hub.Admit(testAddr); err == nil {
			lease.Release()
			if p.take() {
				t.Error("a place that was given back can be taken")
			}
			if s.hub.Online() != 0 {
				t.Error("the session has not ended")
			}
			return
		}
		<-time.After(time.Millisecond)
	}
	t.Error("the place was not given back")
}

func TestServerThatStopsSaysSo(t *testing.T) {
	s := newSite(t, nil)
	l := s.dial("?name=a", nil, nil)
	l.read()
	done := make(chan error, 1)
	go func() { done <- s.hub.Stop(t.Context()) }()
	for {
		_, _, err := l.ws.Read(t.Context())
		if err == nil {
			continue
		}
		if got := websocket.CloseStatus(err); got != 1012 {
			t.Errorf("ended with %d: %v", got, err)
		}
		break
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, no := s.tryDial("", nil, nil); no == nil || no.status != 503 {
		t.Errorf("a connection to a stopping server: %v", no)
	}
	s.get("/readyz").want(t, 503)
}

// The libraries keep connections in pools: whatever writes to one after its handler has returned writes to a stranger.
func TestNothingOfOneConnectionReachesAnother(t *testing.T) {
	churns := 250
	if testing.Short() {
		churns = 25
	}
	s := newSite(t, nil)
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			for i := range churns {
				if !s.churn(fmt.Sprintf("room-%d-%d", w, i)) {
					return
				}
			}
		})
	}
	workers.Wait()
}

// churn connects to a room of its own, fills it with more than it reads, and cuts the connection. Whatever it hears must
// be of that room.
func (s *site) churn(room string) bool {
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		s.t.Error(err)
		return false
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	// The messages come in the same packet as the handshake: nothing of them may be lost either.
	request := opening(s.host, map[string]string{"line": "GET /ws?name=" + room + "&room=" + room + " HTTP/1.1"})
	for i := range 5 {
		request += clientFrame(fmt.Sprintf("%s says %d", room, i))
	}
	if _, err := conn.Write([]byte(request)); err != nil {
		s.t.Error(err)
		return false
	}
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		s.t.Errorf("%s: handshake: %v", room, err)
		return false
	}
	defer resp.Body.Close()
	for range 3 {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			s.t.Errorf("%s: %v", room, err)
			return false
		}
		payload := make([]byte, head[1])
		if _, err := io.ReadFull(r, payload); err != nil {
			s.t.Errorf("%s: %v", room, err)
			return false
		}
		if head[0] != 0x81 || !strings.Contains(string(payload), room) {
			s.t.Errorf("%s heard %q", room, payload)
			return false
		}
	}
	return true
}

// clientFrame is a short text frame, masked with zeros.
func clientFrame(text string) string {
	return string([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}) + text
}
