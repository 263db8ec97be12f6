package handlers

import (
	"bytes"
	packer "compress/gzip"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"govor/hub"
)

// Requests over the rate are refused at once, with a page only where a browser shows it to somebody; files of pages and health are not counted.
func TestRequestsOverTheRateAreRefused(t *testing.T) {
	s := newSite(t, func(c *Config, _ *hub.Limits) { c.RequestRate, c.RequestBurst = 0.01, 3*pageCost })
	for range 3 {
		s.get("/").want(t, http.StatusOK)
	}
	a := s.get("/r/lobby").want(t, http.StatusTooManyRequests)
	if after, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || after < 1 || !strings.Contains(a.body, "too_fast") {
		t.Errorf("Retry-After %q, %s", a.Header.Get("Retry-After"), a.body)
	}
	if a.Header.Get("Content-Security-Policy") == "" {
		t.Error("the refusal has no headers")
	}
	headers := map[string]string{"Accept": "text/html", "Accept-Language": "en", "Sec-Fetch-Mode": "navigate"}
	a = s.ask(s.client(false), request{path: "/r/lobby", headers: headers}).want(t, http.StatusTooManyRequests)
	if !strings.Contains(a.body, `data-page="error"`) || !regexp.MustCompile(`Wait \d+ (s|min) and try again`).MatchString(a.body) || a.Header.Get("Retry-After") == "" {
		t.Errorf("somebody sees %s", a.body)
	}
	shown, began := 0, time.Now()
	for range 20 {
		if a := s.ask(s.client(false), request{path: "/r/lobby", headers: headers}).want(t, http.StatusTooManyRequests); strings.Contains(a.body, "data-page") {
			shown++
		}
	}
	if shown > shownBurst+int(time.Since(began).Seconds()) {
		t.Errorf("a flood is answered with %d pages", shown)
	}
	s.get("/healthz").want(t, http.StatusOK)
	s.get(AssetsPath()+"/js/app.js").want(t, http.StatusOK)
	for range 5 {
		s.get("/")
	}
	if n := s.logs.FilterMessage("too many requests").Len(); n != 1 {
		t.Errorf("%d lines in the log for one thing that goes on", n)
	}
}

// What is dear counts as several requests: a page, and much history.
func TestPagesCountAsMore(t *testing.T) {
	s := newSite(t, func(c *Config, _ *hub.Limits) { c.RequestRate, c.RequestBurst = 0.001, spacedBurst })
	c := s.login("Иван")
	talk := s.dial("?name=bot", nil, nil)
	talk.until("You are bot")
	for i := range pageSize {
		talk.write(strconv.Itoa(i))
		talk.until("bot: " + strconv.Itoa(i))
	}
	left := func() int {
		return int(math.Round(s.server.requests.of(netip.MustParseAddr("127.0.0.1")).all.Tokens()))
	}
	for _, want := range []struct {
		path string
		cost int
	}{{"/r/lobby", pageCost}, {"/help", pageCost}, {"/r/lobby/messages.json", 1 + historyCost}, {"/r/lobby/messages.json?limit=1", 1}, {"/favicon.ico", 1}} {
		before := left()
		s.ask(c, request{path: want.path})
		if got := before - left(); got != want.cost {
			t.Errorf("%s counts as %d requests, want %d", want.path, got, want.cost)
		}
	}
}

// A member who asks for too many pages of rooms waits, and is refused in the end; nobody else is, and nothing else.
func TestPagesOfAMemberAreLimited(t *testing.T) {
	s := newSite(t, func(c *Config, _ *hub.Limits) { c.PageRate = 0.001 })
	ivan, maria := s.login("Иван"), s.login("Мария")
	for range pagesAtOnce {
		s.ask(ivan, request{path: "/r/lobby"}).want(t, http.StatusOK)
	}
	a := s.ask(ivan, request{path: "/r/lobby"}).want(t, http.StatusTooManyRequests)
	if a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "too many pages") {
		t.Errorf("Retry-After %q, %s", a.Header.Get("Retry-After"), a.body)
	}
	headers := map[string]string{"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
	if a := s.ask(ivan, request{path: "/r/design", headers: headers}).want(t, http.StatusTooManyRequests); !strings.Contains(a.body, `data-page="error"`) {
		t.Errorf("somebody sees %s", a.body)
	}
	s.ask(ivan, request{path: "/help"}).want(t, http.StatusOK)
	s.ask(maria, request{path: "/r/lobby"}).want(t, http.StatusOK)
	if n := s.logs.FilterMessage("too many pages").Len(); n != 1 {
		t.Errorf("%d lines in the log for one thing that goes on", n)
	}

	slow := newSite(t, func(c *Config, _ *hub.Limits) { c.PageRate = 10 })
	ivan, began := slow.login("Иван"), time.Now()
	for range pagesAtOnce + 4 {
		slow.ask(ivan, request{path: "/r/lobby"}).want(t, http.StatusOK)
	}
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("%d pages took %v", pagesAtOnce+4, took)
	}
}

// A body that is compressed is refused before it is unpacked, by every door that reads forms.
func TestCompressedBodiesAreRefused(t *testing.T) {
	s := newSite(t, nil)
	var form bytes.Buffer
	w := packer.NewWriter(&form)
	_, _ = io.WriteString(w, "--X\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nИван\r\n--X--\r\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/login", "/logout", "/owner", "/rooms", "/act", "/r/lobby/messages", "/account/password"} {
		for _, coding := range []string{"gzip", "GZIP", "br", "deflate", "identity, gzip"} {
			headers := s.asPage()
			headers["Content-Type"], headers["Content-Encoding"] = "multipart/form-data; boundary=X", coding
			s.ask(s.client(false), request{path: path, body: form.String(), headers: headers}).want(t, http.StatusUnsupportedMediaType)
		}
	}
	headers := s.asPage()
	headers["Content-Encoding"] = "identity"
	s.ask(s.client(false), request{path: "/login", body: "name=Anna", headers: headers}).want(t, http.StatusSeeOther)
}

// What is no method of HTTP is answered once, and the connection ends.
func TestNoMethodIsAnsweredOnce(t *testing.T) {
	s := newSite(t, nil)
	c, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(c, strings.Repeat("gPOST /login HTTP/1.1\r\nHost: x\r\n\r\n", 3))
	answer, _ := io.ReadAll(c) // what was not read may reset the connection
	if n := strings.Count(string(answer), "HTTP/1.1 "); n != 1 || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("%d answers: %q", n, answer)
	}
}

// Connections that ask for nothing are counted by address, and given back when they end or become WebSockets.
func TestIdleConnectionsOfAnAddressAreLimited(t *testing.T) {
	s := newSite(t, func(c *Config, _ *hub.Limits) { c.MaxWaiting = 2 })
	open := func() net.Conn {
		c, err := net.Dial("tcp", s.host)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	answers := func(c net.Conn) bool {
		_, _ = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		n, _ := c.Read(make([]byte, 100))
		return n > 0
	}
	first, second := open(), open()
	if !answers(first) || !answers(second) {
		t.Fatal("two connections are not served")
	}
	if answers(open()) {
		t.Error("a third connection is served")
	}
	_ = first.Close()
	deadline := time.Now().Add(10 * time.Second)
	for !answers(open()) {
		if time.Now().After(deadline) {
			t.Fatal("the place of a connection that ended is not given back")
		}
	}
}

func TestMetricsNeedTheirToken(t *testing.T) {
	const token = "0123456789abcdef"
	s := newSite(t, func(c *Config, _ *hub.Limits) { c.MetricsToken = token })
	admin := httptest.NewServer(Admin(prometheus.NewRegistry(), token, false))
	defer admin.Close()
	for _, tt := range []struct {
		header string
		want   int
	}{
		{"", 401}, {"Bearer", 401}, {"Bearer x", 401}, {token, 401}, {"Bearer " + token + "x", 401}, {"Bearer " + token, 200},
	} {
		headers := map[string]string{"Authorization": tt.header}
		s.ask(s.client(false), request{path: "/metrics", headers: headers}).want(t, tt.want)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, admin.URL+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", tt.header)
		resp, err := admin.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("%q on the listener of the metrics: %d, want %d", tt.header, resp.StatusCode, tt.want)
		}
	}
}

// Profiles are there only when they were asked for, and never on the main listener.
func TestProfilesAreOffByDefault(t *testing.T) {
	for _, profiles := range []bool{false, true} {
		admin := httptest.NewServer(Admin(prometheus.NewRegistry(), "", profiles))
		resp, err := admin.Client().Get(admin.URL + "/debug/pprof/cmdline")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		admin.Close()
		if (resp.StatusCode == http.StatusOK) != profiles {
			t.Errorf("profiles %v: status %d", profiles, resp.StatusCode)
		}
	}
	newSite(t, nil).get("/debug/pprof/cmdline").want(t, http.StatusNotFound)
}

// What a proxy says of the client counts when the proxy is trusted, and then it is right or absent.
func TestClientAddress(t *testing.T) {
	p := newProxies([]string{"10.0.0.0/8", "::1"})
	tests := []struct {
		name            string
		realIP, forward []string
		want            string // "" = absent
	}{
		{"nothing", nil, nil, ""},
		{"X-Real-Ip", []string{"192.0.2.7"}, []string{"1.1.1.1"}, "192.0.2.7"},
		{"X-Real-Ip, mapped", []string{"::ffff:192.0.2.7"}, nil, "192.0.2.7"},
		{"two X-Real-Ip", []string{"192.0.2.7", "1.1.1.1"}, nil, ""},
		{"junk", []string{"<script>"}, []string{"1.1.1.1"}, ""},
		{"X-Forwarded-For", nil, []string{"192.0.2.7"}, "192.0.2.7"},
		{"X-Forwarded-For, forged in front", nil, []string{"6.6.6.6, 192.0.2.7"}, "192.0.2.7"},
		{"X-Forwarded-For through two proxies", nil, []string{"6.6.6.6, 192.0.2.7, 10.1.1.1"}, "192.0.2.7"},
		{"X-Forwarded-For in two headers", nil, []string{"6.6.6.6", "192.0.2.7, 10.1.1.1"}, "192.0.2.7"},
		{"X-Forwarded-For, junk at the end", nil, []string{"192.0.2.7, unknown"}, ""},
		{"X-Forwarded-For, junk in front", nil, []string{"unknown, 192.0.2.7"}, "192.0.2.7"},
		{"only proxies", nil, []string{"10.2.2.2, 10.1.1.1"}, "10.2.2.2"},
		{"IPv6", nil, []string{"2001:db8::7, ::1"}, "2001:db8::7"},
	}
	for _, tt := range tests {
		got := ""
		if addr := p.forwarded(tt.realIP, tt.forward); addr.IsValid() {
			got = addr.String()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
