//go:build unix

package tests

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// writeCertificate writes a certificate of this machine with the serial number, and its key.
func writeCertificate(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// front is an address at which the chat is reached: by TLS, through a proxy or over a socket.
type front struct {
	t      *testing.T
	base   string
	client *http.Client
}

// newFront trusts any certificate, uses no connection twice and follows no redirect.
func newFront(t *testing.T, base string, dial func(ctx context.Context, network, addr string) (net.Conn, error)) front {
	t.Helper()
	return front{t, base, &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, DialContext: dial,
		},
		Timeout: patience,
	}}
}

func (f front) ask(method, path, body string, header ...string) response {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.base+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := f.client.Do(req)
	if err != nil {
		f.t.Fatalf("%s %s%s: %v", method, f.base, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return response{resp.StatusCode, resp.Header, string(b)}
}

// dial opens a WebSocket of plain text.
func (f front) dial(query string, header http.Header) *websocket.Conn {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, f.base+"/ws"+query, &websocket.DialOptions{HTTPClient: f.client, HTTPHeader: header}) //nolint:bodyclose // the library has
	if err != nil {
		f.t.Fatalf("WebSocket at %s: %v", f.base, err)
	}
	f.t.Cleanup(func() { _ = ws.CloseNow() })
	return ws
}

// wantLine reads up to a line that contains text.
func wantLine(t *testing.T, ws *websocket.Conn, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, line, err := ws.Read(ctx)
		if err != nil {
			t.Fatalf("waiting for %q: %v", text, err)
		}
		if strings.Contains(string(line), text) {
			return
		}
	}
}

// talk logs somebody in by the page's form, and lets two WebSockets talk.
func (f front) talk(name, origin, cookie string) {
	f.t.Helper()
	r := f.ask("POST", "/login", "name="+name, "Content-Type", "application/x-www-form-urlencoded", "Origin", origin, "Accept", "text/html")
	set := r.header.Get("Set-Cookie")
	if r.status != http.StatusSeeOther || !strings.HasPrefix(set, cookie+"=") || !strings.Contains(set, "HttpOnly") {
		f.t.Errorf("login: status %d, Set-Cookie %.40q…", r.status, set)
	}
	if secure := strings.Contains(strings.ToLower(set), "secure"); secure != strings.HasPrefix(cookie, "__Host-") {
		f.t.Errorf("cookie %q is secure: %v", cookie, secure)
	}
	if hsts := r.header.Get("Strict-Transport-Security"); (hsts != "") != strings.HasPrefix(origin, "https:") {
		f.t.Errorf("Strict-Transport-Security %q", hsts)
	}
	ivan, oleg := f.dial("?name=Ivan", nil), f.dial("?name=Oleg", nil)
	wantLine(f.t, oleg, "You are Oleg")
	if err := ivan.Write(f.t.Context(), websocket.MessageText, []byte("privet")); err != nil {
		f.t.Fatal(err)
	}
	wantLine(f.t, oleg, "Ivan: privet")
	anna := f.dial("", http.Header{"Cookie": {strings.SplitN(set, ";", 2)[0]}, "Origin": {origin}})
	wantLine(f.t, anna, "You are "+name)
}

// untilRefused asks over one connection after the other, as fast as it can, until one gets no answer.
func untilRefused(t *testing.T, addr string, most int) (answered int) {
	t.Helper()
	for ; answered < most; answered++ {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "GET / HTTP/1.0\r\nHost: x\r\n\r\n")
		got, _ := io.ReadAll(c)
		_ = c.Close()
		if len(got) == 0 {
			return answered
		}
	}
	return answered
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, 1)
	s := launch(t, "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key,
		"--data-dir", t.TempDir(), "--log-format", "json")
	s.addr = s.log.await(t, regexp.MustCompile(`https://(127\.0\.0\.1:\d+)`), s.exited)[1]
	plain := s.log.await(t, regexp.MustCompile(`"listening","what":"plain HTTP","address":"([^"]+)"`), s.exited)[1]
	f := newFront(t, "https://"+s.addr, nil)
	eventually(t, "the program is ready", func() bool { return f.ask("GET", "/readyz", "").status == http.StatusOK })
	f.talk("Anna", "https://"+s.addr, "__Host-govor")

	r := newFront(t, "http://"+plain, nil).ask("GET", "/r/lobby?before=3", "")
	_, port, _ := net.SplitHostPort(s.addr)
	if want := "https://127.0.0.1:" + port + "/r/lobby?before=3"; r.status != http.StatusPermanentRedirect || r.header.Get("Location") != want {
		t.Errorf("plain HTTP: %d to %q, want %q", r.status, r.header.Get("Location"), want)
	}
	if out, err := exec.Command(serverBinary, "healthcheck", "--listen", s.addr, "--tls-cert", cert, "--tls-key", key, "--data-dir", dir).CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v\n%s", err, out)
	}
	if c, err := net.Dial("tcp", s.addr); err == nil { // who does not speak TLS breaks nothing
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}

	if n := untilRefused(t, plain, 5000); n < 200 || n == 5000 {
		t.Errorf("plain HTTP answers %d connections of one address, want some hundreds", n)
	}

	writeCertificate(t, cert, key, 2)
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new certificate is shown", func() bool { return serialAt(t, s.addr) == 2 })

	ws := f.dial("?name=Petr", nil)
	wantLine(t, ws, "You are Petr")
	if err := s.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if _, _, err := ws.Read(ctx); err != nil {
			if code := websocket.CloseStatus(err); code != websocket.StatusServiceRestart {
				t.Errorf("at a restart: close code %d, %v", code, err)
			}
			break
		}
	}
	f.talk("Berta", "https://"+s.addr, "__Host-govor")
	s.stop()
}

// serialAt is the serial number of the certificate that a visitor gets.
func serialAt(t *testing.T, addr string) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "govor.sock")
	for round := range 2 { // the second time, the file of a process that was killed is there
		s := launch(t, "--listen", "unix:"+path, "--socket-mode", "0600", "--data-dir", t.TempDir(), "--log-format", "json")
		s.log.await(t, regexp.MustCompile("open at unix:"), s.exited)
		f := newFront(t, "http://chat.example", func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		})
		eventually(t, "the program is ready", func() bool { return f.ask("GET", "/readyz", "").status == http.StatusOK })
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the socket's file: %v, %v", info, err)
		}
		f.talk("Clara", "http://chat.example", "govor")
		ws := f.dial("?name=Petr", http.Header{"X-Real-Ip": {"192.0.2.77"}})
		wantLine(t, ws, "You are Petr")
		s.log.await(t, regexp.MustCompile(`"name":"Petr".*"remote_addr":"192\.0\.2\.77"`), s.exited)
		_ = ws.CloseNow() // nobody reads it any more, and a restart would wait for its answer
		if out, err := exec.Command(serverBinary, "healthcheck", "--listen", "unix:"+path, "--data-dir", t.TempDir()).CombinedOutput(); err != nil {
			t.Errorf("healthcheck: %v\n%s", err, out)
		}
		if second := launch(t, "--listen", "unix:"+path, "--data-dir", t.TempDir()); second.wait() != 1 {
			t.Error("a second program takes the socket")
		}
		if err := s.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		s.log.await(t, regexp.MustCompile(`(?s)"stopped".*"started"`), s.exited)
		f.talk("Dora", "http://chat.example", "govor")
		if round == 0 {
			s.kill()
			continue
		}
		s.stop()
	}
}

// freePorts returns addresses on which nobody listens at the moment. They are below those that the system gives to connections
// and to whoever asks for any port, so that nobody is given them before they are used.
func freePorts(t *testing.T, n int) (addrs []string) {
	t.Helper()
	var held []net.Listener // until all are found: they differ
	for tries := 0; len(held) < n; tries++ {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+mathrand.IntN(10_000)))
		if err != nil && tries > 100 {
			t.Fatal(err)
		}
		if err == nil {
			held = append(held, ln)
		}
	}
	for _, ln := range held {
		addrs = append(addrs, ln.Addr().String())
		_ = ln.Close()
	}
	return addrs
}
