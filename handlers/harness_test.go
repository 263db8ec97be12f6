package handlers

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"govor/hub"
	"govor/hub/journal" //nolint:depguard // a hub to test with is made of one
	"govor/hub/socket"
	"govor/hub/store" //nolint:depguard // the same
	"govor/views"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(
		m,
		// What the HTTP library leaves to end by itself: clocks of the program, and a pool's cleaner that sleeps.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp/stackless.funcWorker"),
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1.1"),
	)
}

// site is a server of the whole chat on a port of its own.
type site struct {
	t        testing.TB
	server   *Server
	url      string // http://127.0.0.1:PORT
	host     string
	hub      *hub.Hub
	registry *prometheus.Registry
	logs     *observer.ObservedLogs
}

// newSite starts one; change may be nil.
func newSite(tb testing.TB, change func(*Config, *hub.Limits)) *site {
	tb.Helper()
	return newSiteIn(tb, hub.ModeOpen, change)
}

// serverPassword is that of a site with hub.ModePassword.
const serverPassword = "для своих"

// newSiteIn is newSite in a mode.
func newSiteIn(tb testing.TB, mode hub.Mode, change func(*Config, *hub.Limits)) *site {
	tb.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	log := zap.New(core)
	st, err := store.Open(tb.TempDir(), log)
	if err != nil {
		tb.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	j := journal.NewLocal(st, log, registry)
	v, err := views.New(AssetsPath())
	if err != nil {
		tb.Fatal(err)
	}
	cfg := Config{Views: v, Log: log, Registry: registry, Socket: socket.Limits{}, Metrics: true}
	limits := hub.Limits{PresenceGrace: 10 * time.Millisecond}
	if change != nil {
		change(&cfg, &limits)
	}
	h, err := hub.New(hub.Config{
		Journal: j, Store: st, Log: log, Registry: registry, Secret: []byte(strings.Repeat("s", 32)), Limits: limits,
		Mode: mode, Password: serverPassword,
	})
	if err != nil {
		tb.Fatal(err)
	}
	cfg.Hub = h
	s, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = h.Run(ctx) })
	running.Go(func() { _ = s.Serve(s.Gate(ln)) })
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.Stop(ctx); err != nil {
			tb.Error(err)
		}
		if err := s.Shutdown(ctx); err != nil {
			tb.Error(err)
		}
		stop()
		running.Wait()
		if err := j.Close(); err != nil {
			tb.Error(err)
		}
		if err := st.Close(); err != nil {
			tb.Error(err)
		}
	})
	host := ln.Addr().String()
	return &site{t: tb, server: s, url: "http://" + host, host: host, hub: h, registry: registry, logs: logs}
}

// request is what a test asks, and how.
type request struct {
	method  string // "" = GET, or POST with a body
	path    string
	body    string
	headers map[string]string // Host sets the host
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

// browser follows no redirects, keeps cookies if jar is true, and uses no connection twice.
func (s *site) client(jar bool) *http.Client {
	c := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableKeepAlives: true},
		Timeout:       20 * time.Second,
	}
	if jar {
		c.Jar, _ = cookiejar.New(nil)
	}
	return c
}

func (s *site) ask(c *http.Client, r request) answer {
	s.t.Helper()
	if r.method == "" {
		r.method = http.MethodGet
		if r.body != "" {
			r.method = http.MethodPost
		}
	}
	req, err := http.NewRequestWithContext(s.t.Context(), r.method, s.url+r.path, strings.NewReader(r.body))
	if err != nil {
		s.t.Fatal(err)
	}
	if r.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range r.headers {
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	resp, err := c.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{Response: resp, body: string(body)}
}

// get asks without cookies.
func (s *site) get(path string) answer {
	s.t.Helper()
	return s.ask(s.client(false), request{path: path})
}

// asPage are the headers with which a page of ours sends a form.
func (s *site) asPage() map[string]string {
	return map[string]string{"Origin": s.url, "Accept": "text/html", "Accept-Language": "en"}
}

// login returns a browser in which somebody is logged in.
func (s *site) login(name string) *http.Client {
	s.t.Helper()
	c := s.client(true)
	a := s.ask(c, request{path: "/login", body: url.Values{"name": {name}}.Encode(), headers: s.asPage()})
	if a.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("login as %s: status %d\n%s", name, a.StatusCode, a.body)
	}
	return c
}

// want fails the test unless the status is the wanted one.
func (a answer) want(tb testing.TB, status int) answer {
	tb.Helper()
	if a.StatusCode != status {
		tb.Fatalf("status %d, want %d\n%.500s", a.StatusCode, status, a.body)
	}
	return a
}

// line is a WebSocket as a client sees it.
type line struct {
	t  testing.TB
	ws *websocket.Conn
}

// dial opens /ws with the query; the connection is closed with the test.
func (s *site) dial(query string, c *http.Client, headers map[string]string, subprotocols ...string) *line {
	s.t.Helper()
	ws, refusal := s.tryDial(query, c, headers, subprotocols...)
	if refusal != nil {
		s.t.Fatalf("/ws%s: status %d", query, refusal.status)
	}
	s.t.Cleanup(func() { _ = ws.CloseNow() })
	return &line{s.t, ws}
}

// refusal is the answer to a handshake that was not taken.
type refusal struct {
	status int
	header http.Header
}

func (s *site) tryDial(query string, c *http.Client, headers map[string]string, subprotocols ...string) (*websocket.Conn, *refusal) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	h := http.Header{}
	for name, value := range headers {
		h.Set(name, value)
	}
	if c == nil {
		c = s.client(false)
	}
	ws, resp, err := websocket.Dial(ctx, s.url+"/ws"+query, &websocket.DialOptions{HTTPClient: c, HTTPHeader: h, Subprotocols: subprotocols})
	if resp == nil {
		s.t.Fatalf("/ws%s: %v", query, err)
	}
	if err != nil {
		_ = resp.Body.Close()
		return nil, &refusal{resp.StatusCode, resp.Header}
	}
	return ws, nil
}

func (l *line) read() string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 20*time.Second)
	defer cancel()
	_, data, err := l.ws.Read(ctx)
	if err != nil {
		l.t.Fatalf("read: %v", err)
	}
	return string(data)
}

// until reads up to a frame that contains text and returns it.
func (l *line) until(text string) string {
	l.t.Helper()
	for {
		if frame := l.read(); strings.Contains(frame, text) {
			return frame
		}
	}
}

func (l *line) write(text string) {
	l.t.Helper()
	if err := l.ws.Write(l.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		l.t.Fatalf("write: %v", err)
	}
}
