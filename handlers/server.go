// Package handlers is HTTP in: pages and forms for browsers, addresses for programs, the upgrade of /ws, and the checks
// before all of them: origin, login, limits. What happens then is the hub's; how pages look is that of views.
//
// routes.go has every address on one screen; errors.go is the one place where an error becomes a status.
package handlers

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"govor/hub"
	"govor/hub/protocol"
	"govor/hub/socket"
	"govor/views"
)

// Config is what a Server is made of. Everything but the optional fields must be set.
type Config struct {
	Hub      *hub.Hub
	Views    *views.Views // made with AssetsPath
	Log      *zap.Logger
	Registry *prometheus.Registry
	Socket   socket.Limits
	Loops    *socket.Loops // optional: drive WebSockets where they can; made with the limits of Socket

	BaseURL        string        // optional: scheme://host[:port], how people reach the server
	AllowedOrigins []string      // optional: other origins that may do what ours may, scheme://host[:port]
	TrustedProxies []string      // optional: addresses and blocks whose X-Real-Ip and X-Forwarded-Proto count
	ProxyHeader    string        // in which they say who one is, with hub.ModeProxy
	MaxText        int           // characters of a message; 0 = protocol.DefaultMaxText
	LoginRate      float64       // logins a second of one address; 0 = no limit
	LoginBurst     int           // as many at once
	RequestRate    float64       // requests a second from one address; 0 = no limit
	RequestBurst   int           // as many at once
	PageRate       float64       // pages of rooms a second of one member; 0 = no limit
	ConnectRate    float64       // new connections a second from one address, see Gate; 0 = no limit
	ConnectBurst   int           // as many at once
	ReadTimeout    time.Duration // within which a request has come whole, its handshake of TLS before that; 0 = 10 s
	MaxWaiting     int           // connections of one address that are no WebSockets; 0 = no limit
	Metrics        bool          // serve /metrics, too
	MetricsToken   string        // optional: who reads /metrics must show it
}

// Server answers HTTP. Its methods may be called from any goroutine.
type Server struct {
	// Fixed at construction.
	app          *fiber.App
	hub          *hub.Hub
	views        *views.Views
	log          *zap.Logger
	limits       socket.Limits
	loops        *socket.Loops
	origins      originRules
	proxyHeader  string // says who one is, with hub.ModeProxy
	secure       bool   // people reach the server over TLS, whatever a request looks like
	maxText      int
	metricsToken string // "" = none is needed
	metrics      *metrics
	limited      func(string) // counts what a limit has done, by its name
	assets       map[string]*asset
	logins       *addrRate
	requests     *addrRate
	pages        *addrRate // by the numbers of members
	files        *addrRate // requests that cost little
	connects     *addrRate
	leads        *addrRate // connections to what leads to TLS
	proxies      proxies
	upgrade      fiber.Handler
	formats      map[string]protocol.Format // those without a language, by subprotocol
	loginPages   *lru.Cache[loginKey, drawn]

	draining atomic.Bool
}

// Timeouts and sizes of HTTP. A WebSocket has its own, in socket.Limits.
const (
	readTimeout    = 10 * time.Second
	writeTimeout   = 30 * time.Second // a page of long messages over a slow phone
	idleTimeout    = 60 * time.Second
	requestTimeout = 10 * time.Second // for the hub to answer
	maxHeader      = 8 << 10          // bytes of a request's head
	minBody        = 64 << 10         // bytes of a request's body that are always allowed
)

// New makes a server. An error means that this program was built wrongly.
func New(cfg Config) (*Server, error) {
	if cfg.MaxText <= 0 {
		cfg.MaxText = protocol.DefaultMaxText
	}
	if cfg.ReadTimeout <= 0 {
		cfg.ReadTimeout = readTimeout
	}
	rules, err := newOriginRules(cfg.BaseURL, cfg.AllowedOrigins)
	if err != nil {
		return nil, err
	}
	s := &Server{
		hub: cfg.Hub, views: cfg.Views, log: cfg.Log, limits: cfg.Socket, loops: cfg.Loops, origins: rules, proxyHeader: cfg.ProxyHeader,
		secure: rules.base != nil && rules.base.Scheme == "https", maxText: cfg.MaxText,
		metrics: newMetrics(cfg.Registry), limited: cfg.Hub.Limited, proxies: newProxies(cfg.TrustedProxies), metricsToken: cfg.MetricsToken,
		formats: map[string]protocol.Format{
			protocol.SubprotocolText: protocol.Text{},
			protocol.SubprotocolJSON: protocol.JSON{},
		},
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.loginPages, err = lru.New[loginKey, drawn](maxLoginPages); err != nil {
		return nil, fmt.Errorf("make room for pages: %w", err)
	}
	if err := s.makeLimits(cfg); err != nil {
		return nil, err
	}
	s.app = fiber.New(s.fiberConfig(cfg))
	s.app.Server().Logger = serverLog{cfg.Log}
	s.app.Server().Handler = onlyMethods(s.app.Server().Handler)
	s.app.Server().ConnState = tellWatch
	if cfg.MaxWaiting > 0 {
		s.app.Server().ConnState = newWaiting(s, cfg.MaxWaiting).observe
	}
	s.upgrade = s.newUpgrade()
	s.route(cfg.Registry, cfg.Metrics)
	return s, nil
}

// pagesAtOnce is how many pages of rooms a member may ask for at once.
const pagesAtOnce = 10

// filesPerRequest is how many files of pages an address may ask for in the time of one request.
const filesPerRequest = 5

// makeLimits makes what addresses are held to.
func (s *Server) makeLimits(cfg Config) (err error) {
	if s.logins, err = newAddrRate(cfg.LoginRate, cfg.LoginBurst, false); err != nil {
		return err
	}
	if s.requests, err = newAddrRate(cfg.RequestRate, cfg.RequestBurst, true); err != nil {
		return err
	}
	if s.files, err = newAddrRate(filesPerRequest*cfg.RequestRate, filesPerRequest*cfg.RequestBurst, true); err != nil {
		return err
	}
	if s.pages, err = newAddrRate(cfg.PageRate, pagesAtOnce, false); err != nil {
		return err
	}
	if s.connects, err = newAddrRate(cfg.ConnectRate, cfg.ConnectBurst, true); err != nil {
		return err
	}
	s.leads, err = newAddrRate(cfg.ConnectRate, cfg.ConnectBurst, false)
	return err
}

func (s *Server) fiberConfig(cfg Config) fiber.Config {
	return fiber.Config{
		Immutable:               true, // strings outlive their request
		DisableStartupMessage:   true,
		CaseSensitive:           true,
		Views:                   cfg.Views,
		ErrorHandler:            s.answer,
		ReadTimeout:             cfg.ReadTimeout,
		WriteTimeout:            writeTimeout,
		IdleTimeout:             idleTimeout,
		ReadBufferSize:          maxHeader,
		BodyLimit:               max(minBody, 12*cfg.MaxText+4096), // a form may write 12 bytes for one character
		EnableTrustedProxyCheck: true,                              // or everybody is a trusted proxy
		TrustedProxies:          cfg.TrustedProxies,
		ProxyHeader:             "X-Real-Ip", // a proxy overwrites it; X-Forwarded-For begins with what the client wrote
		EnableIPValidation:      true,
	}
}

// Serve answers on ln until Shutdown, or an error.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.app.Listener(ln); err != nil {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}

// Drain makes /readyz say that the server is stopping.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown takes no more connections and waits for the requests that are being answered. It does not wait for
// WebSockets: they are the hub's to end.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.app.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("stop HTTP: %w", err)
	}
	return nil
}

// serverLog takes what the HTTP library has to say: what strangers send, mostly.
type serverLog struct{ log *zap.Logger }

// Printf implements fasthttp.Logger.
func (l serverLog) Printf(format string, args ...any) {
	l.log.Debug("http", zap.String("detail", fmt.Sprintf(format, args...)))
}
