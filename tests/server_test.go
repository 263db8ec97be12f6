package tests

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait in these tests. It is long because nothing ever waits for it to end: a test that passes
// never does, one that fails says what it waited for.
const patience = 30 * time.Second

// server is one process of the program.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	args   []string
	dir    string
	addr   string // host:port
	log    *logBuffer
	exited chan struct{} // closed when the process has ended; then code is set
	code   int
}

// start runs the program on a free port with a new data directory, and waits until it is ready.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	return startIn(t, t.TempDir(), "127.0.0.1:0", args...)
}

// startIn runs the program and waits until it is ready.
func startIn(t *testing.T, dir, listen string, args ...string) *server {
	t.Helper()
	s := launch(t, append([]string{"--listen", listen, "--data-dir", dir, "--log-format", "json"}, args...)...)
	s.dir = dir
	m := s.log.await(t, regexp.MustCompile(`http://(?:localhost|127\.0\.0\.1|\[::1\]):(\d+)`), s.exited)
	s.addr = "127.0.0.1:" + m[1]
	s.awaitReady()
	return s
}

// launch runs the program with exactly these arguments and waits for nothing.
func launch(t *testing.T, args ...string) *server {
	t.Helper()
	return launchCommand(t, exec.Command(serverBinary, args...))
}

func launchCommand(t *testing.T, cmd *exec.Cmd) *server {
	t.Helper()
	s := &server{t: t, cmd: cmd, args: cmd.Args[1:], log: newLogBuffer(), exited: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.Env = append(cleanEnv(), "HOME="+t.TempDir())
	s.cmd.WaitDelay = 5 * time.Second
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start the program: %v", err)
	}
	go func() {
		err := s.cmd.Wait()
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit):
			s.code = exit.ExitCode()
		case err != nil:
			s.code = -2
		}
		close(s.exited)
	}()
	t.Cleanup(func() {
		log := s.log.String()
		stacks := ""
		if t.Failed() {
			stacks = s.stacks()
		}
		_ = s.cmd.Process.Kill()
		<-s.exited
		if stacks == "" {
			log = s.log.String()
		}
		s.checkLog(log)
		if t.Failed() {
			t.Logf("log of the program:\n%s\nwhere it was:\n%s", tail(log, 6000), stacks)
		}
	})
	return s
}

// cleanEnv is the environment without what would set the program up.
func cleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case strings.HasPrefix(name, "GOVOR_"), name == "PORT", name == "STATE_DIRECTORY", name == "XDG_STATE_HOME", name == "HOME":
		default:
			env = append(env, kv)
		}
	}
	return env
}

// checkLog fails the test for what must never happen, whatever was tested.
func (s *server) checkLog(log string) {
	for _, never := range []string{"DATA RACE", "panic:", "goroutine 1 [", `"level":"dpanic"`, "concurrent write"} {
		if strings.Contains(log, never) {
			s.t.Errorf("the program's log has %q", never)
		}
	}
}

func (s *server) url(path string) string { return "http://" + s.addr + path }

// awaitReady waits until /readyz says 200.
func (s *server) awaitReady() {
	s.t.Helper()
	eventually(s.t, "the program is ready", func() bool {
		select {
		case <-s.exited:
			s.t.Fatalf("the program ended with %d before it was ready", s.code)
		default:
		}
		resp, err := http.Get(s.url("/readyz"))
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// terminate asks the process to end.
func (s *server) terminate() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatalf("send TERM: %v", err)
	}
}

// wait waits for the process to end and returns its exit code, -1 after a signal.
func (s *server) wait() int {
	s.t.Helper()
	select {
	case <-s.exited:
		return s.code
	case <-time.After(patience):
		s.t.Fatal("the program does not end") // where it hangs is shown then
		return 0
	}
}

// kill ends the process without a chance to finish anything.
func (s *server) kill() {
	s.t.Helper()
	_ = s.cmd.Process.Kill()
	s.wait()
}

// stop ends the process as an operator does and requires that it says so with 0.
func (s *server) stop() {
	s.t.Helper()
	s.terminate()
	if code := s.wait(); code != 0 {
		s.t.Fatalf("exit code after TERM = %d, want 0", code)
	}
}

// again runs the program anew on the same address and data.
func (s *server) again() *server {
	s.t.Helper()
	var extra []string
	for i := 0; i < len(s.args); i++ {
		switch s.args[i] {
		case "--listen", "--data-dir", "--log-format":
			i++
		default:
			extra = append(extra, s.args[i])
		}
	}
	return startIn(s.t, s.dir, s.addr, extra...)
}

// eventually waits until the condition holds. The conditions are asked over the network, so they are asked again after
// a short pause instead of being waited for.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}

// logBuffer holds what a process writes.
type logBuffer struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{} // closed and made anew with every write
}

func newLogBuffer() *logBuffer { return &logBuffer{changed: make(chan struct{})} }

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// lines returns the lines of the log that are JSON.
func (l *logBuffer) lines() []string {
	var lines []string
	for line := range strings.Lines(l.String()) {
		if strings.HasPrefix(line, "{") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// await waits until the log matches and returns the match. A process that ends without it fails the test.
func (l *logBuffer) await(t *testing.T, re *regexp.Regexp, exited <-chan struct{}) []string {
	t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		m := re.FindStringSubmatch(l.buf.String())
		changed := l.changed
		l.mu.Unlock()
		if m != nil {
			return m
		}
		select {
		case <-changed:
		case <-exited:
			if m := re.FindStringSubmatch(l.String()); m != nil {
				return m
			}
			t.Fatalf("the program ended and its log has nothing like %v:\n%s", re, l.String())
		case <-deadline:
			t.Fatalf("the program's log has nothing like %v:\n%s", re, l.String())
		}
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// response is what a request was answered.
type response struct {
	status int
	header http.Header
	body   string
}

// request sends a request as programs do: without Origin, without following redirects.
func (s *server) request(method, path, body string, header ...string) response {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url(path), strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Add(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return response{resp.StatusCode, resp.Header, string(b)}
}

// curl posts a body as `curl -d` does.
func (s *server) curl(path, body string, header ...string) response {
	s.t.Helper()
	return s.request(http.MethodPost, path, body, append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
}

// form posts fields as a form of a page of this server does.
func (s *server) form(path, body string, header ...string) response {
	s.t.Helper()
	return s.curl(path, body, append([]string{"Accept", "text/html", "Origin", "http://" + s.addr, "Sec-Fetch-Site", "same-origin"}, header...)...)
}
