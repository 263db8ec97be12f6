package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"govor/hub/protocol"
)

// Server is what the command invite needs to know of the server that runs.
type Server struct {
	URL   string                                      // of its root, without a slash at its end
	Dir   string                                      // its data directory
	Token func(secret []byte, now time.Time) string   // signs what makes it obey
	Do    func(*http.Request) (*http.Response, error) // sends a request
}

// errUsage is what the command understands.
var errUsage = usage("The command is: govor invite [--uses N] [--for TIME] [--name TEXT] | --list | --revoke ID. See govor invite --help.")

const inviteHelp = `govor invite [--uses N] [--for TIME] [--name TEXT]   make an invite link
govor invite --list                                   list the links
govor invite --revoke ID                              make one good for nobody

Who follows an invite link chooses a name and a password and is a member from then
on. With --mode members there is no other way in. A link is good for --uses people
(1 if not given) and for --for (7d; 90m, 48h and 30d are understood). --name is what
the list calls it.

The server must be running; it is found by its settings: --listen, --data-dir,
GOVOR_* or the file of --config. The link begins with its --base-url, if it has one.
`

// invitation is what the command is told.
type invitation struct {
	uses           int
	age            string
	label, revoke  string
	list, wantHelp bool
}

// Invite is the command invite. server finds the one that runs by the settings that are left over.
func Invite(ctx context.Context, args []string, server func(settings []string) (Server, error), stdout io.Writer) error {
	a, settings, err := parseInvite(args)
	if err != nil {
		return err
	}
	if a.wantHelp {
		return say(stdout, "%s", inviteHelp)
	}
	s, err := server(settings)
	if err != nil {
		return err
	}
	switch {
	case a.list:
		return s.list(ctx, stdout)
	case a.revoke != "":
		if err := s.ask(ctx, http.MethodDelete, "/invites/"+url.PathEscape(a.revoke), nil, nil); err != nil {
			return err
		}
		return say(stdout, "The invite %s is good for nobody any more.\n", a.revoke)
	}
	age, err := parseAge(a.age)
	if err != nil {
		return err
	}
	var made struct {
		Link string `json:"link"`
	}
	order := map[string]any{"label": a.label, "seconds": int64(age / time.Second), "uses": a.uses}
	if err := s.ask(ctx, http.MethodPost, "/invites", order, &made); err != nil {
		return err
	}
	return say(stdout, "%s\n", made.Link)
}

func parseInvite(args []string) (a invitation, settings []string, err error) {
	set := pflag.NewFlagSet("invite", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	set.IntVar(&a.uses, "uses", 1, "")
	set.StringVar(&a.age, "for", "7d", "")
	set.StringVar(&a.label, "name", "", "")
	set.StringVar(&a.revoke, "revoke", "", "")
	set.BoolVar(&a.list, "list", false, "")
	for _, name := range []string{"data-dir", "config", "listen", "base-url"} {
		set.Func(name, "", func(value string) error {
			settings = append(settings, "--"+name+"="+value)
			return nil
		})
	}
	err = set.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		a.wantHelp = true
		return a, nil, nil
	case err != nil:
		return a, nil, usage("%s. See govor invite --help.", strings.TrimSuffix(err.Error(), "."))
	case set.NArg() > 0 || a.list && a.revoke != "":
		return a, nil, errUsage
	}
	return a, settings, nil
}

// parseAge reads a time as Go writes it, or days: 30d.
func parseAge(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		if _, err := fmt.Sscanf(days, "%d", &n); err == nil && n > 0 && n <= 366 && fmt.Sprint(n) == days {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Minute {
		return 0, usage("--for is %q, but it is a time like 90m, 48h or 30d.", s)
	}
	return d, nil
}

func (s Server) list(ctx context.Context, stdout io.Writer) error {
	var list []struct {
		ID, Label   string
		Made, Until time.Time
		Uses, Used  int64
	}
	if err := s.ask(ctx, http.MethodGet, "/invites", nil, &list); err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tUSED\tLEFT\tUNTIL\tNAME") // a tabwriter keeps its first error for Flush
	for _, i := range list {
		left := fmt.Sprint(i.Uses)
		if !i.Until.After(time.Now()) {
			left = "expired"
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", i.ID, i.Used, left, i.Until.Local().Format("2006-01-02 15:04"), protocol.CleanText(i.Label))
	}
	return w.Flush()
}

// ask sends an order to the server and reads its answer into result, if that is not nil.
func (s Server) ask(ctx context.Context, method, path string, order, result any) error {
	secret, err := os.ReadFile(filepath.Join(s.Dir, "secret"))
	if err != nil {
		return fmt.Errorf("read the secret of the server, which is made when it starts for the first time: %w", err)
	}
	var body io.Reader
	if order != nil {
		b, err := json.Marshal(order)
		if err != nil {
			return fmt.Errorf("encode the order: %w", err)
		}
		body = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Token(secret, time.Now()))
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.Do(req)
	if err != nil {
		return fmt.Errorf("the server does not answer; is it running? %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		var e struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(answer, &e) != nil || e.Message == "" {
			e.Message = resp.Status
		}
		return fmt.Errorf("the server says: %s", protocol.CleanText(e.Message))
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}
