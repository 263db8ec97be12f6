package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"govor/handlers"
	"govor/hub/restart"
)

// listen takes the addresses. A socket that was handed over comes before --listen.
func (s *server) listen(cfg config, getenv func(string) string) (err error) {
	if s.ln, err = restart.Inherit(getenv); err != nil {
		return err
	}
	if s.ln != nil {
		s.log.Info("listening on the socket that was handed over, not on --listen", zap.Stringer("address", s.ln.Addr()),
			zap.String("listen", cfg.Listen))
	} else if s.ln, err = listenOn(cfg); err != nil {
		return err
	}
	if cfg.MetricsListen != "" {
		if s.metrics, err = restart.Listen(cfg.MetricsListen, "--metrics-listen"); err != nil {
			return errors.Join(err, s.ln.Close())
		}
	}
	if cfg.HTTPListen != "" {
		s.lead = s.front.plain(cfg.BaseURL, s.ln.Addr())
		if s.plain, err = restart.Listen(cfg.HTTPListen, "--http-listen"); err != nil {
			return errors.Join(err, s.ln.Close(), s.metrics.Close())
		}
	}
	return nil
}

// listenOn takes --listen, an address or unix:PATH.
func listenOn(cfg config) (*restart.Listener, error) {
	if path, ok := strings.CutPrefix(cfg.Listen, unixPrefix); ok {
		return restart.ListenUnix(path, cfg.SocketMode)
	}
	return restart.Listen(cfg.Listen, "--listen")
}

// announce says where the chat is, to people.
func (s *server) announce(w io.Writer) {
	scheme := s.front.scheme()
	where := scheme + "://" + s.ln.Addr().String()
	if s.ln.Addr().Network() == "unix" {
		where = unixPrefix + s.ln.Addr().String()
	}
	if addr, ok := s.ln.Addr().(*net.TCPAddr); ok && addr.IP.IsUnspecified() {
		where = fmt.Sprintf("%s://localhost:%d", scheme, addr.Port)
		if lan := lanAddress(); lan != "" {
			where += fmt.Sprintf(" (for others here: %s://%s)", scheme, net.JoinHostPort(lan, fmt.Sprint(addr.Port)))
		}
	}
	_, _ = fmt.Fprintf(w, "The chat is open at %s\nIts messages are in %s\n", where, s.store.Path())
	s.log.Info("started", zap.String("version", versionName()), zap.Stringer("address", s.ln.Addr()), zap.String("data", s.store.Path()), zap.Bool("event_loops", s.loops != nil))
	s.restarts.Tell(restart.Ready, where)
}

// offerOwnership prints the link by which somebody becomes the owner, while there is none. It goes to the console only: the
// log holds no secrets.
func (s *server) offerOwnership(w io.Writer, cfg config) {
	key := s.hub.NewOwnerKey(cfg.OwnerLink)
	if key == "" {
		return
	}
	base := cfg.BaseURL
	switch addr, ok := s.ln.Addr().(*net.TCPAddr); {
	case base != "":
	case len(cfg.TLSDomains) > 0:
		base = "https://" + cfg.TLSDomains[0]
	case !ok:
		base = "http://localhost" // behind a proxy, on a unix socket
	case addr.IP.IsUnspecified():
		base = fmt.Sprintf("%s://localhost:%d", s.front.scheme(), addr.Port)
	default:
		base = s.front.scheme() + "://" + addr.String()
	}
	sentence := "Nobody owns this chat yet. Whoever opens this link can become its owner, once:"
	if cfg.OwnerLink {
		sentence = "Whoever opens this link can become an owner, once:"
	}
	_, _ = fmt.Fprintf(w, "%s\n  %s\n", sentence, base+handlers.OwnerPath(key))
	s.log.Info("a link that makes an owner was printed to the console")
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

// serveAside serves what has addresses of its own: /metrics, and the way from plain HTTP to TLS.
func (s *server) serveAside(running *sync.WaitGroup) (servers []*http.Server) {
	for _, aside := range []struct {
		ln      *restart.Listener // nil = there is none
		handler http.Handler
		what    string
	}{{s.metrics, s.admin, "metrics"}, {s.plain, s.lead, "plain HTTP"}} {
		if aside.ln == nil {
			continue
		}
		server := &http.Server{
			Handler: aside.handler, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10,
			ErrorLog: zap.NewStdLog(s.log.WithOptions(zap.IncreaseLevel(zap.ErrorLevel))),
		}
		servers = append(servers, server)
		s.log.Info("listening", zap.String("what", aside.what), zap.Stringer("address", aside.ln.Addr()))
		running.Go(func() { // ends with Shutdown
			if err := server.Serve(aside.ln); !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("no longer served", zap.String("what", aside.what), zap.Error(err))
			}
		})
	}
	return servers
}

// healthcheck asks the server with these settings whether it is ready.
func healthcheck(ctx context.Context, args []string, getenv func(string) string) error {
	cfg, err := parseConfig(args, getenv)
	if err != nil {
		return err
	}
	client, url, err := ownClient(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil) //nolint:gosec // the operator asks for it
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	resp, err := client.Do(req) //nolint:gosec // the same
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("the server answers %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// ownClient reaches the server with these settings, and says by which address.
func ownClient(cfg config) (*http.Client, string, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	if path, ok := strings.CutPrefix(cfg.Listen, unixPrefix); ok {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
		return &http.Client{Transport: transport}, "http://localhost", nil
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, "", fmt.Errorf("read --listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if cfg.speaksTLS() {
		scheme = "https://"
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // on this machine, by an address that the certificate does not name
		if len(cfg.TLSDomains) > 0 {
			transport.TLSClientConfig.ServerName = cfg.TLSDomains[0]
		}
	}
	return &http.Client{Transport: transport}, scheme + net.JoinHostPort(host, port), nil
}
