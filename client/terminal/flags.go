package terminal

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"govor/hub/protocol"
)

// options is what was asked for on the command line and by GOVOR_* variables.
type options struct {
	server      *url.URL // of the server's root; http or https
	name        string   // as shown (protocol.CheckName)
	room        string   // canonical
	password    string   // of the name or of the server; "" = none
	json        bool
	plain       bool
	simple      bool
	color       string // "auto", "always" or "never"
	timeout     time.Duration
	timeoutSet  bool
	historyFile bool
	history     int // past messages to begin with; -1 = what suits the mode
	help        bool
	version     bool
}

const (
	defaultServer  = "http://localhost:8000"
	defaultTimeout = 30 * time.Second
	maxHistory     = 1000
)

// usageError is wrong usage: exit code 2 and a sentence.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// nameError is a name that nobody can have: exit code 4 and a sentence.
type nameError struct{ text string }

func (e *nameError) Error() string { return e.text }

// flagValues are the flags before they are checked.
type flagValues struct {
	options
	server, name, room, passwordFile string
	noHistoryFile                    bool
}

func newFlagSet(v *flagValues, w *words, getenv func(string) string) *pflag.FlagSet {
	def := func(key, fallback string) string {
		if s := getenv(key); s != "" {
			return s
		}
		return fallback
	}
	fs := pflag.NewFlagSet("govor client", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.SortFlags = false
	fs.StringVarP(&v.server, "server", "s", def("GOVOR_SERVER", defaultServer), w.flagServer)
	fs.StringVarP(&v.name, "name", "n", getenv("GOVOR_NAME"), w.flagName)
	fs.StringVarP(&v.room, "room", "r", def("GOVOR_ROOM", protocol.RoomLobby), w.flagRoom)
	fs.StringVar(&v.passwordFile, "password-file", "", w.flagWordFile)
	fs.IntVar(&v.history, "history", -1, w.flagHistory)
	fs.BoolVar(&v.json, "json", false, w.flagJSON)
	fs.BoolVar(&v.plain, "plain", false, w.flagPlain)
	fs.BoolVar(&v.simple, "simple", false, w.flagSimple)
	fs.StringVar(&v.color, "color", "auto", w.flagColor)
	fs.DurationVar(&v.timeout, "timeout", defaultTimeout, w.flagTimeout)
	fs.BoolVar(&v.noHistoryFile, "no-history-file", false, w.flagNoHistoryFile)
	fs.BoolVar(&v.version, "version", false, w.flagVersion)
	fs.BoolVarP(&v.help, "help", "h", false, w.flagHelp)
	return fs
}

// parseOptions reads the command line. The error is a *usageError or a *nameError.
func parseOptions(args []string, w *words, getenv func(string) string) (options, error) {
	var v flagValues
	fs := newFlagSet(&v, w, getenv)
	if err := fs.Parse(args); err != nil {
		return options{}, &usageError{err.Error()}
	}
	o := v.options
	if o.help || o.version {
		return o, nil
	}
	rest := fs.Args()
	if len(rest) > 0 && !fs.Changed("name") {
		v.name, rest = rest[0], rest[1:]
	}
	switch {
	case len(rest) > 0:
		return options{}, &usageError{fmt.Sprintf(w.badArgument, protocol.CleanText(rest[0]))}
	case v.name == "":
		return options{}, &usageError{w.noName}
	case o.color != "auto" && o.color != "always" && o.color != "never":
		return options{}, &usageError{w.badColor}
	case o.history < -1 || o.history > maxHistory:
		return options{}, &usageError{fmt.Sprintf(w.badHistory, maxHistory)}
	case o.timeout < 0:
		return options{}, &usageError{w.badTimeout}
	}
	o.historyFile, o.timeoutSet = !v.noHistoryFile, fs.Changed("timeout")
	var err error
	if o.password, err = readPassword(v.passwordFile, w, getenv); err != nil {
		return options{}, err
	}
	return o, o.check(&v, w)
}

// check fills server, name and room.
func (o *options) check(v *flagValues, w *words) error {
	var err error
	if o.server, err = parseServer(v.server); err != nil {
		return &usageError{fmt.Sprintf(w.badServer, protocol.CleanText(v.server))}
	}
	room, perr := protocol.CheckRoom(v.room)
	if perr != nil {
		return &usageError{fmt.Sprintf(w.badRoom, protocol.CleanText(v.room))}
	}
	o.room = room
	// A reserved name is left to the server, which gives it a suffix and says so.
	shown, _, perr := protocol.CheckName(v.name)
	switch {
	case perr == nil:
		o.name = shown
	case perr.Code == protocol.CodeNameTaken:
		o.name = v.name
	default:
		return &nameError{w.badName}
	}
	return nil
}

// parseServer reads an address with or without a scheme: http, https, ws, wss, host:port.
func parseServer(s string) (*url.URL, error) {
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, err
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "ws":
		u.Scheme = "http"
	case "https", "wss":
		u.Scheme = "https"
	default:
		return nil, errors.New("unknown scheme")
	}
	if u.Hostname() == "" || u.User != nil {
		return nil, errors.New("no host")
	}
	u.Host = strings.ToLower(u.Host)
	// The address of the page or of the socket is as good as that of the server.
	path := strings.TrimSuffix(u.Path, "/")
	path = strings.TrimSuffix(path, "/ws")
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}, nil
}

// socketURL is the address of the socket. A member with a token asks for no name: the guest that the connection begins
// with would otherwise hold the very name that the token brings back.
func socketURL(server *url.URL, room, name string) string {
	u := *server
	u.Scheme = map[string]string{"http": "ws", "https": "wss"}[u.Scheme]
	u.Path += "/ws"
	q := url.Values{"room": {room}}
	if name != "" {
		q.Set("name", name)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// usageText is the help. pflag's own table counts bytes, which does not align Cyrillic, and is in English.
func usageText(w *words, getenv func(string) string) string {
	var v flagValues
	var rows [][2]string
	newFlagSet(&v, w, getenv).VisitAll(func(f *pflag.Flag) {
		value, text := pflag.UnquoteUsage(f)
		text = strings.TrimPrefix(text, value+": ")
		left := "      --" + f.Name
		if f.Shorthand != "" {
			left = "  -" + f.Shorthand + ", --" + f.Name
		}
		if f.Value.Type() != "bool" {
			left += " " + value
			if f.DefValue != "" && f.DefValue != "-1" {
				text += " [" + clean(f.DefValue) + "]"
			}
		}
		rows = append(rows, [2]string{left, text})
	})
	column := 0
	for _, r := range rows {
		column = max(column, width(r[0])+2)
	}
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(r[0] + strings.Repeat(" ", column-width(r[0])) + r[1] + "\n")
	}
	return fmt.Sprintf(w.usage, b.String())
}
