package handlers

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"govor/hub"
	"govor/hub/protocol"
)

// said returns the texts of a room.
func (s *site) said(room string) []string {
	s.t.Helper()
	var page struct {
		Messages []struct{ Text string }
	}
	a := s.get("/r/"+url.PathEscape(room)+"/messages.json").want(s.t, 200)
	if err := json.Unmarshal([]byte(a.body), &page); err != nil {
		s.t.Fatalf("%v in %s", err, a.body)
	}
	var texts []string
	for _, m := range page.Messages {
		texts = append(texts, m.Text)
	}
	return texts
}

func TestBodyIsAFormOnlyIfItLooksLikeOne(t *testing.T) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	_ = w.WriteField("text", "multi")
	_ = w.WriteField("id", "m1")
	_ = w.Close()
	const urlencoded = "application/x-www-form-urlencoded"
	tests := []struct {
		name, kind, body string
		text, id         string // id "" = made by the server
	}{
		{"raw by curl", urlencoded, "готово: 100% + a=b&c", "готово: 100% + a=b&c", ""},
		{"raw one word", urlencoded, "готово", "готово", ""},
		{"raw with fields of its own", urlencoded, "a=1&b=2", "a=1&b=2", ""},
		{"raw with text= inside a sentence", urlencoded, "see http://x/?q=1&text=2", "see http://x/?q=1&text=2", ""},
		{"raw, plain", "text/plain; charset=utf-8", "text=not a form", "text=not a form", ""},
		{"raw without a type", "", "сборка 7", "сборка 7", ""},
		{"raw with a line end", urlencoded, "two\nlines\n", "two\nlines", ""},
		{"form by hand", urlencoded, "text=привет&id=x", "привет", "x"},
		{"form by a browser", urlencoded, "id=y&text=%D0%BF+%2B%0D%0A100%25", "п +\n100%", "y"},
		{"form with a bare percent", urlencoded, "text=100% sure", "100% sure", ""},
		{"form, multipart", w.FormDataContentType(), form.String(), "multi", "m1"},
		{"JSON", "application/json", `{"text":"a \"b\"","id":"j1","more":1}`, `a "b"`, "j1"},
	}
	s := newSite(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			room := "room-" + protocol.NewID()[24:]
			a := s.ask(s.client(false), request{path: "/r/" + room + "/messages?name=ci", body: tt.body, headers: map[string]string{"Content-Type": tt.kind}}).want(t, 201)
			var r struct {
				Room, ID  string
				Seq       int64
				Duplicate *bool
			}
			if err := json.Unmarshal([]byte(a.body), &r); err != nil || r.Room != room || r.Seq != 1 || r.Duplicate == nil || *r.Duplicate {
				t.Errorf("receipt %s: %v", a.body, err)
			}
			if tt.id != "" && r.ID != tt.id || r.ID == "" {
				t.Errorf("id %q, want %q", r.ID, tt.id)
			}
			if got := s.said(room); len(got) != 1 || got[0] != tt.text {
				t.Errorf("stored %q, want %q", got, tt.text)
			}
		})
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	s := newSite(t, func(c *Config, l *hub.Limits) { c.MaxText, l.MaxText = 100, 100 })
	tests := []struct {
		name, path, body string
		headers          map[string]string
		status           int
		code             string
	}{
		{"empty", "/r/lobby/messages", "  ", nil, 400, "empty"},
		{"too long", "/r/lobby/messages", strings.Repeat("ж", 101), nil, 413, "too_long"},
		{"not UTF-8", "/r/lobby/messages", "a\xff", nil, 400, "bad_text"},
		{"bad id", "/r/lobby/messages", "text=a&id=a b", nil, 400, "bad_id"},
		{"bad key", "/r/lobby/messages", "a", map[string]string{"Idempotency-Key": "a b"}, 400, "bad_id"},
		{"bad JSON", "/r/lobby/messages", "{", map[string]string{"Content-Type": "application/json"}, 400, "bad_frame"},
		{"bad room", "/r/a%20b/messages", "a", nil, 400, "bad_room"},
		{"the server's room", "/r/$server/messages", "a", nil, 400, "bad_room"},
		{"bad name", "/r/lobby/messages?name=a:b", "a", nil, 400, "bad_name"},
		{"foreign page", "/r/lobby/messages", "a", map[string]string{"Origin": "http://evil.example"}, 403, "forbidden"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := s.ask(s.client(false), request{path: tt.path, body: tt.body, headers: tt.headers}).want(t, tt.status)
			var e struct{ Type, Code, Message string }
			if err := json.Unmarshal([]byte(a.body), &e); err != nil || e.Type != "error" || e.Code != tt.code || e.Message == "" {
				t.Errorf("answer %s: %v, want code %s", a.body, err, tt.code)
			}
		})
	}
	if got := s.said("lobby"); len(got) != 0 {
		t.Errorf("stored %q", got)
	}
}

// A body over the limit of HTTP is refused by its announcement: whoever sends it may have to find that the connection is cut
// before the answer is read, so here nothing of it is sent.
func TestBodyOverTheLimitIsRefusedBeforeItComes(t *testing.T) {
	s := newSite(t, func(c *Config, l *hub.Limits) { c.MaxText, l.MaxText = 100, 100 })
	c, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST /r/lobby/messages HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 70000\r\n\r\n")
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 413 ") || !strings.Contains(head, "\r\nContent-Security-Policy: ") ||
		!strings.Contains(body, `"code":"request_entity_too_large"`) {
		t.Errorf("answered\n%s", answer)
	}
}

func TestFormIsAnsweredWithTheRoom(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Anna")
	a := s.ask(c, request{path: "/r/lobby/messages", body: "text=hello&id=f1", headers: s.asPage()}).want(t, 303)
	if a.Header.Get("Location") != "/r/lobby" {
		t.Errorf("leads to %s", a.Header.Get("Location"))
	}
	page := s.ask(c, request{path: "/r/lobby"}).want(t, 200)
	if !strings.Contains(page.body, "hello") || !strings.Contains(page.body, `data-event="1"`) || !strings.Contains(page.body, `data-event-id="f1"`) {
		t.Errorf("the message is not on the page:\n%.3000s", page.body)
	}
	s.ask(c, request{path: "/r/lobby/messages", body: "text=hello&id=f1", headers: s.asPage()}).want(t, 303) // pressed twice
	if got := s.said("lobby"); len(got) != 1 {
		t.Errorf("stored %q", got)
	}
}

func TestFormThatIsRefusedComesBackWithItsTextAndANewID(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Anna")
	s.ask(c, request{path: "/r/lobby/messages", body: "text=one&id=f1", headers: s.asPage()}).want(t, 303)
	a := s.ask(c, request{path: "/r/lobby/messages", body: "text=another&id=f1", headers: s.asPage()}).want(t, 409)
	if !strings.Contains(a.body, "\nanother</textarea>") {
		t.Errorf("the text is lost:\n%.500s", a.body)
	}
	if strings.Contains(a.body, `value="f1"`) {
		t.Error("the id is the old one")
	}
}

func TestRetryOfAProgramStoresNothing(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("ci")
	headers := map[string]string{"Origin": s.url, "Idempotency-Key": `"k1"`}
	s.ask(c, request{path: "/r/lobby/messages", body: "done", headers: headers}).want(t, 201)
	a := s.ask(c, request{path: "/r/lobby/messages", body: "done", headers: headers}).want(t, 200)
	if a.body != `{"room":"lobby","seq":1,"id":"k1","duplicate":true}`+"\n" {
		t.Errorf("receipt %s", a.body)
	}
}

func TestTokenOfAWelcomeSendsAsItsMember(t *testing.T) {
	s := newSite(t, nil)
	ws, _, err := websocket.Dial(t.Context(), s.url+"/ws?name=ci", &websocket.DialOptions{Subprotocols: []string{"govor.v1.json"}}) //nolint:bodyclose // Dial has no body to close
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	_, frame, err := ws.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var welcome struct{ Token string }
	if err := json.Unmarshal(frame, &welcome); err != nil {
		t.Fatal(err)
	}
	headers := map[string]string{"Authorization": "Bearer " + welcome.Token, "Idempotency-Key": "k1"}
	s.ask(s.client(false), request{path: "/r/lobby/messages", body: "done", headers: headers}).want(t, 201)
	s.ask(s.client(false), request{path: "/r/lobby/messages", body: "done", headers: headers}).want(t, 200)
	if a := s.get("/r/lobby/messages.json"); strings.Count(a.body, `"from":"ci"`) != 1 {
		t.Errorf("history %s", a.body)
	}
	headers["Authorization"] += "x"
	s.ask(s.client(false), request{path: "/r/lobby/messages", body: "done", headers: headers}).want(t, 401)
}

func TestCookieOfAProgramProvesNothing(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Anna")
	s.ask(c, request{path: "/r/lobby/messages", body: "hello"}).want(t, 201)
	if a := s.get("/r/lobby/messages.json"); strings.Contains(a.body, "Anna") {
		t.Errorf("a request without origin wrote as Anna: %s", a.body)
	}
}

func TestBrowserWhoseLoginEndedGetsTheLogin(t *testing.T) {
	s := newSite(t, nil)
	a := s.ask(s.client(true), request{path: "/r/team/messages", body: "text=hello&id=f1", headers: s.asPage()}).want(t, 401)
	if !strings.Contains(a.body, `action="/login"`) || !strings.Contains(a.body, `value="team"`) {
		t.Errorf("not the login of the room:\n%s", a.body)
	}
}

func TestRateOfHTTPSaysWhenToComeBack(t *testing.T) {
	s := newSite(t, func(_ *Config, l *hub.Limits) { l.Rate, l.Burst = 0.05, 1 })
	s.ask(s.client(false), request{path: "/r/lobby/messages", body: "one"}).want(t, 201)
	a := s.ask(s.client(false), request{path: "/r/lobby/messages", body: "two"}).want(t, 429)
	if wait, err := time.ParseDuration(a.Header.Get("Retry-After") + "s"); err != nil || wait < time.Second || wait > 20*time.Second {
		t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
	}
}

func TestHistoryForPrograms(t *testing.T) {
	s := newSite(t, nil)
	for _, text := range []string{"1", "2", "3", "4", "5"} {
		s.ask(s.client(false), request{path: "/r/lobby/messages", body: text}).want(t, 201)
	}
	tests := []struct {
		query string
		want  string
		more  bool
	}{
		{"", "12345", false},
		{"?limit=2", "45", true},
		{"?after=0&limit=2", "12", true},
		{"?after=3", "45", false},
		{"?after=9", "", false},
		{"?before=3", "12", false},
		{"?before=5&limit=2", "34", true},
		{"?limit=100000", "12345", false},
	}
	for _, tt := range tests {
		a := s.get("/r/lobby/messages.json"+tt.query).want(t, 200)
		var page struct {
			Room     string
			Messages []struct {
				Type, Room, Text string
				Seq              int64
			}
			More bool
		}
		if err := json.Unmarshal([]byte(a.body), &page); err != nil {
			t.Fatalf("%v in %s", err, a.body)
		}
		got := ""
		for _, m := range page.Messages {
			got += m.Text
			if m.Type != "message" || m.Room != "lobby" {
				t.Errorf("%s: message %+v", tt.query, m)
			}
		}
		if got != tt.want || page.More != tt.more || page.Room != "lobby" {
			t.Errorf("%q: messages %q, more %v, want %q, %v", tt.query, got, page.More, tt.want, tt.more)
		}
	}
	for _, query := range []string{"?after=x", "?before=-1", "?limit=99999999999999999999"} {
		s.get("/r/lobby/messages.json"+query).want(t, 400)
	}
}
