//go:build unix

package tests

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// proxyProgram is the path of a proxy; without it the test is skipped, or fails where it must be there.
func proxyProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("GOVOR_REQUIRE_PROXIES") == "1" {
		t.Fatalf("GOVOR_REQUIRE_PROXIES=1, and there is no %s", name)
	}
	t.Skipf("%s is not installed (GOVOR_REQUIRE_PROXIES=1 makes this a failure)", name)
	return ""
}

// behindProxy starts the program and a proxy with a file of deploy/, in which changes says what is different here, and looks
// whether everything works over TLS: pages, forms, WebSockets, and the client's address as it is.
func behindProxy(t *testing.T, file string, changes func(s *server, dir, plain, sealed string) map[string]string, command func(dir, conf string) *exec.Cmd) {
	t.Helper()
	site, err := os.ReadFile("../deploy/" + file)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, "--trusted-proxies", "127.0.0.1")
	dir := t.TempDir()
	writeCertificate(t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), 1)
	ports := freePorts(t, 2)
	conf := string(site)
	for from, to := range changes(s, dir, ports[0], ports[1]) {
		if !strings.Contains(conf, from) {
			t.Fatalf("deploy/%s has no %q", file, from)
		}
		conf = strings.ReplaceAll(conf, from, to)
	}
	proxy := launchCommand(t, command(dir, conf))
	f := newFront(t, "https://"+ports[1], nil)
	eventually(t, "the proxy answers", func() bool {
		c, err := net.Dial("tcp", ports[1])
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	f.talk("Emma", "https://"+ports[1], "__Host-govor")
	if r := newFront(t, "http://"+ports[0], nil).ask("GET", "/r/lobby", ""); r.status != http.StatusPermanentRedirect {
		t.Errorf("plain HTTP: status %d", r.status)
	}
	ws := f.dial("?name=Petr", http.Header{"X-Real-Ip": {"6.6.6.6"}, "X-Forwarded-For": {"6.6.6.6"}})
	wantLine(t, ws, "You are Petr")
	s.log.await(t, regexp.MustCompile(`"name":"Petr".*"remote_addr":"127\.0\.0\.1"`), s.exited)
	if strings.Contains(s.log.String(), "6.6.6.6") {
		t.Error("an address that the client made up is in the log")
	}
	_ = ws.CloseNow()
	proxy.terminate()
	<-proxy.exited
	s.stop()
}

// write writes a file of the test.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBehindNginx(t *testing.T) {
	t.Parallel()
	nginx := proxyProgram(t, "nginx")
	behindProxy(t, "nginx.conf", func(s *server, dir, plain, sealed string) map[string]string {
		return map[string]string{
			"server 127.0.0.1:8000;": "server " + s.addr + ";", "listen 80;": "listen " + plain + ";",
			"listen 443 ssl;":               "listen " + sealed + " ssl;",
			"/etc/ssl/chat.example.org.pem": filepath.Join(dir, "cert.pem"),
			"/etc/ssl/chat.example.org.key": filepath.Join(dir, "key.pem"),
		}
	}, func(dir, conf string) *exec.Cmd {
		var temp strings.Builder
		for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			temp.WriteString(what + "_temp_path " + filepath.Join(dir, what) + ";\n")
		}
		text := "daemon off; master_process off; pid " + filepath.Join(dir, "pid") + "; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n" + temp.String() + conf + "}\n"
		return exec.Command(nginx, "-e", "stderr", "-c", write(t, filepath.Join(dir, "main.conf"), text))
	})
}

// Caddy would ask an authority for a certificate; here it gets one, and other ports.
func TestBehindCaddy(t *testing.T) {
	t.Parallel()
	caddy := proxyProgram(t, "caddy")
	behindProxy(t, "Caddyfile", func(s *server, dir, plain, sealed string) map[string]string {
		_, httpPort, _ := net.SplitHostPort(plain)
		_, httpsPort, _ := net.SplitHostPort(sealed)
		return map[string]string{
			"chat.example.org {": "{\n\tadmin off\n\thttp_port " + httpPort + "\n\thttps_port " + httpsPort + "\n}\n\nhttps://127.0.0.1 {\n\ttls " +
				filepath.Join(dir, "cert.pem") + " " + filepath.Join(dir, "key.pem"),
			"reverse_proxy 127.0.0.1:8000": "reverse_proxy " + s.addr,
		}
	}, func(dir, conf string) *exec.Cmd {
		return exec.Command(caddy, "run", "--adapter", "caddyfile", "--config", write(t, filepath.Join(dir, "Caddyfile"), conf))
	})
}
