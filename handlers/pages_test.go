package handlers

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/zap/zapcore"

	"govor/hub"
	"govor/hub/protocol"
)

var testAddr = netip.MustParseAddr("192.0.2.7")

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	s := newSite(t, nil)
	asset := regexp.MustCompile(`/static/[^"]+\.css`).FindString(s.get("/").body)
	for _, path := range []string{"/", "/r/lobby", "/nothing", "/ws", "/healthz", "/metrics", "/r/lobby/messages.json", asset} {
		h := s.get(path).Header
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if keep := h.Get("Cache-Control"); (path == asset) != strings.Contains(keep, "immutable") || path != asset && keep != "no-store" {
			t.Errorf("%s: Cache-Control is %q", path, keep)
		}
	}
}

func TestRoomsHaveOneAddress(t *testing.T) {
	s := newSite(t, nil)
	for path, want := range map[string]string{
		"/r/Lobby":               "/r/lobby",
		"/r/%D0%9F%D0%9B?a=1":    "/r/%D0%BF%D0%BB?a=1",
		"/r/e%CC%81/41":          "/r/%C3%A9/41",
		"/r/LOBBY?before=3&x=%D": "/r/lobby?before=3&x=%D",
	} {
		a := s.get(path).want(t, 302)
		if got := a.Header.Get("Location"); got != want {
			t.Errorf("%s leads to %s, want %s", path, got, want)
		}
	}
	for _, path := range []string{"/r/", "/r/a%20b", "/r/$server", "/r/-a", "/r/a%2Fb", "/r/lobby/x", "/r/" + strings.Repeat("a", 33)} {
		s.get(path).want(t, 404)
	}
}

func TestErrorsArePagesForPeopleAndJSONForPrograms(t *testing.T) {
	s := newSite(t, nil)
	if a := s.get("/nothing").want(t, 404); !strings.HasPrefix(a.body, `{"type":"error","code":"not_found"`) {
		t.Errorf("for a program: %s", a.body)
	}
	a := s.ask(s.client(false), request{path: "/nothing", headers: map[string]string{"Accept": "text/html"}}).want(t, 404)
	if !strings.Contains(a.body, `data-page="error"`) {
		t.Errorf("for a browser: %s", a.body)
	}
	s.ask(s.client(false), request{method: "DELETE", path: "/login"}).want(t, 405)
}

func TestPagesOfHistory(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Anna")
	m, err := s.hub.Guest(t.Context(), "ci")
	if err != nil {
		t.Fatal(err)
	}
	for range 120 {
		if _, err := s.hub.Submit(t.Context(), m, testAddr, protocol.Send{Room: "lobby", Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		path        string
		first, last string
		live        string
		older       string
	}{
		{"/r/lobby", "71", "120", "true", "?before=71"},
		{"/r/lobby?before=71", "21", "70", "false", "?before=21"},
		{"/r/lobby?before=21", "1", "20", "false", ""},
		{"/r/lobby/60", "36", "85", "false", "?before=36"},
	}
	number := regexp.MustCompile(`data-seq="(\d+)"`)
	for _, tt := range tests {
		body := s.ask(c, request{path: tt.path}).want(t, 200).body
		log, _, _ := strings.Cut(body[strings.Index(body, `id="log"`):], "</ol>")
		seqs := number.FindAllStringSubmatch(log, -1)
		if len(seqs) == 0 || seqs[0][1] != tt.first || seqs[len(seqs)-1][1] != tt.last {
			t.Errorf("%s shows %v, want %s to %s", tt.path, seqs, tt.first, tt.last)
		}
		if !strings.Contains(body, `data-live="`+tt.live+`"`) || !strings.Contains(body, `data-event="120"`) {
			t.Errorf("%s: data-live is not %s, or data-event not the room's last", tt.path, tt.live)
		}
		if (tt.older == "") == strings.Contains(body, "before=") || !strings.Contains(body, tt.older) {
			t.Errorf("%s: the link to the page before is not %q", tt.path, tt.older)
		}
	}
	s.ask(c, request{path: "/r/lobby?before=x"}).want(t, 400)
}

// What a page is drawn with is asked for before the page has been looked through.
func TestPagesNameTheirStyleSheetInAHeader(t *testing.T) {
	s := newSite(t, nil)
	page := s.get("/")
	sheet := regexp.MustCompile(`<link rel="stylesheet" href="([^"]+)">`).FindStringSubmatch(page.body)
	if sheet == nil || page.Header.Get("Link") != "<"+sheet[1]+">; rel=preload; as=style" {
		t.Errorf("the style sheet is %q, and the header is %q", sheet, page.Header.Get("Link"))
	}
}

func TestPagesAndAssetsAreCompressedForWhoeverTakesIt(t *testing.T) {
	s := newSite(t, nil)
	asset := regexp.MustCompile(`/static/[^"]+\.js`).FindString(s.get("/").body)
	for _, path := range []string{"/", asset} {
		plain := s.ask(s.client(false), request{path: path, headers: map[string]string{"Accept-Encoding": "identity"}})
		if plain.Header.Get("Content-Encoding") != "" || !strings.Contains(plain.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: headers %v", path, plain.Header)
		}
		for accept, want := range map[string]string{"gzip": "gzip", "gzip, deflate, br, zstd": "br", "br;q=0, gzip": "gzip"} {
			short := s.ask(s.client(false), request{path: path, headers: map[string]string{"Accept-Encoding": accept}})
			if got := short.Header.Get("Content-Encoding"); got != want || len(short.body) >= len(plain.body) {
				t.Errorf("%s for %q: coding %q, %d bytes, plain %d", path, accept, got, len(short.body), len(plain.body))
			}
		}
	}
}

// Whoever chooses a part of a page and sees its size must not learn from it how the rest compresses.
func TestPagesThatStrangersAskForAreNotCompressed(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Anna")
	for site, want := range map[string]string{"": "gzip", "none": "gzip", "same-origin": "gzip", "same-site": "", "cross-site": ""} {
		headers := map[string]string{"Accept-Encoding": "gzip"}
		if site != "" {
			headers["Sec-Fetch-Site"] = site
		}
		if got := s.ask(c, request{path: "/r/lobby", headers: headers}).want(t, 200).Header.Get("Content-Encoding"); got != want {
			t.Errorf("asked for from %q: coding %q, want %q", site, got, want)
		}
	}
}

func TestAssetsAreNotSentAgain(t *testing.T) {
	s := newSite(t, nil)
	asset := regexp.MustCompile(`/static/[^"]+\.css`).FindString(s.get("/").body)
	tag := s.get(asset).want(t, 200).Header.Get("ETag")
	again := s.ask(s.client(false), request{path: asset, headers: map[string]string{"If-None-Match": tag}}).want(t, 304)
	if again.body != "" || tag == "" {
		t.Errorf("with the tag %q: %q", tag, again.body)
	}
	s.ask(s.client(false), request{path: asset, headers: map[string]string{"If-None-Match": `"other"`}}).want(t, 200)
}

func TestAssetsOfAnOlderPageAreFoundButNotKept(t *testing.T) {
	s := newSite(t, nil)
	asset := regexp.MustCompile(`/static/[^"]+\.js`).FindString(s.get("/").body)
	a := s.get(strings.Replace(asset, strings.Split(asset, "/")[2], "0123456789ab", 1)).want(t, 200)
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("headers %v", a.Header)
	}
	for _, path := range []string{"/static/x/", "/static/x/../main.go", "/static/x/%2e%2e/embed.go", "/static/x/js"} {
		s.get(path).want(t, 404)
	}
}

func TestMetricsTellRequestsAndRefusals(t *testing.T) {
	s := newSite(t, nil)
	s.get("/healthz")
	s.get("/")
	s.get("/nothing")
	s.ask(s.client(false), request{path: "/login", body: "name=a", headers: map[string]string{"Origin": "null"}}).want(t, 403)
	body := s.get("/metrics").want(t, 200).body
	for _, want := range []string{
		`chat_http_requests_total{method="GET",path="/",status_code="200"} 1`,
		`chat_http_requests_total{method="POST",path="/login",status_code="403"} 1`,
		`chat_refusals_total{reason="origin"} 1`,
		`chat_refusals_total{reason="full"} 0`,
		"chat_active_connections 0",
		"chat_connections_total 0",
		"chat_messages_total 0",
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
	for _, never := range []string{"healthz", "/nothing"} {
		if strings.Contains(body, never) {
			t.Errorf("the metrics have %s", never)
		}
	}
	closed := newSite(t, func(c *Config, _ *hub.Limits) { c.Metrics = false })
	closed.get("/metrics").want(t, 404)
}

// What is asked for moves no cursor of who reads the log: C1 controls are those that JSON does not escape.
func TestPathsInTheLogAreClean(t *testing.T) {
	s := newSite(t, nil)
	c, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST /r/lobby\u009b31m\u202e\xff/messages HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	if _, err := io.ReadAll(c); err != nil {
		t.Fatal(err)
	}
	lines := s.logs.FilterMessage("request refused").All()
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	if got := lines[0].ContextMap()["path"]; got != "/r/lobby\ufffd31m\ufffd\ufffd/messages" {
		t.Errorf("the log has %+q", got)
	}
}

func TestLogsTellNoSecrets(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Anna")
	secret := c.Jar.Cookies(mustURL(s.url))[0].Value
	s.ask(c, request{path: "/r/lobby/messages?name=canary", body: "text=canary&id=x", headers: s.asPage()})
	s.ask(c, request{path: "/ws?name=a:canary"})
	_, _ = s.tryDial("?name=a:canary", nil, map[string]string{"Cookie": "govor=canary"})
	s.ask(c, request{path: "/r/canary%0d%0afake/messages", body: "x"}).want(t, http.StatusBadRequest)
	for _, e := range s.logs.All() {
		for key, value := range e.ContextMap() {
			if text, ok := value.(string); ok && key != "path" && (strings.Contains(text, "canary") || strings.Contains(text, secret)) {
				t.Errorf("log line %q tells %s=%q", e.Message, key, text)
			}
		}
	}
}

func TestAddressesAreCountedByNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "::1": "::1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "2001:db8:1:2::9": "2001:db8:1:2::", "fe80::1%eth0": "fe80::",
	} {
		if got := hub.Counted(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("%s is counted as %s, want %s", addr, got, want)
		}
	}
}

func TestConnectionThatBreaksInARequestIsNobodysError(t *testing.T) {
	s := newSite(t, nil)
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
	for s.logs.FilterMessage("request not read").Len() == 0 {
		if t.Context().Err() != nil || s.logs.FilterLevelExact(zapcore.ErrorLevel).Len() > 0 {
			t.Fatalf("logged %v", s.logs.All())
		}
		runtime.Gosched()
	}
}
