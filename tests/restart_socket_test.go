//go:build unix

package tests

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// place puts a file there at once, as a package manager does: what runs goes on with the old one.
func place(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// A program that does not run, or settings that are wrong, cancel the restart: nobody notices.
func TestRestartIsCancelled(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile(serverBinary)
	if err != nil {
		t.Fatal(err)
	}
	path, config := filepath.Join(t.TempDir(), "govor"), filepath.Join(t.TempDir(), "settings")
	place(t, path, good)
	place(t, config, []byte("rate = 0\n"))
	s := launchCommand(t, exec.Command(path, "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--log-format", "json", "--config", config))
	s.addr = s.log.await(t, regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`), s.exited)[1]
	s.awaitReady()
	c := s.joined("Иван")
	cancelled := func(says string) {
		t.Helper()
		n := strings.Count(s.log.String(), "restart cancelled")
		s.askRestart()
		eventually(t, "the restart is cancelled", func() bool { return strings.Count(s.log.String(), "restart cancelled") > n })
		if log := s.log.String(); !strings.Contains(log[strings.LastIndex(log, "restart cancelled"):], says) {
			t.Errorf("the log does not say %q", says)
		}
		id := fmt.Sprintf("after-%d", n)
		c.say(id, "никто не заметил")
		if a := c.answer(id); a.Type != "ack" {
			t.Errorf("afterwards: %s", a.raw)
		}
	}
	place(t, path, []byte("#!/bin/sh\necho \"the wrong $1 $2\" >&2\nexit 3\n"))
	cancelled("the wrong version --check-data")
	place(t, path, []byte("not a program"))
	cancelled("run " + path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	cancelled("no such file")
	place(t, path, good)
	place(t, config, []byte("rate = many\n"))
	cancelled("rate")
	place(t, config, []byte("rate = 0\n"))
	s.restart()
	if code, reason := c.ended(); code != 1012 || !strings.HasPrefix(reason, "restart retry-within-ms=") {
		t.Errorf("the connection ended with %d %q, want 1012", code, reason)
	}
	if n := len(s.everything()); n != 4 {
		t.Errorf("%d messages are stored, want 4", n)
	}
}

// withEnv runs the program with variables of its own; $$ in them is the number of its process.
func withEnv(t *testing.T, env string, files []*os.File, args ...string) *server {
	t.Helper()
	cmd := exec.Command("/bin/sh", append([]string{"-c", env + ` exec "$0" "$@"`, serverBinary, "--log-format", "json"}, args...)...)
	cmd.ExtraFiles = files
	return launchCommand(t, cmd)
}

// handOver runs the program with a listening socket, as systemd does.
func handOver(t *testing.T, ln *net.TCPListener, dir string) *server {
	t.Helper()
	f, err := ln.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := withEnv(t, "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=govor.socket", []*os.File{f}, "--listen", "127.0.0.1:1", "--data-dir", dir)
	s.dir, s.addr = dir, ln.Addr().String()
	return s
}

// The socket that systemd holds is served, before --listen, by one process after another; who connects while there is
// none waits.
func TestSocketIsInherited(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ln := l.(*net.TCPListener)
	dir := t.TempDir()
	for range 2 {
		early, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(early, "GET /healthz HTTP/1.0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		s := handOver(t, ln, dir)
		_ = early.SetReadDeadline(time.Now().Add(patience))
		if answer, err := io.ReadAll(early); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
			t.Errorf("who waited for the program got %q, %v", answer, err)
		}
		early.Close()
		s.log.await(t, regexp.MustCompile(`"listening on the socket that was handed over, not on --listen".*"listen":\["127\.0\.0\.1:1"\]`), s.exited)
		s.curl("/r/lobby/messages?name=ci", "привет")
		s.restart()
		s.curl("/r/lobby/messages?name=ci", "и снова")
		s.stop()
	}
	s := handOver(t, ln, dir)
	if n := len(s.everything()); n != 4 {
		t.Errorf("%d messages are stored, want 4", n)
	}
}

// getAt asks for a page at an address of a kind.
func getAt(t *testing.T, network, addr, path string) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}, Timeout: patience}
	resp, err := client.Get("http://localhost" + path)
	if err != nil {
		t.Fatalf("%s %s: %v", network, addr, err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// A server listens on several addresses and sockets, and all of them outlive a restart: who connects to any of them while
// there is no process waits. In the end they are gone.
func TestSeveralAddresses(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "several") //nolint:usetesting // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	first, second := filepath.Join(dir, "1"), filepath.Join(dir, "2")
	s := launch(t, "--listen", "127.0.0.1:0,unix:"+first, "--listen", "127.0.0.2:0", "--listen", "unix:"+second,
		"--data-dir", t.TempDir(), "--log-format", "json")
	m := s.log.await(t, regexp.MustCompile(`open at http://(127\.0\.0\.1:\d+), unix:`+first+`, http://(127\.0\.0\.2:\d+), unix:`+second+`\n`), s.exited)
	s.addr = m[1]
	s.awaitReady()
	all := [][2]string{{"tcp", m[1]}, {"unix", first}, {"tcp", m[2]}, {"unix", second}}
	for round := range 3 {
		for _, at := range all {
			if status := getAt(t, at[0], at[1], "/healthz"); status != http.StatusOK {
				t.Errorf("round %d, %v: status %d", round, at, status)
			}
		}
		if round == 2 {
			break
		}
		stop := make(chan struct{})
		var asking sync.WaitGroup
		for _, at := range all {
			asking.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						getAt(t, at[0], at[1], "/healthz")
					}
				}
			})
		}
		s.restart()
		close(stop)
		asking.Wait()
	}
	s.stop()
	for _, at := range all {
		if c, err := net.Dial(at[0], at[1]); err == nil {
			c.Close()
			t.Errorf("%v is still listened on", at)
		}
	}
}

// systemd may hold several sockets.
func TestSeveralSocketsAreInherited(t *testing.T) {
	t.Parallel()
	var files []*os.File
	var addrs []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files, addrs = append(files, f), append(addrs, l.Addr().String())
	}
	s := withEnv(t, "LISTEN_PID=$$ LISTEN_FDS=2", files, "--data-dir", t.TempDir())
	s.addr = addrs[0]
	s.awaitReady()
	for range 2 {
		for _, addr := range addrs {
			if status := getAt(t, "tcp", addr, "/healthz"); status != http.StatusOK {
				t.Errorf("%s: status %d", addr, status)
			}
		}
		s.restart()
	}
	s.stop()
}

// What is handed over and cannot be served is said; what is meant for another process is left alone.
func TestWrongSocketsAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ env, says string }{
		{"LISTEN_PID=$$ LISTEN_FDS=1 GOVOR_LISTEN_FD=77", "descriptor 77.*no listening socket"},
		{"LISTEN_PID=$$ LISTEN_FDS=2", "descriptor 3.*no listening socket"},
		{"LISTEN_PID=$$ LISTEN_FDS=x", "LISTEN_FDS"},
		{"LISTEN_PID=$$ LISTEN_FDS=1 GOVOR_LISTEN_FD=1", "GOVOR_LISTEN_FD"},
	} {
		s := withEnv(t, tt.env, nil, "--listen", "127.0.0.1:0", "--data-dir", t.TempDir())
		if code := s.wait(); code != 1 || !regexp.MustCompile(tt.says).MatchString(s.log.String()) {
			t.Errorf("%s: exit code %d, want 1 and %q:\n%s", tt.env, code, tt.says, s.log)
		}
	}
	s := withEnv(t, "LISTEN_PID=1 LISTEN_FDS=1", nil, "--listen", "127.0.0.1:0", "--data-dir", t.TempDir())
	s.log.await(t, regexp.MustCompile(`"started"`), s.exited)
	s.stop()
}

// The service manager is told when the program is ready, restarts and stops.
func TestServiceManagerIsTold(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "notify") //nolint:usetesting // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "n")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	s := withEnv(t, "NOTIFY_SOCKET="+path, nil, "--listen", "127.0.0.1:0", "--data-dir", t.TempDir())
	told := func(want string) string {
		t.Helper()
		_ = manager.SetReadDeadline(time.Now().Add(patience))
		buf := make([]byte, 4096)
		n, err := manager.Read(buf)
		got := string(buf[:n])
		if err != nil || !strings.HasPrefix(got, want+"\n") || !strings.Contains(got, fmt.Sprintf("\nMAINPID=%d\n", s.cmd.Process.Pid)) {
			t.Fatalf("the service manager was told %q, %v, want %s", got, err, want)
		}
		return got
	}
	told("READY=1")
	s.askRestart()
	if got := told("RELOADING=1"); !strings.Contains(got, "\nMONOTONIC_USEC=") && runtime.GOOS == "linux" {
		t.Errorf("the service manager was told %q", got)
	}
	told("READY=1")
	s.terminate()
	told("STOPPING=1")
	s.wait()
}
