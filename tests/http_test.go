package tests

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// list reads GET /r/lobby/messages.json.
func (s *server) list(query string) []frame {
	s.t.Helper()
	r := s.request("GET", "/r/lobby/messages.json?"+query, "")
	if r.status != http.StatusOK {
		s.t.Fatalf("GET messages.json?%s = %d %s", query, r.status, r.body)
	}
	var page struct{ Messages []frame }
	if err := json.Unmarshal([]byte(r.body), &page); err != nil {
		s.t.Fatalf("messages.json: %v: %s", err, r.body)
	}
	return page.Messages
}

// posted reads the answer to a program's POST.
func posted(t *testing.T, r response) frame {
	t.Helper()
	var f frame
	if err := json.Unmarshal([]byte(r.body), &f); err != nil {
		t.Fatalf("the answer %d is not JSON: %q", r.status, r.body)
	}
	f.raw = r.body
	return f
}

func TestCurlStoresExactlyWhatItSends(t *testing.T) {
	t.Parallel()
	s := start(t)
	reader, _ := s.text("Иван", "")
	const said = "готово: 100% + a=b&c"
	r := s.curl("/r/lobby/messages?name=ci", said)
	if f := posted(t, r); r.status != http.StatusCreated || f.Seq != 1 || f.Room != "lobby" || f.ID == "" {
		t.Errorf("POST = %d %s, want 201 with the number", r.status, r.body)
	}
	if line := reader.await("готово"); line != "ci: "+said {
		t.Errorf("the room has %q", line)
	}
	messages := s.list("after=0")
	if len(messages) != 1 || messages[0].Text != said || messages[0].Seq != 1 || messages[0].From != "ci" {
		t.Errorf("messages.json = %+v", messages)
	}
	if messages := s.list("after=1"); len(messages) != 0 {
		t.Errorf("after=1: %+v", messages)
	}

	// With a field text it is a form, for programs too.
	r = s.curl("/r/lobby/messages?name=ci", "text=a%26b+c")
	if f := posted(t, r); r.status != http.StatusCreated || f.Seq != 2 {
		t.Errorf("POST of a form = %d %s", r.status, r.body)
	}
	reader.await("ci: a&b c")
	// A body that is no form is the message, whatever its type.
	r = s.request("POST", "/r/lobby/messages?name=ci", "раз\nдва", "Content-Type", "text/plain")
	if f := posted(t, r); r.status != http.StatusCreated || f.Seq != 3 {
		t.Errorf("POST of plain text = %d %s", r.status, r.body)
	}
	reader.await("ci: раз\nci: два")
}

func TestHTTPRefusesWithACode(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, tt := range []struct {
		name, path, body string
		status           int
		code             string
	}{
		{"nothing to say", "/r/lobby/messages?name=ci", " ", 400, "empty"},
		{"no body", "/r/lobby/messages?name=ci", "", 400, "empty"},
		{"an empty field", "/r/lobby/messages?name=ci", "text=", 400, "empty"},
		{"not UTF-8", "/r/lobby/messages?name=ci", "a\xff", 400, "bad_text"},
		{"too long", "/r/lobby/messages?name=ci", strings.Repeat("я", 8001), 413, "too_long"},
		{"a bad room", "/r/a%20b/messages?name=ci", "x", 400, "bad_room"},
		{"a bad name", "/r/lobby/messages?name=a%3Ab", "x", 400, "bad_name"},
	} {
		r := s.curl(tt.path, tt.body)
		if f := posted(t, r); r.status != tt.status || f.Code != tt.code || f.Message == "" {
			t.Errorf("%s: %d %s, want %d %s", tt.name, r.status, r.body, tt.status, tt.code)
		}
	}
	if status := s.announce(1 << 20); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a megabyte: %d, want 413", status)
	}
	r := s.curl("/r/lobby/messages?name=ci", "x", "Idempotency-Key", "a b")
	if f := posted(t, r); r.status != 400 || f.Code != "bad_id" {
		t.Errorf("a bad Idempotency-Key: %d %s", r.status, r.body)
	}
	for _, query := range []string{"after=-1", "after=x", "limit=0x", "before=-5"} {
		if r := s.request("GET", "/r/lobby/messages.json?"+query, ""); r.status != http.StatusBadRequest {
			t.Errorf("messages.json?%s = %d, want 400", query, r.status)
		}
	}
	if messages := s.list("after=0"); len(messages) != 0 {
		t.Errorf("something was stored: %+v", messages)
	}
}

// announce sends the head of a request with a body of n bytes, and none of them, and returns the status of the answer.
func (s *server) announce(n int) int {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /r/lobby/messages?name=ci HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", s.addr, n)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// Who is recognised sends again without fear.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := start(t)
	cookie := s.login("Иван")
	post := func(key, text string) response {
		return s.request("POST", "/r/lobby/messages", text, "Idempotency-Key", key, "Cookie", cookie,
			"Origin", "http://"+s.addr, "Content-Type", "text/plain")
	}
	r := post("k-1", "раз")
	if f := posted(t, r); r.status != http.StatusCreated || f.Seq != 1 || f.Duplicate || f.ID != "k-1" {
		t.Errorf("POST = %d %s", r.status, r.body)
	}
	r = post("k-1", "раз")
	if f := posted(t, r); r.status/100 != 2 || f.Seq != 1 || !f.Duplicate {
		t.Errorf("the same again = %d %s, want the first receipt", r.status, r.body)
	}
	r = post("k-1", "два")
	if f := posted(t, r); r.status != http.StatusConflict || f.Code != "id_reused" {
		t.Errorf("another text with the key = %d %s, want 409 id_reused", r.status, r.body)
	}
	if messages := s.list("after=0"); len(messages) != 1 {
		t.Errorf("stored: %+v", messages)
	}
}

func TestHealthAndUnknownAddresses(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if r := s.request("GET", path, ""); r.status != http.StatusOK {
			t.Errorf("GET %s = %d", path, r.status)
		}
	}
	for _, path := range []string{"/nothing", "/static/x/y.js", "/r/lobby/x", "/.git/config", "/static/../go.mod"} {
		if r := s.request("GET", path, ""); r.status != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", path, r.status)
		}
	}
}
