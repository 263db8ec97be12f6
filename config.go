package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"govor/hub"
	"govor/hub/certs"
	"govor/hub/front"
	"govor/hub/protocol"
	"govor/hub/restart"
	"govor/hub/setting"
	"govor/hub/socket"
)

// config is every setting of the server, checked.
type config struct {
	Listen                   []string // host:port or unix:PATH each
	DataDir                  string
	BaseURL                  string // "" = from the request; else scheme://host[:port], no path
	AllowedOrigins           []string
	TrustedProxies           []string // addresses and CIDR blocks
	TLSCert, TLSKey          string   // files; "" = none
	TLSDomains               []string // get a certificate for them
	ACMEEmail, ACMEDirectory string
	HTTPListen               string      // leads to TLS; "" = none
	SocketMode               os.FileMode // of a unix socket
	Mode                     string      // open, password, members, proxy
	Password                 string      // of the server, with mode password
	ProxyHeader              string      // says the name, with mode proxy
	MetricsListen            string      // "" = /metrics on Listen
	MetricsToken             string      // "" = none is needed
	Pprof                    bool        // on MetricsListen
	LogLevel                 zapcore.Level
	LogFormat                string // auto, json, console
	EventLoop                string // auto, on, off
	OwnerLink                bool

	MaxText           int
	MaxFrameBytes     int64
	Rate              float64
	Burst             int
	ByteRate          int64
	RatePerMember     float64
	ByteRatePerMember int64
	RatePerIP         float64
	ByteRatePerIP     int64
	FrameRate         float64
	FrameRatePerIP    float64
	ControlRate       int
	RatePatience      time.Duration
	MaxRooms          int
	NewRooms          int     // an hour
	NameChanges       int     // an hour
	LoginsPerIP       float64 // a minute
	LoginsPerName     float64 // a minute
	RequestsPerIP     float64
	ConnectsPerIP     float64
	PagesPerMember    float64
	MaxConns          int
	MaxConnsPerIP     int
	MaxConnsPerMember int
	RingBytes         int
	NoLimits          bool
	PresenceGrace     time.Duration
	PingInterval      time.Duration
	IdleTimeout       time.Duration
	StallTimeout      time.Duration
	RequestTimeout    time.Duration
	ShutdownTimeout   time.Duration
	dataDirUndefined  bool // nothing says where the data should be
}

// usageError is a mistake of whoever started the program; its text is a sentence for them. Exit code 2.
type usageError = setting.UsageError

// parseConfig reads the settings: a flag wins over a variable, that over the file, that over the default. The error is
// setting.ErrHelp or a *usageError.
func parseConfig(args []string, getenv func(string) string) (config, error) {
	groups := settings(getenv)
	var known []setting.Known
	for _, g := range groups {
		for _, s := range g.settings {
			known = append(known, setting.Known{Name: s.name, Switch: s.value == "", Many: s.name == "listen"})
		}
	}
	sources, err := setting.Read(known, args, getenv)
	if err != nil {
		return config{}, err
	}
	var c config
	for _, g := range groups {
		for _, s := range g.settings {
			value, source := sources.Value(s.name, s.def)
			if err := s.set(&c, value); err != nil {
				return config{}, &usageError{Text: fmt.Sprintf("%s is %q, but %v.", source, value, err)}
			}
		}
	}
	if c.NoLimits {
		c.lift()
	}
	return c, errors.Join(c.check(), c.checkDoor(getenv))
}

// speaksTLS tells whether the server does so itself.
func (c *config) speaksTLS() bool { return c.TLSCert != "" || len(c.TLSDomains) > 0 }

// check looks at settings together.
func (c *config) check() error {
	switch {
	case c.dataDirUndefined:
		return &usageError{Text: "There is no place for the data: say one with --data-dir DIR."}
	case c.MaxFrameBytes < int64(c.MaxText)*4+1024:
		return &usageError{Text: fmt.Sprintf("--max-frame-bytes %d cannot hold a message of --max-text %d characters; it takes %d.",
			c.MaxFrameBytes, c.MaxText, int64(c.MaxText)*4+1024)}
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return &usageError{Text: "--tls-cert and --tls-key belong together."}
	case c.TLSCert != "" && len(c.TLSDomains) > 0:
		return &usageError{Text: "--tls-cert and --tls-domain exclude each other: the certificate comes from files, or from an authority."}
	case c.HTTPListen != "" && !c.speaksTLS():
		return &usageError{Text: "--http-listen leads to https, which needs --tls-cert and --tls-key, or --tls-domain."}
	case c.Pprof && c.MetricsListen == "":
		return &usageError{Text: "--pprof needs --metrics-listen: profiles are never served where people come."}
	case c.PingInterval >= c.IdleTimeout:
		return &usageError{Text: fmt.Sprintf("--ping-interval %s must be shorter than --idle-timeout %s, or every silent connection is ended.",
			c.PingInterval, c.IdleTimeout)}
	}
	return nil
}

// checkDoor looks at the settings that say who may come in.
func (c *config) checkDoor(getenv func(string) string) error {
	if c.Mode == string(hub.ModePassword) && c.Password == "" {
		c.Password = getenv("GOVOR_PASSWORD")
	}
	switch {
	case c.Mode == string(hub.ModePassword) && c.Password == "":
		return &usageError{Text: "--mode password needs a password: the first line of --password-file FILE, or GOVOR_PASSWORD."}
	case c.Mode != string(hub.ModePassword) && c.Password != "":
		return &usageError{Text: "--password-file is the server's password, and only --mode password has one. People set that of their name on the page /account."}
	case c.Mode == string(hub.ModeProxy) && len(c.TrustedProxies) == 0 && slices.ContainsFunc(c.Listen, isTCP):
		return &usageError{Text: "--mode proxy needs --trusted-proxies: from nobody else a name is taken."}
	}
	return nil
}

// loginBurst is how many people behind one address may log in at once: a class, an office.
const loginBurst = 50

// burstOf is how many requests or connections may come at once from one address: four seconds' worth, and a class that
// opens the page.
func burstOf(perSecond float64) int { return int(4*perSecond) + 100 }

// isTCP tells an address from a socket in the file system.
func isTCP(listen string) bool { return !strings.HasPrefix(listen, restart.UnixPrefix) }

// lift takes the limits off that --no-limits is for.
func (c *config) lift() {
	c.Rate, c.ByteRate, c.RatePerMember, c.ByteRatePerMember, c.RatePerIP, c.ByteRatePerIP = 0, 0, 0, 0, 0, 0
	c.FrameRate, c.FrameRatePerIP, c.ControlRate, c.RequestsPerIP, c.LoginsPerIP, c.LoginsPerName, c.ConnectsPerIP, c.PagesPerMember = 0, 0, 0, 0, 0, 0, 0, 0
	c.MaxConns, c.MaxConnsPerIP, c.MaxConnsPerMember, c.MaxRooms, c.NewRooms, c.NameChanges = 0, 0, 0, 0, 0, 0
}

// hubLimits is what the hub holds people to.
func (c *config) hubLimits() hub.Limits {
	return hub.Limits{
		MaxText: c.MaxText, Rate: c.Rate, Burst: c.Burst, ByteRate: float64(c.ByteRate), RatePatience: c.RatePatience,
		PerMember: hub.Pace{Messages: c.RatePerMember, Bytes: float64(c.ByteRatePerMember)},
		PerAddr:   hub.Pace{Messages: c.RatePerIP, Bytes: float64(c.ByteRatePerIP)},
		FrameRate: c.FrameRate, FrameRatePerAddr: c.FrameRatePerIP, MaxConnections: c.MaxConns, MaxConnectionsPerAddr: c.MaxConnsPerIP,
		MaxSessionsPerMember: c.MaxConnsPerMember, LoginsPerName: c.LoginsPerName, MaxRooms: c.MaxRooms,
		NewRoomsPerHour: c.NewRooms, RenamesPerHour: c.NameChanges, RingBytes: c.RingBytes, PresenceGrace: c.PresenceGrace,
	}
}

// socketLimits is what a connection is held to.
func (c *config) socketLimits() socket.Limits {
	l := socket.Limits{
		MaxFrame: c.MaxFrameBytes, PingInterval: c.PingInterval, IdleTimeout: c.IdleTimeout, StallTimeout: c.StallTimeout,
		ControlRate: c.ControlRate,
	}
	if l.ControlRate == 0 {
		l.ControlRate = -1 // 0 would be the default
	}
	return l
}

// front is how the server listens. The caller adds what it serves and the log.
func (c *config) front() front.Config {
	return front.Config{
		Listen: c.Listen, SocketMode: c.SocketMode, MetricsListen: c.MetricsListen, HTTPListen: c.HTTPListen, BaseURL: c.BaseURL,
		Cert: c.TLSCert, Key: c.TLSKey, Domains: c.TLSDomains,
		ACME: certs.AuthorityConfig{Dir: filepath.Join(c.DataDir, "acme"), Email: c.ACMEEmail, Directory: c.ACMEDirectory},
	}
}

// settable is one thing that can be set: by --name, by GOVOR_NAME or by a line "name = value" of the file.
type settable struct {
	name  string
	value string // what stands for the value in the help
	def   string
	help  string
	set   func(c *config, s string) error // the error says what is allowed
}

// group is a heading of the help and the settings under it.
type group struct {
	title    string
	settings []settable
}

// settings is the one list; flags, variables, the file and the help are made of it.
func settings(getenv func(string) string) []group {
	return []group{
		{"Where", []settable{
			{"listen", "ADDR", ":8000", "host:port or unix:PATH to listen on; may be repeated (PORT sets the port, too)", func(c *config, s string) error { return setting.Listens(&c.Listen, s) }},
			{"socket-mode", "MODE", "0660", "who may use the file of unix:PATH", func(c *config, s string) error { return setting.FileMode(&c.SocketMode, s) }},
			{"data-dir", "DIR", defaultDataDir(runtime.GOOS, getenv), "where the messages are kept", func(c *config, s string) error { c.DataDir, c.dataDirUndefined = s, s == ""; return nil }},
			{"base-url", "URL", "", "how people reach this server, if not by the address they ask for", func(c *config, s string) error { return setting.OptionalOrigin(&c.BaseURL, s) }},
			{"allowed-origins", "LIST", "", "other origins whose pages may use this server, with commas", func(c *config, s string) error { return setting.Origins(&c.AllowedOrigins, s) }},
			{"trusted-proxies", "LIST", "", "addresses or blocks of proxies: what they say of the client counts", func(c *config, s string) error { return setting.Networks(&c.TrustedProxies, s) }},
			{"tls-cert", "FILE", "", "certificate (PEM): speak TLS; read again on HUP and when it changes", func(c *config, s string) error { c.TLSCert = s; return nil }},
			{"tls-key", "FILE", "", "its key", func(c *config, s string) error { c.TLSKey = s; return nil }},
			{"tls-domain", "LIST", "", "speak TLS with certificates for these domains, which an authority gives (ACME)", func(c *config, s string) error { c.TLSDomains = setting.List(s); return nil }},
			{"acme-email", "EMAIL", "", "whom the authority may write to", func(c *config, s string) error { c.ACMEEmail = s; return nil }},
			{"acme-directory", "URL", "", "the authority; empty: Let's Encrypt", func(c *config, s string) error { c.ACMEDirectory = s; return nil }},
			{"http-listen", "ADDR", "", "address for plain HTTP that leads to https, usually :80", func(c *config, s string) error { return setting.OptionalAddr(&c.HTTPListen, s) }},
			{"owner-link", "", "false", "print a link that makes an owner although there is one", func(c *config, s string) error { return setting.Bool(&c.OwnerLink, s) }},
			{"mode", "MODE", "open", "who may come in: open, password, members or proxy", func(c *config, s string) error {
				return setting.OneOf(&c.Mode, s, "open", "password", "members", "proxy")
			}},
			{"password-file", "FILE", "", "the server's password, its first line, for --mode password (or GOVOR_PASSWORD)", func(c *config, s string) error { return setting.PasswordFile(&c.Password, s) }},
			{"proxy-header", "NAME", "X-Forwarded-User", "in which a trusted proxy says the name, for --mode proxy", func(c *config, s string) error { return setting.Header(&c.ProxyHeader, s) }},
			{"metrics-listen", "ADDR", "", "address for /metrics; empty: on the main one", func(c *config, s string) error { return setting.OptionalAddr(&c.MetricsListen, s) }},
			{"metrics-token-file", "FILE", "", "who reads /metrics must show what is in it: Authorization: Bearer TOKEN", func(c *config, s string) error { return setting.TokenFile(&c.MetricsToken, s) }},
			{"pprof", "", "false", "profiles at /debug/pprof/ of --metrics-listen", func(c *config, s string) error { return setting.Bool(&c.Pprof, s) }},
		}},
		{"Log", []settable{
			{"log-level", "LEVEL", "info", "debug, info, warn or error", func(c *config, s string) error { return setting.Level(&c.LogLevel, s) }},
			{"log-format", "FORMAT", "auto", "json, console, or auto: console on a terminal", func(c *config, s string) error { return setting.OneOf(&c.LogFormat, s, "auto", "json", "console") }},
		}},
		{"Limits (0 is no limit, but for text, frames and memory)", []settable{
			{"max-text", "N", strconv.Itoa(protocol.DefaultMaxText), "characters of a message", func(c *config, s string) error { return setting.Int(&c.MaxText, s, 1, 100_000) }},
			{"max-frame-bytes", "SIZE", "64k", "bytes of a frame from a client", func(c *config, s string) error { return setting.Size(&c.MaxFrameBytes, s, 1<<10, 16<<20) }},
			{"rate", "N", "5", "messages a second of one session", func(c *config, s string) error { return setting.Rate(&c.Rate, s) }},
			{"burst", "N", "20", "messages at once before the rate counts", func(c *config, s string) error { return setting.Int(&c.Burst, s, 0, 1_000_000) }},
			{"byte-rate", "SIZE", "16k", "bytes of text a second of one session", func(c *config, s string) error { return setting.OptionalSize(&c.ByteRate, s) }},
			{"rate-per-member", "N", "10", "messages a second of one member, on all devices", func(c *config, s string) error { return setting.Rate(&c.RatePerMember, s) }},
			{"byte-rate-per-member", "SIZE", "32k", "bytes of text a second of one member", func(c *config, s string) error { return setting.OptionalSize(&c.ByteRatePerMember, s) }},
			{"rate-per-ip", "N", "100", "messages a second from one address", func(c *config, s string) error { return setting.Rate(&c.RatePerIP, s) }},
			{"byte-rate-per-ip", "SIZE", "512k", "bytes of text a second from one address", func(c *config, s string) error { return setting.OptionalSize(&c.ByteRatePerIP, s) }},
			{"frame-rate", "N", "50", "commands a second of one session that are no messages", func(c *config, s string) error { return setting.Rate(&c.FrameRate, s) }},
			{"frame-rate-per-ip", "N", "500", "commands a second from one address that are no messages", func(c *config, s string) error { return setting.Rate(&c.FrameRatePerIP, s) }},
			{"control-rate", "N", "50", "pings, pongs and tiny fragments a second of one connection", func(c *config, s string) error { return setting.Int(&c.ControlRate, s, 0, 1_000_000) }},
			{"rate-patience", "TIME", "30s", "who is over the rate for so long is disconnected", func(c *config, s string) error { return setting.Duration(&c.RatePatience, s, 0, time.Hour) }},
			{"max-connections", "N", "0", "connections in all", func(c *config, s string) error { return setting.Int(&c.MaxConns, s, 0, 100_000_000) }},
			{"max-connections-per-ip", "N", "1000", "WebSockets of one address, and as many other connections", func(c *config, s string) error { return setting.Int(&c.MaxConnsPerIP, s, 0, 100_000_000) }},
			{"max-connections-per-member", "N", "100", "WebSockets of one member, on all devices", func(c *config, s string) error { return setting.Int(&c.MaxConnsPerMember, s, 0, 100_000_000) }},
			{"requests-per-ip", "N", "30", "requests a second from one address, files of pages apart; a page counts as several", func(c *config, s string) error { return setting.Rate(&c.RequestsPerIP, s) }},
			{"pages-per-member", "N", "2", "pages of rooms a second of one member", func(c *config, s string) error { return setting.Rate(&c.PagesPerMember, s) }},
			{"connects-per-ip", "N", "30", "new connections a second from one address", func(c *config, s string) error { return setting.Rate(&c.ConnectsPerIP, s) }},
			{"logins-per-ip", "N", "60", "logins a minute from one address, and tries at passwords by programs", func(c *config, s string) error { return setting.Rate(&c.LoginsPerIP, s) }},
			{"logins-per-name", "N", "10", "tries a minute at the password of one name from one address", func(c *config, s string) error { return setting.Rate(&c.LoginsPerName, s) }},
			{"max-rooms", "N", "64", "rooms that one session is in", func(c *config, s string) error { return setting.Int(&c.MaxRooms, s, 0, 100_000) }},
			{"new-rooms-per-hour", "N", "60", "rooms opened by one member or from one address", func(c *config, s string) error { return setting.Int(&c.NewRooms, s, 0, 1_000_000) }},
			{"name-changes-per-hour", "N", "10", "changes of the name of one member", func(c *config, s string) error { return setting.Int(&c.NameChanges, s, 0, 1_000_000) }},
			{"ring-bytes", "SIZE", "1M", "memory for the newest messages of one busy room and format", func(c *config, s string) error { return setting.Size(&c.RingBytes, s, 64<<10, 1<<30) }},
			{"no-limits", "", "false", "limits of rates, connections and rooms off, for load tests", func(c *config, s string) error { return setting.Bool(&c.NoLimits, s) }},
		}},
		{"Time", []settable{
			{"presence-grace", "TIME", "5s", "leaving is announced after so long", func(c *config, s string) error { return setting.Duration(&c.PresenceGrace, s, 0, time.Hour) }},
			{"request-timeout", "TIME", "10s", "a request, or a handshake, that is not whole after so long is cut", func(c *config, s string) error {
				return setting.Duration(&c.RequestTimeout, s, time.Second, time.Hour)
			}},
			{"ping-interval", "TIME", "25s", "a silent connection is pinged after so long", func(c *config, s string) error { return setting.Duration(&c.PingInterval, s, time.Second, time.Hour) }},
			{"idle-timeout", "TIME", "60s", "a silent connection is ended after so long", func(c *config, s string) error { return setting.Duration(&c.IdleTimeout, s, time.Second, 24*time.Hour) }},
			{"stall-timeout", "TIME", "60s", "a connection that takes no byte for so long is ended", func(c *config, s string) error { return setting.Duration(&c.StallTimeout, s, time.Second, time.Hour) }},
			{"shutdown-timeout", "TIME", "8s", "stopping takes at most so long", func(c *config, s string) error {
				return setting.Duration(&c.ShutdownTimeout, s, time.Second, time.Hour)
			}},
			{"event-loop", "MODE", "auto", "event loops for WebSockets: on (Linux), off, or auto: where there are any", func(c *config, s string) error { return setting.OneOf(&c.EventLoop, s, "auto", "on", "off") }},
		}},
	}
}

// writeHelp prints how to use the program, from the list of settings.
func writeHelp(w io.Writer, getenv func(string) string) {
	var b strings.Builder
	b.WriteString(`Govor is a chat that one command starts.

Usage:
  govor [serve] [settings]      start the server
  govor client [NAME]           chat from the console (govor client --help)
  govor backup FILE             copy the chat into FILE, also while it runs
  govor restore FILE            put what a backup holds into the data directory
  govor export [FILE]           write what was said as JSON, text or a page
  govor invite                  make a link by which new members come
  govor check                   look whether the data is as it should be
  govor healthcheck [settings]  exit 0 if the server with these settings is ready
  govor version                 say which version this is; with --check-data DIR fail
                                if it cannot go on with the data there

Every setting can be given as a flag, as a variable or as a line "name = value"
of a file; a flag wins over a variable, that over the file.

      --config FILE             the file (GOVOR_CONFIG)
`)
	for _, g := range settings(getenv) {
		fmt.Fprintf(&b, "\n%s:\n", g.title)
		for _, s := range g.settings {
			fmt.Fprintf(&b, "      %-30s %s\n", strings.TrimSpace("--"+s.name+" "+s.value), s.help)
			note := setting.EnvName(s.name)
			if s.def != "" && s.value != "" {
				note += ", default " + s.def
			}
			fmt.Fprintf(&b, "      %-30s %s\n", "", note)
		}
	}
	_, _ = io.WriteString(w, b.String()) // nobody can be told that the help cannot be shown
}

// defaultDataDir is where a program of this system keeps its state; "" if nothing tells.
func defaultDataDir(goos string, getenv func(string) string) string {
	if dirs := getenv("STATE_DIRECTORY"); dirs != "" { // systemd: a list with colons
		first, _, _ := strings.Cut(dirs, ":")
		return first
	}
	if dir := getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "govor")
	}
	home := getenv("HOME")
	switch {
	case goos == "windows" && getenv("LocalAppData") != "":
		return filepath.Join(getenv("LocalAppData"), "govor")
	case goos == "darwin" && home != "":
		return filepath.Join(home, "Library", "Application Support", "govor")
	case goos != "windows" && home != "":
		return filepath.Join(home, ".local", "state", "govor")
	}
	return ""
}
