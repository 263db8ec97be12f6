package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap/zapcore"

	"govor/hub/protocol"
)

// config is every setting of the server, checked.
type config struct {
	Listen         string
	DataDir        string
	BaseURL        string // "" = from the request; else scheme://host[:port], no path
	AllowedOrigins []string
	TrustedProxies []string // addresses and CIDR blocks
	MetricsListen  string   // "" = /metrics on Listen
	LogLevel       zapcore.Level
	LogFormat      string // auto, json, console
	EventLoop      string // auto, on, off

	MaxText          int
	MaxFrameBytes    int64
	Rate             float64
	Burst            int
	RatePatience     time.Duration
	MaxConns         int
	MaxConnsPerIP    int
	RingBytes        int
	NoLimits         bool
	PresenceGrace    time.Duration
	PingInterval     time.Duration
	IdleTimeout      time.Duration
	StallTimeout     time.Duration
	ShutdownTimeout  time.Duration
	dataDirUndefined bool // nothing says where the data should be
}

// setting is one thing that can be set: by --name, by GOVOR_NAME or by a line "name = value" of the file.
type setting struct {
	name  string
	value string // what stands for the value in the help
	def   string
	help  string
	set   func(c *config, s string) error // the error says what is allowed
}

// group is a heading of the help and the settings under it.
type group struct {
	title    string
	settings []setting
}

// settings is the one list; flags, variables, the file and the help are made of it.
func settings(getenv func(string) string) []group {
	return []group{
		{"Where", []setting{
			{"listen", "ADDR", ":8000", "address to listen on, host:port (PORT sets the port, too)", func(c *config, s string) error { return setAddr(&c.Listen, s) }},
			{"data-dir", "DIR", defaultDataDir(runtime.GOOS, getenv), "where the messages are kept", setDataDir},
			{"base-url", "URL", "", "how people reach this server, if not by the address they ask for", setBaseURL},
			{"allowed-origins", "LIST", "", "other origins whose pages may use this server, with commas", setOrigins},
			{"trusted-proxies", "LIST", "", "addresses or blocks whose X-Real-Ip and X-Forwarded-Proto count", setProxies},
			{"metrics-listen", "ADDR", "", "address for /metrics; empty: on the main one", func(c *config, s string) error { return setOptionalAddr(&c.MetricsListen, s) }},
		}},
		{"Log", []setting{
			{"log-level", "LEVEL", "info", "debug, info, warn or error", setLogLevel},
			{"log-format", "FORMAT", "auto", "json, console, or auto: console on a terminal", func(c *config, s string) error { return oneOf(&c.LogFormat, s, "auto", "json", "console") }},
		}},
		{"Limits (0 is no limit for rate, burst and connections)", []setting{
			{"max-text", "N", strconv.Itoa(protocol.DefaultMaxText), "characters of a message", func(c *config, s string) error { return setInt(&c.MaxText, s, 1, 100_000) }},
			{"max-frame-bytes", "SIZE", "64k", "bytes of a frame from a client", func(c *config, s string) error { return setSize(&c.MaxFrameBytes, s, 1<<10, 16<<20) }},
			{"rate", "N", "5", "messages a second of one session", setRate},
			{"burst", "N", "20", "messages at once before the rate counts", func(c *config, s string) error { return setInt(&c.Burst, s, 0, 1_000_000) }},
			{"rate-patience", "TIME", "30s", "who is over the rate for so long is disconnected", func(c *config, s string) error { return setDuration(&c.RatePatience, s, 0, time.Hour) }},
			{"max-connections", "N", "0", "connections in all", func(c *config, s string) error { return setInt(&c.MaxConns, s, 0, 100_000_000) }},
			{"max-connections-per-ip", "N", "1000", "connections of one address", func(c *config, s string) error { return setInt(&c.MaxConnsPerIP, s, 0, 100_000_000) }},
			{"ring-bytes", "SIZE", "1M", "memory for the newest messages of one busy room and format", setRingBytes},
			{"no-limits", "", "false", "rate and connection limits off, for load tests", setNoLimits},
		}},
		{"Time", []setting{
			{"presence-grace", "TIME", "5s", "leaving is announced after so long", func(c *config, s string) error { return setDuration(&c.PresenceGrace, s, 0, time.Hour) }},
			{"ping-interval", "TIME", "25s", "a silent connection is pinged after so long", func(c *config, s string) error { return setDuration(&c.PingInterval, s, time.Second, time.Hour) }},
			{"idle-timeout", "TIME", "60s", "a silent connection is ended after so long", func(c *config, s string) error { return setDuration(&c.IdleTimeout, s, time.Second, 24*time.Hour) }},
			{"stall-timeout", "TIME", "60s", "a connection that takes no byte for so long is ended", func(c *config, s string) error { return setDuration(&c.StallTimeout, s, time.Second, time.Hour) }},
			{"shutdown-timeout", "TIME", "8s", "stopping takes at most so long", func(c *config, s string) error { return setDuration(&c.ShutdownTimeout, s, time.Second, time.Hour) }},
			{"event-loop", "MODE", "auto", "event loops for WebSockets: on (Linux), off, or auto: where there are any", func(c *config, s string) error { return oneOf(&c.EventLoop, s, "auto", "on", "off") }},
		}},
	}
}

// usageError is a mistake of whoever started the program; its text is a sentence for them. Exit code 2.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// errHelp means that the help was asked for.
var errHelp = errors.New("help")

// envName is the variable of a setting.
func envName(name string) string {
	return "GOVOR_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// parseConfig reads the settings: a flag wins over a variable, that over the file, that over the default. The error is
// errHelp or a *usageError.
func parseConfig(args []string, getenv func(string) string) (config, error) {
	groups := settings(getenv)
	flags, file, err := parseFlags(groups, args)
	if err != nil {
		return config{}, err
	}
	if file == "" {
		file = getenv("GOVOR_CONFIG")
	}
	fromFile, err := readConfigFile(groups, file)
	if err != nil {
		return config{}, err
	}
	var c config
	for _, g := range groups {
		for _, s := range g.settings {
			value, source := s.def, "the default of --"+s.name
			if v, ok := fromFile[s.name]; ok {
				value, source = v, fmt.Sprintf("%q in %s", s.name, file)
			}
			if v := getenv("PORT"); v != "" && s.name == "listen" {
				value, source = ":"+v, "PORT"
			}
			if v := getenv(envName(s.name)); v != "" {
				value, source = v, envName(s.name)
			}
			if v, ok := flags[s.name]; ok {
				value, source = v, "--"+s.name
			}
			if err := s.set(&c, value); err != nil {
				return config{}, &usageError{fmt.Sprintf("%s is %q, but %v.", source, value, err)}
			}
		}
	}
	return c, c.check()
}

// check looks at settings together.
func (c *config) check() error {
	switch {
	case c.dataDirUndefined:
		return &usageError{"There is no place for the data: say one with --data-dir DIR."}
	case c.MaxFrameBytes < int64(c.MaxText)*4+1024:
		return &usageError{fmt.Sprintf("--max-frame-bytes %d cannot hold a message of --max-text %d characters; it takes %d.",
			c.MaxFrameBytes, c.MaxText, int64(c.MaxText)*4+1024)}
	case c.PingInterval >= c.IdleTimeout:
		return &usageError{fmt.Sprintf("--ping-interval %s must be shorter than --idle-timeout %s, or every silent connection is ended.",
			c.PingInterval, c.IdleTimeout)}
	}
	return nil
}

// parseFlags returns the flags that were given, and the value of --config.
func parseFlags(groups []group, args []string) (map[string]string, string, error) {
	set := pflag.NewFlagSet("govor", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	file := set.String("config", "", "")
	for _, g := range groups {
		for _, s := range g.settings {
			set.String(s.name, "", "")
			if s.value == "" {
				set.Lookup(s.name).NoOptDefVal = "true"
			}
		}
	}
	if err := set.Parse(args); errors.Is(err, pflag.ErrHelp) {
		return nil, "", errHelp
	} else if err != nil {
		return nil, "", &usageError{strings.TrimSuffix(err.Error(), ".") + ". See govor --help."}
	}
	if set.NArg() > 0 {
		return nil, "", &usageError{fmt.Sprintf("I do not know what to do with %q. See govor --help.", set.Arg(0))}
	}
	given := map[string]string{}
	set.Visit(func(f *pflag.Flag) { given[f.Name] = f.Value.String() })
	return given, *file, nil
}

// readConfigFile reads lines "name = value"; the value may stand in double quotes, # begins a comment.
func readConfigFile(groups []group, path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		return nil, &usageError{fmt.Sprintf("The settings cannot be read: %v.", err)}
	}
	known := map[string]bool{}
	for _, g := range groups {
		for _, s := range g.settings {
			known[s.name] = true
		}
	}
	values := map[string]string{}
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if value, err = unquote(strings.TrimSpace(value)); !ok || err != nil {
			return nil, &usageError{fmt.Sprintf("Line %d of %s is not of the form: name = value.", i+1, path)}
		}
		if !known[name] {
			return nil, &usageError{fmt.Sprintf("Line %d of %s sets %q, and there is no such setting. See govor --help.", i+1, path, name)}
		}
		values[name] = value
	}
	return values, nil
}

// unquote takes the quotes or the comment off a value of the file.
func unquote(s string) (string, error) {
	if strings.HasPrefix(s, `"`) {
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil {
			return "", err
		}
		if rest := strings.TrimSpace(s[len(quoted):]); rest != "" && rest[0] != '#' {
			return "", errors.New("text after the quotes")
		}
		return strconv.Unquote(quoted)
	}
	if i := strings.Index(s, " #"); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s), nil
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
			note := envName(s.name)
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

func setDataDir(c *config, s string) error {
	c.DataDir, c.dataDirUndefined = s, s == ""
	return nil
}

func setAddr(dst *string, s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return errors.New("an address is host:port, like :8000 or 127.0.0.1:8000")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("a port is a number from 0 to 65535, not %q", port)
	} else if _, err := netip.ParseAddrPort(s); strings.HasPrefix(s, "[") && err != nil && n > 0 {
		return errors.New("what stands in brackets is an IPv6 address, like [::1]:8000")
	}
	*dst = s
	return nil
}

func setOptionalAddr(dst *string, s string) error {
	if s == "" {
		*dst = ""
		return nil
	}
	return setAddr(dst, s)
}

// parseOrigin reads scheme://host[:port] and nothing after it.
func parseOrigin(s string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Path != "" ||
		u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("it is written http://host or https://host, perhaps with :port, and nothing after it")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func setBaseURL(c *config, s string) (err error) {
	c.BaseURL = ""
	if s != "" {
		c.BaseURL, err = parseOrigin(s)
	}
	return err
}

func setOrigins(c *config, s string) error {
	c.AllowedOrigins = nil
	for _, item := range list(s) {
		origin, err := parseOrigin(item)
		if err != nil {
			return fmt.Errorf("of the origin %q: %w", item, err)
		}
		c.AllowedOrigins = append(c.AllowedOrigins, origin)
	}
	return nil
}

func setProxies(c *config, s string) error {
	c.TrustedProxies = list(s)
	for _, item := range c.TrustedProxies {
		_, errAddr := netip.ParseAddr(item)
		_, errBlock := netip.ParsePrefix(item)
		if errAddr != nil && errBlock != nil {
			return fmt.Errorf("%q is neither an address nor a block like 10.0.0.0/8", item)
		}
	}
	return nil
}

// list splits at commas; empty items do not count.
func list(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func setLogLevel(c *config, s string) error {
	var unused string
	if err := oneOf(&unused, s, "debug", "info", "warn", "error"); err != nil {
		return err
	}
	return c.LogLevel.Set(s)
}

func oneOf(dst *string, s string, allowed ...string) error {
	for _, a := range allowed {
		if s == a {
			*dst = s
			return nil
		}
	}
	return fmt.Errorf("it is one of %s", strings.Join(allowed, ", "))
}

func setInt(dst *int, s string, low, high int) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return fmt.Errorf("it is a number from %d to %d", low, high)
	}
	*dst = n
	return nil
}

func setRate(c *config, s string) error {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0 && n <= 1_000_000) {
		return errors.New("it is a number from 0 to 1000000")
	}
	c.Rate = n
	return nil
}

// setSize reads a number of bytes, perhaps with k or M (1024 and 1024²).
func setSize(dst *int64, s string, low, high int64) error {
	digits, unit := s, int64(1)
	switch {
	case strings.HasSuffix(s, "k"), strings.HasSuffix(s, "K"):
		digits, unit = s[:len(s)-1], 1<<10
	case strings.HasSuffix(s, "M"):
		digits, unit = s[:len(s)-1], 1<<20
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n*unit < low || n*unit > high {
		return fmt.Errorf("it is a number of bytes from %d to %d, perhaps written with k or M", low, high)
	}
	*dst = n * unit
	return nil
}

func setRingBytes(c *config, s string) error {
	var n int64
	err := setSize(&n, s, 64<<10, 1<<30)
	c.RingBytes = int(n)
	return err
}

func setNoLimits(c *config, s string) (err error) {
	if c.NoLimits, err = strconv.ParseBool(s); err != nil {
		return errors.New("it is true or false")
	}
	return nil
}

func setDuration(dst *time.Duration, s string, low, high time.Duration) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < low || d > high {
		return fmt.Errorf("it is a time from %s to %s, written like 90s or 2m", low, high)
	}
	*dst = d
	return nil
}
