package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// program is a run of the program in this process.
type program struct {
	t      *testing.T
	stdout *os.File
	stderr *os.File
	stop   context.CancelFunc
	code   chan int
}

// start runs the program; the test ends with it stopped.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{t: t, stdout: tempFile(t), stderr: tempFile(t), code: make(chan int, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.code <- run(ctx, args, env(nil), nil, p.stdout, p.stderr)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return p
}

func tempFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func (p *program) output(f *os.File) string {
	p.t.Helper()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// wait returns the exit code.
func (p *program) wait() int {
	p.t.Helper()
	select {
	case code := <-p.code:
		return code
	case <-time.After(20 * time.Second):
		p.t.Fatalf("the program does not end; it said\n%s", p.output(p.stderr))
		return 0
	}
}

// url waits until the program has said where the chat is.
func (p *program) url() string {
	p.t.Helper()
	return p.said(p.stdout, `open at (http://\S+)`)
}

// said waits until the program has written what the expression finds, and returns its first group.
func (p *program) said(f *os.File, expression string) string {
	p.t.Helper()
	what := regexp.MustCompile(expression)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if m := what.FindStringSubmatch(p.output(f)); m != nil {
			return m[1]
		}
		select {
		case code := <-p.code:
			p.t.Fatalf("exit code %d\n%s", code, p.output(p.stderr))
		case <-tick.C:
		}
	}
	p.t.Fatalf("the program does not say %s", expression)
	return ""
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func TestServeUntilItIsStopped(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	p := start(t, "--listen", "127.0.0.1:0", "--data-dir", dir)
	url := p.url()
	if status, body := get(t, url+"/readyz"); status != 200 {
		t.Errorf("not ready: %s", body)
	}
	addr := strings.TrimPrefix(url, "http://")
	if code := run(t.Context(), []string{"healthcheck", "--listen", addr}, env(nil), nil, p.stdout, p.stderr); code != 0 {
		t.Errorf("healthcheck: exit code %d", code)
	}
	ws, _, err := websocket.Dial(t.Context(), url+"/ws?name=a", nil) //nolint:bodyclose // the library closes it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	if err := ws.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	for got := ""; got != "a: hello"; {
		_, data, err := ws.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = string(data)
	}
	p.stop()
	for err = nil; err == nil; {
		_, _, err = ws.Read(t.Context())
	}
	if websocket.CloseStatus(err) != 1012 {
		t.Errorf("the connection ended with %v, want 1012", err)
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.output(p.stderr))
	}
	if code := run(t.Context(), []string{"healthcheck", "--listen", addr}, env(nil), nil, p.stdout, p.stderr); code != 1 {
		t.Errorf("healthcheck of nobody: exit code %d", code)
	}

	again := start(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", dir)
	if _, body := get(t, again.url()+"/r/lobby/messages.json"); !strings.Contains(body, `"text":"hello"`) {
		t.Errorf("after a restart there is %s", body)
	}
}

func TestStoppingTakesNoLongerThanItIsAllowed(t *testing.T) {
	p := start(t, "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--shutdown-timeout", "2s")
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// A connection that never answers the close frame, and one that never ends its request.
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	half, err := net.Dial("tcp", conn.RemoteAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	fmt.Fprint(half, "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	p.stop()
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.output(p.stderr))
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("stopping took %s", d)
	}
}

func TestMetricsOnAnAddressOfTheirOwn(t *testing.T) {
	p := start(t, "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--metrics-listen", "127.0.0.1:0")
	addr := p.said(p.stderr, `"what":"metrics","address":"([^"]+)"`)
	if status, _ := get(t, p.url()+"/metrics"); status != 404 {
		t.Errorf("on the main address: status %d", status)
	}
	status, body := get(t, "http://"+addr+"/metrics")
	for _, want := range []string{"chat_build_info{", "go_goroutines ", "process_resident_memory_bytes ", "chat_active_connections 0"} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("status %d, and the metrics lack %s", status, want)
		}
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	running := start(t, "--listen", "127.0.0.1:0", "--data-dir", dir)
	running.url()
	file := filepath.Join(t.TempDir(), "file")
	shortSecret := t.TempDir()
	for path, text := range map[string]string{file: "", filepath.Join(shortSecret, "secret"): "short"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"port in use", []string{"--listen", taken.Addr().String(), "--data-dir", t.TempDir()}, 1, "--listen"},
		{"metrics port in use", []string{"--listen", "127.0.0.1:0", "--metrics-listen", taken.Addr().String(), "--data-dir", t.TempDir()}, 1, "--metrics-listen"},
		{"data in use", []string{"--listen", "127.0.0.1:0", "--data-dir", dir}, 1, "in use"},
		{"data directory is a file", []string{"--data-dir", file}, 1, file},
		{"short secret", []string{"--listen", "127.0.0.1:0", "--data-dir", shortSecret}, 1, "secret"},
		{"wrong setting", []string{"--rate", "x"}, 2, "--rate"},
		{"unknown command", []string{"frobnicate"}, 2, `"frobnicate"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, tt.args...)
			if code := p.wait(); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			said := p.output(p.stderr)
			last := said[strings.LastIndex(strings.TrimSuffix(said, "\n"), "\n")+1:]
			if !strings.HasPrefix(last, "govor: ") || !strings.Contains(last, tt.want) {
				t.Errorf("it said %q, want a line with %s", last, tt.want)
			}
		})
	}
}

func TestCommandsThatOnlySaySomething(t *testing.T) {
	for arg, want := range map[string]string{"version": "govor ", "--help": "--data-dir", "help": "--data-dir", "-h": "--data-dir"} {
		p := start(t, arg)
		if code := p.wait(); code != 0 || !strings.Contains(p.output(p.stdout), want) {
			t.Errorf("govor %s: exit code %d, %q", arg, code, p.output(p.stdout))
		}
	}
}
