package certs

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// writePair writes a certificate with the serial number, and its key.
func writePair(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "chat.example"}, DNSNames: []string{"chat.example"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serial is that of the certificate which a new connection would get.
func serial(t *testing.T, f *Files) int64 {
	t.Helper()
	c, err := f.Config().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf.SerialNumber.Int64()
}

func TestFilesAreReadAgainWhenTheyChange(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	writePair(t, cert, key, 1)
	core, logs := observer.New(zapcore.InfoLevel)
	f, err := NewFiles(cert, key, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		hup := make(chan os.Signal)
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.Watch(ctx, hup)
		}()
		defer func() {
			stop()
			<-done
		}()
		pause := func() {
			<-time.After(lookEvery + time.Second)
			synctest.Wait()
		}
		pause()
		if n := logs.Len(); n != 0 || serial(t, f) != 1 {
			t.Errorf("files that did not change: %d lines in the log, certificate %d", n, serial(t, f))
		}
		writePair(t, cert, key, 2)
		pause()
		if got := serial(t, f); got != 2 {
			t.Errorf("after a change: certificate %d", got)
		}
		write(t, cert, []byte("half a certif"))
		pause()
		pause()
		if got, n := serial(t, f), logs.FilterMessageSnippet("going on with the old one").Len(); got != 2 || n != 1 {
			t.Errorf("after a broken change: certificate %d, %d lines in the log", got, n)
		}
		writePair(t, cert, key, 3)
		hup <- syscall.SIGHUP
		synctest.Wait()
		if got := serial(t, f); got != 3 {
			t.Errorf("after HUP: certificate %d", got)
		}
	})
}

func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := NewFiles(cert, key, zap.NewNop()); err == nil || !strings.Contains(err.Error(), cert) {
		t.Errorf("no file: %v", err)
	}
	writePair(t, cert, key, 1)
	writePair(t, cert, filepath.Join(dir, "other.pem"), 2)
	if _, err := NewFiles(cert, key, zap.NewNop()); err == nil {
		t.Error("a key of another certificate is taken")
	}
}

func TestRedirectLeadsToTLS(t *testing.T) {
	tests := []struct {
		base, port, method, host, path string
		status                         int
		location                       string
	}{
		{"", "443", "GET", "chat.example", "/r/lobby?before=3", 308, "https://chat.example/r/lobby?before=3"},
		{"", "443", "GET", "chat.example:80", "/", 308, "https://chat.example/"},
		{"", "8443", "HEAD", "chat.example:8080", "/", 308, "https://chat.example:8443/"},
		{"", "443", "GET", "[::1]:80", "/", 308, "https://[::1]/"},
		{"https://chat.example", "8443", "GET", "10.0.0.1", "/x", 308, "https://chat.example/x"},
		{"", "443", "GET", "chat.example/@evil.example", "/", 400, ""},
		{"", "443", "GET", "evil.example@chat.example", "/", 400, ""},
		{"", "443", "POST", "chat.example", "/login", 403, ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(tt.method, "http://x"+tt.path, http.NoBody)
		r.Host = tt.host
		w := httptest.NewRecorder()
		Redirect(tt.base, tt.port).ServeHTTP(w, r)
		if w.Code != tt.status || w.Header().Get("Location") != tt.location {
			t.Errorf("%s %s%s: %d to %q, want %d to %q", tt.method, tt.host, tt.path, w.Code, w.Header().Get("Location"), tt.status, tt.location)
		}
	}
	// A path with two slashes at its beginning leads nowhere else.
	r := httptest.NewRequest("GET", "http://x/", http.NoBody)
	r.Host, r.URL.Path = "chat.example", "//evil.example/"
	w := httptest.NewRecorder()
	Redirect("", "443").ServeHTTP(w, r)
	if got := w.Header().Get("Location"); !strings.HasPrefix(got, "https://chat.example/") {
		t.Errorf("//evil.example/ leads to %q", got)
	}
}
