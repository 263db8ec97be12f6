package tests

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Every answer has its headers, whatever was asked and however it ended: pages, forms, files, refusals and mistakes.
func TestEveryAnswerHasItsHeaders(t *testing.T) {
	t.Parallel()
	plain, secure := start(t, "--no-limits"), start(t, "--no-limits", "--base-url", "https://chat.example")
	want := map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	}
	for _, route := range []struct {
		method, path string
		header       []string
	}{
		{"GET", "/", nil},
		{"GET", "/r/lobby", nil},
		{"GET", "/r/lobby/1", nil},
		{"GET", "/r/lobby/messages.json", nil},
		{"GET", "/nothing", nil},
		{"GET", "/r/a%2fb", nil},
		{"GET", "/r/lobby?before=x", nil},
		{"GET", "/favicon.ico", nil},
		{"GET", "/static/0/css/site.css", nil},
		{"GET", "/static/0/../../etc/passwd", nil},
		{"GET", "/healthz", nil},
		{"GET", "/readyz", nil},
		{"GET", "/metrics", nil},
		{"GET", "/ws", nil},
		{"POST", "/ws", nil},
		{"HEAD", "/", nil},
		{"OPTIONS", "/", nil},
		{"DELETE", "/r/lobby/messages/1", nil},
		{"POST", "/login", nil},
		{"POST", "/logout", nil},
		{"POST", "/login", []string{"Origin", "https://evil.example"}},
		{"POST", "/r/lobby/messages", []string{"Origin", "null"}},
		{"GET", "/debug/pprof/", nil},
		{"TRACE", "/", nil},
	} {
		for _, s := range []*server{plain, secure} {
			for _, accept := range []string{"text/html", "application/json"} {
				r := s.request(route.method, route.path, "", append(route.header, "Accept", accept)...)
				for name, value := range want {
					if got := r.header.Get(name); got != value {
						t.Errorf("%s %s (%d): %s is %q, want %q", route.method, route.path, r.status, name, got, value)
					}
				}
				if csp := r.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
					t.Errorf("%s %s (%d): Content-Security-Policy is %q", route.method, route.path, r.status, csp)
				}
				if p := r.header.Get("Permissions-Policy"); !strings.Contains(p, "camera=()") {
					t.Errorf("%s %s (%d): Permissions-Policy is %q", route.method, route.path, r.status, p)
				}
				if hsts := r.header.Get("Strict-Transport-Security"); (hsts != "") != (s == secure) {
					t.Errorf("%s %s (%d): Strict-Transport-Security is %q", route.method, route.path, r.status, hsts)
				}
				if r.header.Get("Cache-Control") == "" {
					t.Errorf("%s %s (%d): nothing says whether it may be kept", route.method, route.path, r.status)
				}
			}
		}
	}
}

// Requests as no honest client sends them get a refusal or nothing, are one request and not two, and harm nobody else.
func TestRequestsThatAreNotHonest(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	smuggled := "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, raw := range map[string]string{
		"two lengths":           "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nContent-Length: 5\r\n\r\nname=a",
		"length and chunks":     "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"chunks, misspelt":      "POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"negative length":       "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"huge length":           "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
		"huge header":           "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n",
		"many headers":          "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: a\r\n", 20_000) + "\r\n",
		"long path":             "GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"not HTTP":              "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"only line ends":        strings.Repeat("\r\n", 10_000),
		"a line break in front": "GET / HTTP/1.1\r\nHost: x\r\nX\r\n: y\r\n\r\n",
		"upgrade by HTTP/1.0": "GET /ws HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
		"upgrade with a short key": "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Key: YWJj\r\nSec-WebSocket-Version: 13\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(patience))
			go func() { _, _ = io.WriteString(c, raw) }() // ends with the connection
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err == nil {
				defer resp.Body.Close()
				if resp.StatusCode < 400 {
					t.Errorf("status %d", resp.StatusCode)
				}
			}
		})
	}
	if strings.Contains(s.log.String(), "/smuggled") {
		t.Error("what was hidden in a body was taken for a request")
	}
	if r := s.request("GET", "/readyz", ""); r.status != http.StatusOK {
		t.Errorf("after all that: %d %s", r.status, r.body)
	}
}

// Whatever somebody writes where, it makes no line of the log of its own, nor a control sequence in it.
func TestNobodyForgesALineOfTheLog(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits", "--log-level", "debug")
	const forged = "x\r\n{\"level\":\"info\",\"msg\":\"forged\"}\x1b[2J"
	q := url.QueryEscape(forged)
	for _, path := range []string{
		"/?name=" + q, "/r/" + url.PathEscape(forged), "/r/lobby?before=" + q, "/" + url.PathEscape(forged), "/ws?name=" + q + "&room=" + q,
		"/static/" + url.PathEscape(forged) + "/x",
	} {
		s.request("GET", path, "", "Accept", "text/html", "User-Agent", "x\tforged", "Cookie", "govor="+url.QueryEscape(forged))
	}
	s.form("/login", "name="+q+"&room="+q)
	s.curl("/r/lobby/messages?name="+q, "text", "Idempotency-Key", "a b")
	if c, _, err := s.tryDial(url.Values{"name": {forged}, "room": {forged}}, "", nil); err == nil {
		c.close()
	}
	s.request("GET", "/last", "")
	s.stop()
	for _, line := range s.log.lines() {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("a line of the log is no JSON: %q", line)
		} else if fields["msg"] == "forged" {
			t.Errorf("a line of the log is a stranger's: %q", line)
		}
	}
	if log := s.log.String(); strings.ContainsAny(log, "\x1b\r") {
		t.Error("the log has control characters")
	}
}

// A secret that went in by every way there is comes out in no log, no metric and no page of somebody else's.
func TestSecretsComeOutNowhere(t *testing.T) {
	t.Parallel()
	const canary = "kanareyka7e57"
	s := start(t, "--no-limits", "--log-level", "debug")
	cookie := s.login("Anna")
	value := strings.SplitN(strings.SplitN(cookie, ";", 2)[0], "=", 2)[1]
	own := []string{"Cookie", cookie, "Origin", "http://" + s.addr}
	s.curl("/r/secret-room/messages", "text="+canary, own...) // a text
	s.request("GET", "/?q="+canary+"&token="+canary, "", "Accept", "text/html")
	s.request("GET", "/r/lobby?before="+canary, "", "Accept", "text/html")
	s.request("GET", "/", "", "Cookie", "govor="+canary+"; __Host-govor="+canary, "Accept", "text/html")
	s.request("GET", "/metrics?"+canary, "", "Authorization", "Bearer "+canary)
	s.request("GET", "/", "", "Referer", "http://x/?"+canary, "User-Agent", canary, "X-Real-Ip", canary, "X-Forwarded-For", canary)
	s.form("/login", "name=Boris&password="+canary+"&"+canary+"=1")
	s.form("/login", "name=Anna&password="+canary)
	s.curl("/r/lobby/messages?token="+canary, `{"text":"`+canary+`"`, "Content-Type", "application/json")
	s.curl("/r/lobby/messages?name=ci&password="+canary, "", "Origin", "https://evil.example")
	c := s.joined("Робот")
	c.write(`{"type":"hello","token":"` + canary + `"}`)
	c.frame("error")
	c.write(`{"type":"send","id":"bad id","text":"` + canary + `"}`)
	c.frame("error")
	c.write(canary)
	c.frame("error")
	if other, _, err := s.tryDial(url.Values{"name": {"Oleg"}, "password": {canary}, "token": {canary}}, "", nil); err == nil {
		other.close()
	}
	c.close()
	for what, text := range map[string]string{
		"the metrics": s.request("GET", "/metrics", "").body,
		"a page":      s.request("GET", "/", "", "Accept", "text/html").body,
		"the lobby":   s.request("GET", "/r/lobby", "", "Accept", "text/html", "Cookie", s.login("Vera")).body,
	} {
		if strings.Contains(text, canary) || strings.Contains(text, value) {
			t.Errorf("%s has a secret", what)
		}
	}
	s.stop()
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, canary) || strings.Contains(line, value) {
			t.Errorf("the log has a secret: %s", line)
		}
	}
}
