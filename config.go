package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap/zapcore"
)

// config is every setting of the server, checked. settings.go has the list, values.go reads what is set.
type config struct {
	Listen                   string
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
	ControlRate       int
	RatePatience      time.Duration
	MaxRooms          int
	NewRooms          int     // an hour
	NameChanges       int     // an hour
	LoginsPerIP       float64 // a minute
	RequestsPerIP     float64
	MaxConns          int
	MaxConnsPerIP     int
	RingBytes         int
	NoLimits          bool
	PresenceGrace     time.Duration
	PingInterval      time.Duration
	IdleTimeout       time.Duration
	StallTimeout      time.Duration
	ShutdownTimeout   time.Duration
	dataDirUndefined  bool // nothing says where the data should be
}

// usageError is a mistake of whoever started the program; its text is a sentence for them. Exit code 2.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// errHelp means that the help was asked for.
var errHelp = errors.New("help")

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
		return &usageError{"There is no place for the data: say one with --data-dir DIR."}
	case c.MaxFrameBytes < int64(c.MaxText)*4+1024:
		return &usageError{fmt.Sprintf("--max-frame-bytes %d cannot hold a message of --max-text %d characters; it takes %d.",
			c.MaxFrameBytes, c.MaxText, int64(c.MaxText)*4+1024)}
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return &usageError{"--tls-cert and --tls-key belong together."}
	case c.TLSCert != "" && len(c.TLSDomains) > 0:
		return &usageError{"--tls-cert and --tls-domain exclude each other: the certificate comes from files, or from an authority."}
	case c.HTTPListen != "" && !c.speaksTLS():
		return &usageError{"--http-listen leads to https, which needs --tls-cert and --tls-key, or --tls-domain."}
	case c.Pprof && c.MetricsListen == "":
		return &usageError{"--pprof needs --metrics-listen: profiles are never served where people come."}
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
