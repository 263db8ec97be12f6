// Package front is where people and programs come in: it listens as it is told, speaks TLS if it is told so, and leads plain
// HTTP to it.
package front

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"govor/hub/certs"
	"govor/hub/restart"
)

// Config is what a Front is made of.
type Config struct {
	Listen        []string     // host:port or unix:PATH each, one at least
	SocketMode    os.FileMode  // who may use the file of unix:PATH
	MetricsListen string       // optional: an address of their own
	Metrics       http.Handler // what is served there
	HTTPListen    string       // optional: leads to TLS
	BaseURL       string       // scheme://host[:port] by which people come; "" = by the address they ask for

	// Optional: TLS with a certificate of files, or of an authority for Domains, which excludes them.
	Cert, Key string
	Domains   []string
	ACME      certs.AuthorityConfig // but for Domains

	Log *zap.Logger
}

// SpeaksTLS tells whether the server does so itself.
func (c *Config) SpeaksTLS() bool { return c.Cert != "" || len(c.Domains) > 0 }

// Front is the listeners of a server. Its methods are called by whoever starts and stops the program.
type Front struct {
	// Fixed at construction.
	cfg       Config
	tls       *tls.Config      // nil = it speaks none
	files     *certs.Files     // nil = the certificate is of no files
	authority *certs.Authority // nil = the certificate is of files

	// Fixed by Listen.
	ln      *restart.Listener
	metrics *restart.Listener // nil = on the main one
	plain   *restart.Listener // leads to TLS; nil = there is none
}

// New reads the certificate, if there is one, and listens nowhere yet. The error is a sentence without its dot; with Domains
// it is about how they are written.
func New(cfg Config) (*Front, error) {
	f := &Front{cfg: cfg}
	var err error
	switch {
	case cfg.Cert != "":
		if f.files, err = certs.NewFiles(cfg.Cert, cfg.Key, cfg.Log); err != nil {
			return nil, err
		}
		f.tls = f.files.Config()
	case len(cfg.Domains) > 0:
		acme := cfg.ACME
		acme.Domains = cfg.Domains
		if f.authority, err = certs.NewAuthority(acme); err != nil {
			return nil, err
		}
		f.tls = f.authority.Config()
	}
	return f, nil
}

// Listen takes the addresses. A socket that was handed over comes before Config.Listen. After an error none is taken.
func (f *Front) Listen(getenv func(string) string) (err error) {
	if f.ln, err = restart.Inherit(getenv); err != nil {
		return err
	}
	if f.ln != nil {
		f.cfg.Log.Info("listening on the socket that was handed over, not on --listen", zap.Stringer("address", f.ln.Addr()),
			zap.Int("sockets", len(f.ln.Addrs())), zap.Strings("listen", f.cfg.Listen))
	} else if f.ln, err = f.listenMain(); err != nil {
		return err
	}
	if f.cfg.MetricsListen != "" {
		if f.metrics, err = restart.Listen(f.cfg.MetricsListen, "--metrics-listen"); err != nil {
			return errors.Join(err, f.ln.Close())
		}
	}
	if f.cfg.HTTPListen != "" {
		if f.plain, err = restart.Listen(f.cfg.HTTPListen, "--http-listen"); err != nil {
			return errors.Join(err, f.ln.Close(), f.metrics.Close())
		}
	}
	return nil
}

// listenMain takes Config.Listen.
func (f *Front) listenMain() (*restart.Listener, error) {
	var parts []*restart.Listener
	for _, at := range f.cfg.Listen {
		part, err := f.listenAt(at)
		if err != nil {
			for _, p := range parts {
				_, _ = p.Close(), p.Release()
			}
			return nil, err
		}
		parts = append(parts, part)
	}
	return restart.Join(parts), nil
}

// listenAt takes an address or unix:PATH.
func (f *Front) listenAt(at string) (*restart.Listener, error) {
	if path, ok := strings.CutPrefix(at, restart.UnixPrefix); ok {
		return restart.ListenUnix(path, f.cfg.SocketMode)
	}
	return restart.Listen(at, "--listen")
}

// Listener is the main one, below TLS: that which a restart hands over.
func (f *Front) Listener() *restart.Listener { return f.ln }

// HTTP is what HTTP is served on; gate stands before everything else that is done for a connection. It is called once.
func (f *Front) HTTP(gate func(net.Listener) net.Listener) net.Listener {
	if f.tls == nil {
		return gate(f.ln)
	}
	f.ln.Sealed()
	return tls.NewListener(gate(f.ln), f.tls)
}

// Watch reads the certificate's files again when they change, and on HUP, until ctx ends.
func (f *Front) Watch(ctx context.Context) {
	if f.files == nil {
		return
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	f.files.Watch(ctx, hup)
}

// ServeAside serves what has addresses of its own: the metrics, and the way from plain HTTP to TLS, for connections that
// mayConnect lets in. Shutdown of what it returns ends that, which running waits for.
func (f *Front) ServeAside(running *sync.WaitGroup, mayConnect func(net.Conn) bool) (servers []*http.Server) {
	for _, aside := range []struct {
		ln      *restart.Listener // nil = there is none
		handler http.Handler
		what    string
	}{{f.metrics, f.cfg.Metrics, "metrics"}, {f.plain, f.lead(), "plain HTTP"}} {
		if aside.ln == nil {
			continue
		}
		server := &http.Server{
			Handler: aside.handler, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10,
			ErrorLog: zap.NewStdLog(f.cfg.Log.WithOptions(zap.IncreaseLevel(zap.ErrorLevel))),
		}
		if aside.ln == f.plain {
			server.ConnState = func(c net.Conn, state http.ConnState) {
				if state == http.StateNew && !mayConnect(c) {
					_ = c.Close() // before anything is read from it
				}
			}
		}
		servers = append(servers, server)
		f.cfg.Log.Info("listening", zap.String("what", aside.what), zap.Stringer("address", aside.ln.Addr()))
		running.Go(func() { // ends with Shutdown
			if err := server.Serve(aside.ln); !errors.Is(err, http.ErrServerClosed) {
				f.cfg.Log.Error("no longer served", zap.String("what", aside.what), zap.Error(err))
			}
		})
	}
	return servers
}

// lead is what plain HTTP is answered.
func (f *Front) lead() http.Handler {
	port := ""
	if addr, ok := f.firstTCP(); ok {
		port = fmt.Sprint(addr.Port)
	}
	lead := certs.Redirect(f.cfg.BaseURL, port)
	if f.authority != nil {
		return f.authority.Handler(lead)
	}
	return lead
}

// scheme is that of the server's addresses.
func (f *Front) scheme() string {
	if f.tls == nil {
		return "http"
	}
	return "https"
}

// Where says to people where the server listens.
func (f *Front) Where() string {
	var all []string
	for _, at := range f.ln.Addrs() {
		all = append(all, f.where(at))
	}
	return strings.Join(all, ", ")
}

func (f *Front) where(at net.Addr) string {
	addr, ok := at.(*net.TCPAddr)
	switch {
	case at.Network() == "unix":
		return restart.UnixPrefix + at.String()
	case !ok || !addr.IP.IsUnspecified():
		return f.scheme() + "://" + at.String()
	}
	where := fmt.Sprintf("%s://localhost:%d", f.scheme(), addr.Port)
	if lan := lanAddress(); lan != "" {
		where += fmt.Sprintf(" (for others here: %s://%s)", f.scheme(), net.JoinHostPort(lan, fmt.Sprint(addr.Port)))
	}
	return where
}

// Base is what a link begins with that somebody at this machine can open.
func (f *Front) Base() string {
	switch addr, ok := f.firstTCP(); {
	case f.cfg.BaseURL != "":
		return f.cfg.BaseURL
	case len(f.cfg.Domains) > 0:
		return "https://" + f.cfg.Domains[0]
	case !ok:
		return "http://localhost" // behind a proxy, on a unix socket
	case addr.IP.IsUnspecified():
		return fmt.Sprintf("%s://localhost:%d", f.scheme(), addr.Port)
	default:
		return f.scheme() + "://" + addr.String()
	}
}

// firstTCP is the first address that is none of a file system.
func (f *Front) firstTCP() (*net.TCPAddr, bool) {
	for _, at := range f.ln.Addrs() {
		if addr, ok := at.(*net.TCPAddr); ok {
			return addr, true
		}
	}
	return nil, false
}

// lanAddress is an address under which other machines here may find this one, "" if there is none.
func lanAddress() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsPrivate() {
			return n.IP.String()
		}
	}
	return ""
}
