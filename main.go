// Command govor is a chat that one command starts: pages, WebSockets and one SQLite file. This file puts the parts
// together and takes them apart in reverse; config.go says what can be set, commands.go has the commands beside serving.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"govor/client/terminal"
	"govor/handlers"
	"govor/hub"
	"govor/hub/clock"
	"govor/hub/data"
	"govor/hub/front"
	"govor/hub/hasher"
	"govor/hub/journal"
	"govor/hub/restart"
	"govor/hub/setting"
	"govor/hub/socket"
	"govor/hub/store"
	"govor/views"
)

// version is set when a release is built: -ldflags "-X main.version=v1.2.3".
var version string //nolint:gochecknoglobals // the linker needs a variable

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the program: it returns the exit code, 0 for well, 1 for an error, 2 for a mistake in how it was called.
func run(ctx context.Context, args []string, getenv func(string) string, stdin, stdout, stderr *os.File) int {
	command := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	var err error
	switch command {
	case "serve":
		err = serve(ctx, args, getenv, stdout, stderr)
	case "client":
		return terminal.Run(ctx, args, stdin, stdout, stderr, getenv)
	case "backup", "restore", "export", "check":
		err = data.Run(ctx, command, args, func(general []string) (string, error) {
			cfg, err := parseConfig(general, getenv)
			return cfg.DataDir, err
		}, stdout)
	case "invite":
		err = invite(ctx, args, getenv, stdout)
	case "healthcheck":
		err = healthcheck(ctx, args, getenv)
	case hasher.Command:
		err = hasher.Serve(stdin, stdout)
	case "version":
		err = sayVersion(args, stdout)
	case "help":
		err = setting.ErrHelp
	default:
		err = &usageError{Text: fmt.Sprintf("There is no command %q. See govor --help.", command)}
	}
	if errors.Is(err, setting.ErrHelp) {
		writeHelp(stdout, getenv)
		return 0
	}
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(stderr, "govor:", err)
	if errors.As(err, new(*usageError)) || errors.As(err, new(*data.UsageError)) {
		return 2
	}
	return 1
}

// ballastSize is in bytes. The collector runs when what is in use has doubled, which in a busy server with its few megabytes
// would be eight times a second. So there is something in use that nobody writes to: the system gives no memory for it.
const ballastSize = 16 << 20

// serve runs the server until ctx ends or a signal comes. A second signal ends the program at once. When a restart is
// asked for, this process becomes the next one.
func serve(ctx context.Context, args []string, getenv func(string) string, stdout, stderr *os.File) error {
	cfg, err := parseConfig(args, getenv)
	if err != nil {
		return err
	}
	ctx, stop := restart.UntilSignal(ctx)
	defer stop()
	log := newLogger(cfg, stderr)
	defer func() { _ = log.Sync() }()
	ballast := make([]byte, ballastSize)
	defer runtime.KeepAlive(ballast)
	restarts, err := restart.NewManager(log, getenv, func() (string, error) {
		cfg, err := parseConfig(args, getenv)
		return cfg.DataDir, err
	})
	if err != nil {
		return err
	}
	s, err := open(cfg, log)
	if err != nil {
		return err
	}
	s.restarts = restarts
	if err := s.front.Listen(getenv); err != nil {
		return errors.Join(err, s.closeStore())
	}
	s.announce(stdout)
	s.offerOwnership(stdout, cfg)
	warnPlain(log, cfg, s.front.Listener().Addrs())
	next, err := s.run(ctx, cfg.ShutdownTimeout)
	signal.Reset(os.Interrupt, syscall.SIGTERM) // from now on they end the program, whichever it is
	if next == nil || ctx.Err() != nil {
		return err
	}
	_ = log.Sync()
	return errors.Join(err, next.Exec(s.front.Listener())) // what is wrong with the data the next one finds out
}

// server is the parts of a server, in the order in which they start.
type server struct {
	// Fixed at construction.
	log      *zap.Logger
	registry *prometheus.Registry
	store    *store.Store
	journal  *journal.Local
	hasher   *hasher.Hasher
	hub      *hub.Hub
	loops    *socket.Loops // nil = the portable driver serves everybody
	http     *handlers.Server
	front    *front.Front
	restarts *restart.Manager
}

// open makes everything but the listeners.
func open(cfg config, log *zap.Logger) (*server, error) {
	s := &server{log: log, registry: newRegistry()}
	var err error
	if s.store, err = store.Open(cfg.DataDir, log); err != nil {
		return nil, err
	}
	s.journal = journal.NewLocal(s.store, log, s.registry)
	listening := cfg.front()
	listening.Metrics, listening.Log = handlers.Admin(s.registry, cfg.MetricsToken, cfg.Pprof), log
	if s.front, err = front.New(listening); err != nil {
		if len(cfg.TLSDomains) > 0 { // they are written wrongly
			err = &usageError{Text: err.Error() + "."}
		}
		return nil, errors.Join(err, s.closeStore())
	}
	if err := s.openLive(cfg); err != nil {
		return nil, errors.Join(err, s.closeStore())
	}
	return s, nil
}

// openLive makes the hub and what stands before it.
func (s *server) openLive(cfg config) error {
	secret, err := data.Secret(cfg.DataDir)
	if err != nil {
		return err
	}
	v, err := views.New(handlers.AssetsPath())
	if err != nil {
		return err
	}
	s.hasher = hasher.New(ownProgram(), s.log)
	s.hub, err = hub.New(hub.Config{
		Journal: s.journal, Store: s.store, Log: s.log, Registry: s.registry, Prerender: v.Prerender, Forget: v.Forget, Now: clock.Now,
		Secret: secret, Mode: hub.Mode(cfg.Mode), Password: cfg.Password, Hasher: s.hasher,
		Limits: cfg.hubLimits(),
	})
	if err != nil {
		return err
	}
	limits := cfg.socketLimits()
	if s.loops, err = newLoops(cfg.EventLoop, limits, s.journal.Storing, s.log); err != nil {
		return err
	}
	s.http, err = handlers.New(handlers.Config{
		Hub: s.hub, Views: v, Log: s.log, Registry: s.registry, Socket: limits, Loops: s.loops,
		BaseURL: cfg.BaseURL, AllowedOrigins: cfg.AllowedOrigins, TrustedProxies: cfg.TrustedProxies, ProxyHeader: cfg.ProxyHeader,
		MaxText: cfg.MaxText, LoginRate: cfg.LoginsPerIP / 60, LoginBurst: loginBurst, RequestRate: cfg.RequestsPerIP,
		RequestBurst: burstOf(cfg.RequestsPerIP), PageRate: cfg.PagesPerMember, ConnectRate: cfg.ConnectsPerIP, ConnectBurst: burstOf(cfg.ConnectsPerIP), MaxWaiting: cfg.MaxConnsPerIP,
		ReadTimeout: cfg.RequestTimeout,
		Metrics:     cfg.MetricsListen == "", MetricsToken: cfg.MetricsToken,
	})
	return err
}

// ownProgram is the path of this very program; "" if it cannot be found.
func ownProgram() string {
	const running = "/proc/self/exe" // whatever lies at its path by now
	if _, err := os.Stat(running); err == nil {
		return running
	}
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return path
}

// newLoops starts the event loops, if mode and system are for it; nil are none.
func newLoops(mode string, limits socket.Limits, storing func() bool, log *zap.Logger) (loops *socket.Loops, err error) {
	if mode != "off" {
		loops, err = socket.NewLoops(limits, storing, func(v any, stack []byte) {
			log.Error("session panicked", zap.Any("panic", v), zap.ByteString("stack", stack))
		})
	}
	if err == nil && loops == nil && mode == "on" {
		err = &usageError{Text: fmt.Sprintf("There are no event loops on %s; --event-loop auto does without.", runtime.GOOS)}
	}
	return loops, err
}

// newRegistry is where all metrics are, those of the process included.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	promauto.With(r).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "chat_build_info", Help: "1; the label says which version runs.",
		ConstLabels: prometheus.Labels{"version": versionName(), "go": runtime.Version()},
	}, func() float64 { return 1 })
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := r.Register(c); err != nil {
			panic("register metrics: " + err.Error()) // the registry is new
		}
	}
	return r
}

// newLogger writes to w: lines for people on a terminal, JSON elsewhere.
func newLogger(cfg config, w *os.File) *zap.Logger {
	format := cfg.LogFormat
	if format == "auto" {
		format = "json"
		if term.IsTerminal(int(w.Fd())) {
			format = "console"
		}
	}
	enc := zap.NewProductionEncoderConfig()
	enc.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	enc.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(enc)
	if format == "console" {
		enc.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05")
		enc.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(enc)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(w), cfg.LogLevel))
}

// announce says where the chat is, to people.
func (s *server) announce(w io.Writer) {
	where, ln := s.front.Where(), s.front.Listener()
	_, _ = fmt.Fprintf(w, "The chat is open at %s\nIts messages are in %s\n", where, s.store.Path())
	s.log.Info("started", zap.String("version", versionName()), zap.Stringer("address", ln.Addr()), zap.String("data", s.store.Path()), zap.Bool("event_loops", s.loops != nil))
	s.restarts.Tell(restart.Ready, where)
}

// offerOwnership prints the link by which somebody becomes the owner, while there is none. It goes to the console only: the
// log holds no secrets.
func (s *server) offerOwnership(w io.Writer, cfg config) {
	key := s.hub.NewOwnerKey(cfg.OwnerLink)
	if key == "" {
		return
	}
	sentence := "Nobody owns this chat yet. Whoever opens this link can become its owner, once:"
	if cfg.OwnerLink {
		sentence = "Whoever opens this link can become an owner, once:"
	}
	_, _ = fmt.Fprintf(w, "%s\n  %s\n", sentence, s.front.Base()+handlers.OwnerPath(key))
	s.log.Info("a link that makes an owner was printed to the console")
}

// warnPlain says loudly that logins can be read on the way, where they can be.
func warnPlain(logger *zap.Logger, cfg config, addrs []net.Addr) {
	reached := slices.IndexFunc(addrs, func(a net.Addr) bool {
		tcp, ok := a.(*net.TCPAddr)
		return ok && !tcp.IP.IsLoopback()
	})
	if reached < 0 || cfg.speaksTLS() || len(cfg.TrustedProxies) > 0 || strings.HasPrefix(cfg.BaseURL, "https:") {
		return
	}
	logger.Warn("LOGINS AND PASSWORDS TRAVEL IN THE CLEAR: this server speaks plain http on an address that others reach;"+
		" put a TLS proxy in front of it (--trusted-proxies, --base-url https://...), or listen on 127.0.0.1",
		zap.Stringer("address", addrs[reached]))
}

// restartPatience bounds how long a restart waits for connections and requests: those who connect meanwhile wait, and
// who is cut sends again what has no receipt.
const restartPatience = time.Second

// run serves until ctx ends, then stops everything within timeout. It returns the program to go on with if that was the
// reason to stop.
func (s *server) run(ctx context.Context, timeout time.Duration) (next *restart.Program, err error) {
	var running sync.WaitGroup
	hubCtx, stopHub := context.WithCancel(context.Background())
	defer stopHub()
	running.Go(func() { // ends with hubCtx
		if err := s.hub.Run(hubCtx); err != nil {
			s.log.Error("the journal is no longer followed", zap.Error(err))
		}
	})
	failed := make(chan error, 2)
	running.Go(func() { failed <- s.http.Serve(s.front.HTTP(s.http.Gate)) }) // ends when the listener is closed
	running.Go(func() { s.front.Watch(hubCtx) })                             // ends with hubCtx
	aside := s.front.ServeAside(&running, s.http.MayConnect)

	next, err = s.restarts.Next(ctx, failed, s.front.Listener())
	if next != nil {
		timeout = min(timeout, restartPatience)
	} else {
		s.restarts.Tell(restart.Stopping, "")
	}
	s.log.Info("stopping", zap.Bool("restart", next != nil))
	stopCtx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	s.stop(stopCtx, timeout, next != nil)
	for _, server := range aside {
		_ = server.Shutdown(stopCtx)
	}
	stopHub()
	running.Wait()
	err = errors.Join(err, s.closeStore())
	s.log.Info("stopped")
	return next, err
}

// settlePatience bounds how long those are waited for whose requests had begun. Who sends a request more slowly than
// this is cut.
const settlePatience = 500 * time.Millisecond

// stop takes nobody new, lets those be served who were accepted, and sends everybody away. What goes wrong is logged: the
// rest is stopped all the same.
func (s *server) stop(ctx context.Context, timeout time.Duration, restarts bool) {
	s.http.Drain()
	ln := s.front.Listener()
	_ = ln.Close()
	if !restarts {
		_ = ln.Release()
	}
	settling, settled := context.WithTimeout(ctx, settlePatience)
	defer settled()
	if err := ln.Settle(settling, restarts); err != nil {
		s.log.Warn("requests have begun that take long", zap.Error(err))
	}
	hubCtx, cancel := context.WithTimeout(ctx, timeout*3/4) // what is left is for what is being stored
	defer cancel()
	if err := s.hub.Stop(hubCtx); err != nil {
		s.log.Warn("connections were left", zap.Error(err))
	}
	if err := s.http.Shutdown(ctx); err != nil {
		s.log.Warn("requests were left", zap.Error(err))
	}
}

// closeStore ends connections that are left, finishes what was appended and closes the file.
func (s *server) closeStore() error {
	s.loops.Close()
	s.hasher.Close()
	return errors.Join(s.journal.Close(), s.store.Close())
}
