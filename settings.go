package main

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"govor/hub/protocol"
)

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
			{"listen", "ADDR", ":8000", "address to listen on, host:port, or unix:PATH (PORT sets the port, too)", setListen},
			{"socket-mode", "MODE", "0660", "who may use the file of unix:PATH", setSocketMode},
			{"data-dir", "DIR", defaultDataDir(runtime.GOOS, getenv), "where the messages are kept", setDataDir},
			{"base-url", "URL", "", "how people reach this server, if not by the address they ask for", setBaseURL},
			{"allowed-origins", "LIST", "", "other origins whose pages may use this server, with commas", setOrigins},
			{"trusted-proxies", "LIST", "", "addresses or blocks of proxies: what they say of the client counts", setProxies},
			{"tls-cert", "FILE", "", "certificate (PEM): speak TLS; read again on HUP and when it changes", func(c *config, s string) error { c.TLSCert = s; return nil }},
			{"tls-key", "FILE", "", "its key", func(c *config, s string) error { c.TLSKey = s; return nil }},
			{"tls-domain", "LIST", "", "speak TLS with certificates for these domains, which an authority gives (ACME)", func(c *config, s string) error { c.TLSDomains = list(s); return nil }},
			{"acme-email", "EMAIL", "", "whom the authority may write to", func(c *config, s string) error { c.ACMEEmail = s; return nil }},
			{"acme-directory", "URL", "", "the authority; empty: Let's Encrypt", func(c *config, s string) error { c.ACMEDirectory = s; return nil }},
			{"http-listen", "ADDR", "", "address for plain HTTP that leads to https, usually :80", func(c *config, s string) error { return setOptionalAddr(&c.HTTPListen, s) }},
			{"owner-link", "", "false", "print a link that makes an owner although there is one", func(c *config, s string) error { return setBool(&c.OwnerLink, s) }},
			{"mode", "MODE", "open", "who may come in: open, password, members or proxy", func(c *config, s string) error { return oneOf(&c.Mode, s, "open", "password", "members", "proxy") }},
			{"password-file", "FILE", "", "the server's password, its first line, for --mode password (or GOVOR_PASSWORD)", setPasswordFile},
			{"proxy-header", "NAME", "X-Forwarded-User", "in which a trusted proxy says the name, for --mode proxy", setProxyHeader},
			{"metrics-listen", "ADDR", "", "address for /metrics; empty: on the main one", func(c *config, s string) error { return setOptionalAddr(&c.MetricsListen, s) }},
			{"metrics-token-file", "FILE", "", "who reads /metrics must show what is in it: Authorization: Bearer TOKEN", setMetricsToken},
			{"pprof", "", "false", "profiles at /debug/pprof/ of --metrics-listen", func(c *config, s string) error { return setBool(&c.Pprof, s) }},
		}},
		{"Log", []setting{
			{"log-level", "LEVEL", "info", "debug, info, warn or error", setLogLevel},
			{"log-format", "FORMAT", "auto", "json, console, or auto: console on a terminal", func(c *config, s string) error { return oneOf(&c.LogFormat, s, "auto", "json", "console") }},
		}},
		{"Limits (0 is no limit, but for text, frames and memory)", []setting{
			{"max-text", "N", strconv.Itoa(protocol.DefaultMaxText), "characters of a message", func(c *config, s string) error { return setInt(&c.MaxText, s, 1, 100_000) }},
			{"max-frame-bytes", "SIZE", "64k", "bytes of a frame from a client", func(c *config, s string) error { return setSize(&c.MaxFrameBytes, s, 1<<10, 16<<20) }},
			{"rate", "N", "5", "messages a second of one session", func(c *config, s string) error { return setRate(&c.Rate, s) }},
			{"burst", "N", "20", "messages at once before the rate counts", func(c *config, s string) error { return setInt(&c.Burst, s, 0, 1_000_000) }},
			{"byte-rate", "SIZE", "16k", "bytes of text a second of one session", func(c *config, s string) error { return setOptionalSize(&c.ByteRate, s) }},
			{"rate-per-member", "N", "10", "messages a second of one member, on all devices", func(c *config, s string) error { return setRate(&c.RatePerMember, s) }},
			{"byte-rate-per-member", "SIZE", "32k", "bytes of text a second of one member", func(c *config, s string) error { return setOptionalSize(&c.ByteRatePerMember, s) }},
			{"rate-per-ip", "N", "100", "messages a second from one address", func(c *config, s string) error { return setRate(&c.RatePerIP, s) }},
			{"byte-rate-per-ip", "SIZE", "512k", "bytes of text a second from one address", func(c *config, s string) error { return setOptionalSize(&c.ByteRatePerIP, s) }},
			{"frame-rate", "N", "50", "commands a second of one session that are no messages", func(c *config, s string) error { return setRate(&c.FrameRate, s) }},
			{"control-rate", "N", "50", "pings, pongs and empty fragments a second of one connection", func(c *config, s string) error { return setInt(&c.ControlRate, s, 0, 1_000_000) }},
			{"rate-patience", "TIME", "30s", "who is over the rate for so long is disconnected", func(c *config, s string) error { return setDuration(&c.RatePatience, s, 0, time.Hour) }},
			{"max-connections", "N", "0", "connections in all", func(c *config, s string) error { return setInt(&c.MaxConns, s, 0, 100_000_000) }},
			{"max-connections-per-ip", "N", "1000", "WebSockets of one address, and as many other connections", func(c *config, s string) error { return setInt(&c.MaxConnsPerIP, s, 0, 100_000_000) }},
			{"requests-per-ip", "N", "50", "requests a second from one address, files of pages apart", func(c *config, s string) error { return setRate(&c.RequestsPerIP, s) }},
			{"logins-per-ip", "N", "60", "logins a minute from one address", func(c *config, s string) error { return setRate(&c.LoginsPerIP, s) }},
			{"max-rooms", "N", "64", "rooms that one session is in", func(c *config, s string) error { return setInt(&c.MaxRooms, s, 0, 100_000) }},
			{"new-rooms-per-hour", "N", "60", "rooms opened by one member or from one address", func(c *config, s string) error { return setInt(&c.NewRooms, s, 0, 1_000_000) }},
			{"name-changes-per-hour", "N", "10", "changes of the name of one member", func(c *config, s string) error { return setInt(&c.NameChanges, s, 0, 1_000_000) }},
			{"ring-bytes", "SIZE", "1M", "memory for the newest messages of one busy room and format", setRingBytes},
			{"no-limits", "", "false", "limits of rates, connections and rooms off, for load tests", func(c *config, s string) error { return setBool(&c.NoLimits, s) }},
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

// envName is the variable of a setting.
func envName(name string) string {
	return "GOVOR_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
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
