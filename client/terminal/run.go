package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"
)

// Run is the whole console client: it reads the command line, talks until it is over, and returns the exit code. Whoever
// calls it exits with that; goroutines that wait for input may be left. When ctx ends, it leaves as on Ctrl+C.
func Run(ctx context.Context, args []string, stdin, stdout, stderr *os.File, getenv func(string) string) int {
	w := chooseWords(getenv)
	opts, err := parseOptions(args, w, getenv)
	if err != nil {
		return wrongUsage(err, w, stderr)
	}
	switch {
	case opts.help:
		_, _ = io.WriteString(stdout, usageText(w, getenv))
		return exitOK
	case opts.version:
		_, _ = fmt.Fprintln(stdout, "govor "+version())
		return exitOK
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	r := &runner{opts: opts, words: w, stdin: stdin, stdout: stdout, stderr: stderr, getenv: getenv}
	return r.run(ctx)
}

func wrongUsage(err error, w *words, stderr io.Writer) int {
	var name *nameError
	if errors.As(err, &name) {
		_, _ = fmt.Fprintln(stderr, err)
		return exitName
	}
	_, _ = fmt.Fprintf(stderr, "%s\n%s\n", err, w.seeHelp)
	return exitUsage
}

// version is that of the build: a tag, else the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && s.Value != "" {
			return s.Value[:min(len(s.Value), 12)]
		}
	}
	return "devel"
}

// runner puts a client together.
type runner struct {
	opts                  options
	words                 *words
	stdin, stdout, stderr *os.File
	getenv                func(string) string
	dir                   string
}

func (r *runner) run(ctx context.Context) int {
	r.dir = stateDir(r.getenv)
	id, err := openIdentity(r.dir, r.opts.server.String(), r.opts.name)
	if err != nil {
		_, _ = fmt.Fprintln(r.stderr, "* "+fmt.Sprintf(r.words.stateProblem, err))
	}
	defer id.close()
	c := &client{
		opts: r.opts, words: r.words, dial: dialer(credentials(&r.opts)), id: id, now: time.Now, random: rand.Float64, pace: usualPace,
		history: max(0, r.opts.history),
	}
	var code int
	if r.interactive() {
		code = r.onTerminal(ctx, c)
	} else {
		c.guard = func() {}
		c.face = newLineFace(r.stdin, r.stdout, r.stderr, r.painter(r.stdout), r.look(r.stderr), r.opts.json, c.guard)
		code = c.run(ctx)
	}
	r.report(c)
	return code
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// interactive tells whether there is a person with a terminal that can move its cursor.
func (r *runner) interactive() bool {
	return isTerminal(r.stdin) && isTerminal(r.stdout) && !r.opts.plain && !r.opts.json && r.getenv("TERM") != "dumb"
}

func (r *runner) look(out *os.File) palette {
	return newPalette(wantsColor(&r.opts, isTerminal(out), r.getenv), r.getenv("TERM"), r.getenv("COLORTERM"))
}

func (r *runner) painter(out *os.File) *painter {
	return &painter{words: r.words, look: r.look(out), now: time.Now, zone: time.Local}
}

// onTerminal runs the client with the terminal in raw mode, and puts it right again whatever happens.
func (r *runner) onTerminal(ctx context.Context, c *client) int {
	tty, err := openTTY(r.stdin, r.stdout)
	if err != nil {
		_, _ = fmt.Fprintln(r.stderr, err)
		return exitOther
	}
	historyDir := r.dir
	if !r.opts.historyFile {
		historyDir = ""
	}
	s := &screen{
		in: r.stdin, out: r.stdout, size: tty.size, words: r.words, input: make(chan typed), stop: tty.suspend,
		paint: r.painter(r.stdout), recall: newRecall(historyDir),
	}
	var once sync.Once
	restore := func() {
		once.Do(func() {
			s.close()
			tty.restore()
		})
	}
	defer restore()
	c.guard = func() {
		if p := recover(); p != nil { //nolint:revive // goroutines defer this very function
			tty.restore() // not s.close: the lock may be held
			panic(p)
		}
	}
	c.face, c.patient, c.keep = s, true, r.keeper
	r.openShelf(c)
	if r.opts.history < 0 {
		c.history = defaultHistory
	}
	s.open(c.guard)
	resized := tty.watch(s.resized)
	defer resized()
	return c.run(ctx)
}

// openShelf lets the outbox outlive the program. Only the client that has the identity of its name may: a retry is
// recognised as one by the member who sent it. What comes through a pipe is not kept: its caller is told by the exit code,
// and would send it again under new ids, so that it would be there twice.
func (r *runner) openShelf(c *client) {
	if c.id == nil || !r.opts.historyFile {
		return
	}
	s, err := openShelf(r.dir, r.opts.server.String(), r.opts.name, r.opts.room)
	if err != nil {
		_, _ = fmt.Fprint(r.stderr, "* "+fmt.Sprintf(r.words.keepProblem, err)+"\r\n")
		return
	}
	c.box.open(s, c.now())
}

// defaultHistory is how many past messages a person sees first.
const defaultHistory = 50

// report says what was not delivered, so that it is not lost without a word.
func (r *runner) report(c *client) {
	if c.box.len() == 0 {
		return
	}
	look := r.look(r.stderr)
	if c.box.kept() {
		_, _ = fmt.Fprintln(r.stderr, look.set(look.warn, "* "+r.words.keptForNext(c.box.len())))
		return
	}
	_, _ = fmt.Fprintln(r.stderr, look.set(look.danger, "* "+fmt.Sprintf(r.words.notDelivered, c.box.len())))
	for _, m := range c.box.waiting {
		for _, line := range cleanLines(m.text) {
			_, _ = fmt.Fprintln(r.stderr, "  "+line)
		}
	}
}
