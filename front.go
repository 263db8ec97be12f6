package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"go.uber.org/zap"

	"govor/hub/certs"
	"govor/hub/restart"
)

// front is how the server speaks TLS, if it does.
type front struct {
	// Fixed at construction.
	config    *tls.Config      // nil = it does not
	files     *certs.Files     // nil = the certificate is of no files
	authority *certs.Authority // nil = the certificate is of files
}

func newFront(cfg config, log *zap.Logger) (f front, err error) {
	switch {
	case cfg.TLSCert != "":
		if f.files, err = certs.NewFiles(cfg.TLSCert, cfg.TLSKey, log); err != nil {
			return f, err
		}
		f.config = f.files.Config()
	case len(cfg.TLSDomains) > 0:
		f.authority, err = certs.NewAuthority(certs.AuthorityConfig{
			Domains: cfg.TLSDomains, Dir: filepath.Join(cfg.DataDir, "acme"), Email: cfg.ACMEEmail, Directory: cfg.ACMEDirectory,
		})
		if err != nil {
			return f, &usageError{err.Error() + "."}
		}
		f.config = f.authority.Config()
	}
	return f, nil
}

// over is what HTTP is served on.
func (f front) over(ln *restart.Listener) net.Listener {
	if f.config == nil {
		return ln
	}
	ln.Sealed()
	return tls.NewListener(ln, f.config)
}

// plain is what plain HTTP is answered when TLS is spoken at an address.
func (f front) plain(baseURL string, at net.Addr) http.Handler {
	_, port, _ := net.SplitHostPort(at.String())
	lead := certs.Redirect(baseURL, port)
	if f.authority != nil {
		return f.authority.Handler(lead)
	}
	return lead
}

// scheme is that of the server's addresses.
func (f front) scheme() string {
	if f.config == nil {
		return "http"
	}
	return "https"
}

// watch reads the certificate's files again when they change, and on HUP.
func (f front) watch(ctx context.Context) {
	if f.files == nil {
		return
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	f.files.Watch(ctx, hup)
}
