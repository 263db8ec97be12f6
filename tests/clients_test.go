package tests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// conn is one WebSocket as the tests see it: everything that arrives is kept in order until it is asked for.
type conn struct {
	t      *testing.T
	ws     *websocket.Conn
	frames chan string // closed at the end; then err is set
	err    error
	seen   []string // the last few frames that were passed over, for the message of a failed test
}

// dial connects to /ws with the query and subprotocol ("" for plain text).
func (s *server) dial(query url.Values, subprotocol string, header http.Header) *conn {
	s.t.Helper()
	c, status, err := s.tryDial(query, subprotocol, header)
	if err != nil {
		s.t.Fatalf("dial /ws?%s: status %d, %v", query.Encode(), status, err)
	}
	return c
}

// tryDial is dial that may be refused: then the status tells how.
func (s *server) tryDial(query url.Values, subprotocol string, header http.Header) (c *conn, status int, err error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	opts := &websocket.DialOptions{HTTPHeader: header}
	if subprotocol != "" {
		opts.Subprotocols = []string{subprotocol}
	}
	address := "ws://" + s.addr + "/ws"
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	ws, resp, err := websocket.Dial(ctx, address, opts) //nolint:bodyclose // the library closes it
	if resp != nil {
		status = resp.StatusCode
	}
	if err != nil {
		return nil, status, err
	}
	if ws.Subprotocol() != subprotocol {
		s.t.Errorf("subprotocol = %q, want %q", ws.Subprotocol(), subprotocol)
	}
	ws.SetReadLimit(-1)
	c = &conn{t: s.t, ws: ws, frames: make(chan string, 1<<15)}
	go c.read()
	s.t.Cleanup(func() { _ = ws.CloseNow() })
	return c, status, nil
}

func (c *conn) read() {
	defer close(c.frames)
	for {
		_, data, err := c.ws.Read(context.Background())
		if err != nil {
			c.err = err
			return
		}
		c.frames <- string(data)
	}
}

// write sends one text frame.
func (c *conn) write(text string) {
	c.t.Helper()
	if err := c.tryWrite(text); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

func (c *conn) tryWrite(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, []byte(text))
}

// next returns the next frame; the test fails when the connection ends first.
func (c *conn) next(what string) string {
	c.t.Helper()
	select {
	case f, ok := <-c.frames:
		if !ok {
			c.t.Fatalf("the connection ended (%v) before %s; before that: %s", c.err, what, strings.Join(c.seen, " | "))
		}
		if c.seen = append(c.seen, tail(f, 300)); len(c.seen) > 8 {
			c.seen = c.seen[1:]
		}
		return f
	case <-time.After(patience):
		c.t.Fatalf("nothing came, waiting for %s; before that: %s", what, strings.Join(c.seen, " | "))
		return ""
	}
}

// await passes over frames until one that contains the text, and returns it.
func (c *conn) await(text string) string {
	c.t.Helper()
	for {
		if f := c.next(fmt.Sprintf("%q", text)); strings.Contains(f, text) {
			return f
		}
	}
}

// ended passes over frames until the end of the connection and returns its code and reason; -1 without a close frame.
func (c *conn) ended() (int, string) {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case f, ok := <-c.frames:
			if ok {
				c.seen = append(c.seen, tail(f, 300))
				continue
			}
			var e websocket.CloseError
			if errors.As(c.err, &e) {
				return int(e.Code), e.Reason
			}
			return -1, c.err.Error()
		case <-deadline:
			c.t.Fatal("the connection does not end")
		}
	}
}

func (c *conn) close() {
	_ = c.ws.Close(websocket.StatusNormalClosure, "")
}

// text dials as a person with plain lines and returns when it is welcomed, with the name it got.
func (s *server) text(name, room string) (c *conn, got string) {
	s.t.Helper()
	q := url.Values{}
	if name != "" {
		q.Set("name", name)
	}
	if room != "" {
		q.Set("room", room)
	}
	c = s.dial(q, "", nil)
	got, ok := strings.CutPrefix(c.next("You are"), "You are ")
	if !ok {
		s.t.Fatalf("the first frame is %q", c.seen)
	}
	return c, got
}

// frame is a frame of govor.v1.json, as the specification has it.
type frame struct {
	Type       string
	Room       string
	Seq        int64
	Target     int64
	ID         string
	Session    string
	Member     string
	Name       string
	Token      string
	From       string
	Text       string
	At         time.Time
	Duplicate  bool
	Reason     string
	After      int64
	Last       int64
	Online     int
	Joined     []string
	Left       []string
	Code       string
	Message    string
	Suggestion string
	Limits     struct{ Text, Unacknowledged int }
	People     []struct{ Member, Name string }
	RetryAfter int64 `json:"retry_after_ms"`
	raw        string
}

// jsonConn is a program that speaks govor.v1.json.
type jsonConn struct {
	*conn
	welcome frame
	held    []frame // passed over by answer
}

// json dials as a program and returns when it is welcomed; no hello has been sent.
func (s *server) json(name, room string) *jsonConn {
	s.t.Helper()
	q := url.Values{}
	if name != "" {
		q.Set("name", name)
	}
	if room != "" {
		q.Set("room", room)
	}
	c := &jsonConn{conn: s.dial(q, "govor.v1.json", nil)}
	c.welcome = c.frame("welcome")
	return c
}

// joined dials as a program that is in the lobby.
func (s *server) joined(name string) *jsonConn {
	s.t.Helper()
	c := s.json(name, "")
	c.send(map[string]any{"type": "hello"})
	c.frame("joined")
	return c
}

// send writes a command.
func (c *jsonConn) send(command any) {
	c.t.Helper()
	b, err := json.Marshal(command)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(string(b))
}

// say sends a message.
func (c *jsonConn) say(id, text string) {
	c.t.Helper()
	c.send(map[string]any{"type": "send", "id": id, "text": text})
}

func (c *jsonConn) parse(s string) frame {
	c.t.Helper()
	f := frame{raw: s}
	if err := json.Unmarshal([]byte(s), &f); err != nil {
		c.t.Fatalf("a frame is not JSON: %v: %s", err, s)
	}
	return f
}

// frame returns the next frame of the type, passing over others.
func (c *jsonConn) frame(kind string) frame {
	c.t.Helper()
	return c.where("a frame "+kind, func(f frame) bool { return f.Type == kind })
}

// where returns the next frame for which the condition holds, passing over others.
func (c *jsonConn) where(what string, holds func(frame) bool) frame {
	c.t.Helper()
	for len(c.held) > 0 {
		f := c.held[0]
		if c.held = c.held[1:]; holds(f) {
			return f
		}
	}
	for {
		if f := c.parse(c.next(what)); holds(f) {
			return f
		}
	}
}

// answer returns the receipt or error for an id; other frames stay to be read.
func (c *jsonConn) answer(id string) frame {
	c.t.Helper()
	var kept []frame
	f := c.where("an answer for "+id, func(f frame) bool {
		if f.ID == id && (f.Type == "ack" || f.Type == "error") {
			return true
		}
		kept = append(kept, f)
		return false
	})
	c.held = append(kept, c.held...)
	return f
}

// message returns the next message, whatever stands between.
func (c *jsonConn) message() frame { c.t.Helper(); return c.frame("message") }

// htmlConn is a page's connection.
type htmlConn struct{ *conn }

// html logs in by the form and dials as the page does.
func (s *server) html(name string) *htmlConn {
	s.t.Helper()
	return s.page(s.login(name))
}

// page dials as the page of whoever the cookie proves.
func (s *server) page(cookie string) *htmlConn {
	s.t.Helper()
	c := &htmlConn{s.dial(nil, "govor.v1.html", http.Header{"Cookie": {cookie}, "Origin": {"http://" + s.addr}})}
	c.element("template", "data-frame", "welcome")
	return c
}

// element passes over frames until one has a top-level element with the name, and the attribute if one is given.
func (c *htmlConn) element(name string, attr ...string) *html.Node {
	c.t.Helper()
	for {
		f := c.next("<" + name + " " + strings.Join(attr, "=") + ">")
		for _, n := range parseFragment(c.t, f) {
			if n.Data == name && (len(attr) == 0 || attribute(n, attr[0]) == attr[1]) {
				return n
			}
		}
	}
}

// message returns the next message as shown: its number, its author and its text.
func (c *htmlConn) message() (seq, name, text string) {
	c.t.Helper()
	li := c.element("li", "data-kind", "message")
	body := find(li, func(n *html.Node) bool { return strings.Contains(attribute(n, "class"), "message__body") })
	if body == nil {
		c.t.Fatal("a message has no body")
	}
	return attribute(li, "data-seq"), attribute(li, "data-name"), strings.TrimSpace(textOf(body))
}

func parseFragment(t *testing.T, s string) []*html.Node {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(s), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		t.Fatalf("a frame is not HTML: %v: %s", err, s)
	}
	return nodes
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func find(n *html.Node, holds func(*html.Node) bool) *html.Node {
	if n.Type == html.ElementNode && holds(n) {
		return n
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if found := find(child, holds); found != nil {
			return found
		}
	}
	return nil
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		b.WriteString(textOf(child))
	}
	return b.String()
}
