package handlers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"govor/hub"
)

// selfSigned is a certificate of nobody.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Whoever does not finish what is asked for, or does so byte by byte, is cut after the time that a whole request has: not
// before, and not after their last byte. In the program that time is ten seconds.
func TestSlowRequestsAreCut(t *testing.T) {
	const limit = 400 * time.Millisecond
	s := newSite(t, func(c *Config, _ *hub.Limits) { c.ReadTimeout = limit })
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sealed := tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}})
	go func() { _ = s.server.Serve(sealed) }()              // ends when the site is shut down
	hello := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" // the beginning of a ClientHello
	for name, tt := range map[string]struct {
		addr, start, drip string // drip comes byte by byte
	}{
		"nothing":             {s.host, "", ""},
		"half a request line": {s.host, "GET /ws HT", ""},
		"half a handshake":    {s.host, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSo", ""},
		"a header, slowly":    {s.host, "GET /healthz HTTP/1.1\r\nX: ", "x"},
		"a body, slowly":      {s.host, "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", "x"},
		"a body without end":  {s.host, "POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
		"no TLS":              {plain.Addr().String(), "", ""},
		"half a TLS":          {plain.Addr().String(), hello, ""},
		"TLS, slowly":         {plain.Addr().String(), hello, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if took := cutAfter(t, tt.addr, tt.start, tt.drip); took < limit || took > limit+10*time.Second {
				t.Errorf("cut after %v, want %v", took, limit)
			}
		})
	}
}

// Who is cut is told how long a request may take, and each is counted.
func TestSlowRequestsAreToldWhy(t *testing.T) {
	s := newSite(t, func(c *Config, _ *hub.Limits) { c.ReadTimeout = 200 * time.Millisecond })
	c, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSo")
	got, _ := io.ReadAll(c)
	if answer := string(got); !strings.HasPrefix(answer, "HTTP/1.1 408 ") || !strings.Contains(answer, "within 200ms") {
		t.Errorf("the answer is %q", answer)
	}
	page := s.get("/metrics").body
	for _, line := range []string{`chat_limited_total{limit="request-timeout"} 1`, `chat_refusals_total{reason="timeout"} 1`} {
		if !strings.Contains(page, line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
}

// cutAfter sends start at once, drip over and over byte by byte, and returns how long the connection was left open.
func cutAfter(t *testing.T, addr, start, drip string) time.Duration {
	t.Helper()
	began := time.Now()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(began.Add(time.Minute))
	_, _ = io.WriteString(c, start)
	gone := make(chan struct{})
	go func() { // ends with the connection
		defer close(gone)
		_, _ = io.Copy(io.Discard, c)
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for rest := ""; ; {
		select {
		case <-gone:
			return time.Since(began)
		case <-tick.C:
			if rest == "" {
				rest = drip
			}
			if rest != "" {
				_, _ = io.Copy(c, strings.NewReader(rest[:1]))
				rest = rest[1:]
			}
		}
	}
}
