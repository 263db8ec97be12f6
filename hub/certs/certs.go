// Package certs gives the server its certificate: from two files, which are read again when they change, or from an
// authority by ACME, which keeps it in a directory.
package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// protocols is what is spoken over TLS. HTTP/2 is not: WebSockets and the HTTP library are of HTTP/1.1.
func protocols(more ...string) []string { return append([]string{"http/1.1"}, more...) }

// Files is a certificate and its key in two files (PEM). Its methods may be called from any goroutine.
type Files struct {
	// Fixed at construction.
	cert, key string
	log       *zap.Logger

	mu      sync.Mutex // guards the fields below
	current *tls.Certificate
	read    fileTimes // of what current was made of, or of what could not be used
}

// fileTimes say whether files have changed.
type fileTimes struct{ cert, key stamp }

type stamp struct {
	time time.Time
	size int64
}

// NewFiles reads the files. The error is a sentence that names the file.
func NewFiles(cert, key string, log *zap.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log}
	if err := f.Reload(); err != nil {
		return nil, err
	}
	return f, nil
}

// Config is for a listener. Connections that begin after a change get the new certificate.
func (f *Files) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols(),
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.current, nil
		},
	}
}

// Reload reads the files again. What cannot be used changes nothing.
func (f *Files) Reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reloadLocked()
}

func (f *Files) reloadLocked() error {
	f.read = f.times()
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("read the certificate %s and its key %s: %w", f.cert, f.key, err)
	}
	f.current = &pair
	return nil
}

func (f *Files) times() fileTimes { return fileTimes{stampOf(f.cert), stampOf(f.key)} }

// stampOf follows links, which is how certificates are often exchanged; no file is the zero stamp.
func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// lookEvery is how often the files are looked at.
const lookEvery = 10 * time.Second

// Watch reads the files again when they have changed or something comes over now, until ctx ends.
func (f *Files) Watch(ctx context.Context, now <-chan os.Signal) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-now:
			f.look(true)
		case <-tick.C:
			f.look(false)
		}
	}
}

// look reads the files again if they have changed, or anyway.
func (f *Files) look(anyway bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !anyway && f.read == f.times() {
		return
	}
	if err := f.reloadLocked(); err != nil {
		f.log.Error("certificate not read again, going on with the old one", zap.Error(err))
		return
	}
	f.log.Info("certificate read again", zap.Time("valid_until", f.current.Leaf.NotAfter))
}

// Authority gets certificates by ACME. Its methods may be called from any goroutine.
type Authority struct{ manager *autocert.Manager }

// AuthorityConfig is what an Authority is made of.
type AuthorityConfig struct {
	Domains   []string     // for which there are certificates; others are refused
	Dir       string       // keeps account, keys and certificates; only its owner may read it
	Email     string       // optional: whom the authority may write to
	Directory string       // optional: the address of the authority, Let's Encrypt's by default
	Client    *http.Client // optional: for tests
}

// NewAuthority asks for nothing yet: the first connection to a domain does, and waits.
func NewAuthority(cfg AuthorityConfig) (*Authority, error) {
	for _, d := range cfg.Domains {
		if !strings.Contains(d, ".") || strings.ContainsAny(d, "/:*") {
			return nil, fmt.Errorf("%q is not a domain that an authority gives certificates for", d)
		}
	}
	if len(cfg.Domains) == 0 {
		return nil, errors.New("get certificates: there is no domain")
	}
	if cfg.Directory == "" {
		cfg.Directory = autocert.DefaultACMEDirectory
	}
	return &Authority{&autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(cfg.Dir), Email: cfg.Email,
		HostPolicy: autocert.HostWhitelist(cfg.Domains...),
		Client:     &acme.Client{DirectoryURL: cfg.Directory, HTTPClient: cfg.Client, UserAgent: "govor"},
	}}, nil
}

// Config is for a listener; the authority looks there whether the domain is ours (TLS-ALPN-01).
func (a *Authority) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols(acme.ALPNProto), GetCertificate: a.manager.GetCertificate,
	}
}

// Handler answers what the authority asks by plain HTTP (HTTP-01), and leaves the rest to next.
func (a *Authority) Handler(next http.Handler) http.Handler { return a.manager.HTTPHandler(next) }
