// Package data is the commands that work on a data directory beside the server: backup, restore, export and check. The
// work is done by the store; this package knows their arguments and what to say.
package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"govor/hub/store"
)

// UsageError is a mistake of whoever gave the command; its text is a sentence for them.
type UsageError struct{ text string }

// Error implements error.
func (e *UsageError) Error() string { return e.text }

// arguments are what a command is told.
type arguments struct {
	dir, file    string
	force, audit bool
	format, room string
}

// Run runs a command until it is done, ctx ends or a signal comes. dirOf finds the data directory by the settings that
// all commands know, --data-dir and --config. Errors are sentences; a *UsageError is a mistake in args.
func Run(ctx context.Context, command string, args []string, dirOf func(general []string) (string, error), stdout io.Writer) error {
	a, err := parse(command, args, dirOf)
	if errors.Is(err, pflag.ErrHelp) {
		return say(stdout, "%s", help(command))
	}
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch command {
	case "backup":
		size, err := store.Backup(ctx, a.dir, a.file)
		if err != nil {
			return err
		}
		return say(stdout, "%s holds the chat as it was just now (%.1f kB).\n", a.file, float64(size)/1e3)
	case "restore":
		r, err := store.Restore(ctx, a.dir, a.file, a.force)
		if err != nil {
			return err
		}
		return say(stdout, "%s holds what was in the backup: %d events. Deleted since, and gone here too: %d texts.\n", a.dir, r.Events, r.Erased)
	case "export":
		return export(ctx, a, stdout)
	default:
		return check(ctx, a.dir, stdout)
	}
}

// export writes into the file of a, or to stdout if there is none.
func export(ctx context.Context, a arguments, stdout io.Writer) error {
	write := func(w io.Writer) error { return store.Export(ctx, a.dir, a.format, a.room, w) }
	if a.audit {
		write = func(w io.Writer) error { return store.ExportAudit(ctx, a.dir, w) }
	}
	if a.file != "" {
		return store.ExportFile(a.dir, a.file, write)
	}
	return write(stdout)
}

func check(ctx context.Context, dir string, stdout io.Writer) error {
	problems, err := store.Check(ctx, dir)
	if err != nil {
		return err
	}
	if len(problems) == 0 {
		return say(stdout, "The chat in %s is as it should be.\n", dir)
	}
	if err := say(stdout, "%s\n", strings.Join(problems, "\n")); err != nil {
		return err
	}
	return fmt.Errorf("the chat in %s is not as it should be; restore a backup", dir)
}

func say(w io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(w, format, args...)
	return err
}

// parse reads the arguments of a command.
func parse(command string, args []string, dirOf func([]string) (string, error)) (a arguments, err error) {
	set := pflag.NewFlagSet(command, pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	var general []string
	for _, name := range []string{"data-dir", "config"} {
		set.Func(name, "", func(value string) error {
			general = append(general, "--"+name+"="+value)
			return nil
		})
	}
	files := 1
	switch command {
	case "restore":
		set.BoolVar(&a.force, "force", false, "")
	case "export":
		set.StringVar(&a.format, "format", "jsonl", "")
		set.StringVar(&a.room, "room", "", "")
		set.BoolVar(&a.audit, "audit", false, "")
	case "check":
		files = 0
	}
	err = set.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return a, err
	case err != nil:
		return a, usage("%s. See govor %s --help.", strings.TrimSuffix(err.Error(), "."), command)
	case a.audit && (set.Changed("format") || set.Changed("room")):
		return a, usage("The audit list has one form and no rooms: govor export --audit [FILE].")
	case set.NArg() > files:
		return a, usage("I do not know what to do with %q. See govor %s --help.", set.Arg(files), command)
	case set.NArg() < files && command != "export":
		return a, usage("Say which file: govor %s FILE.", command)
	}
	a.file = set.Arg(0)
	a.dir, err = dirOf(general)
	return a, err
}

func usage(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// help is what govor COMMAND --help says.
func help(command string) string {
	return map[string]string{
		"backup": `govor backup FILE [--data-dir DIR]

Copies the chat, as it is at one moment, into FILE, compressed (zstd). The server
may be running and goes on. FILE is there as a whole or not at all, and cannot be
in the data directory. The secret that signs logins is not in it: where another
one is, people log in again.
`,
		"restore": `govor restore FILE [--force] [--data-dir DIR]

Puts what the backup FILE holds into the data directory. What was deleted since the
backup was made, by the list erased.jsonl in the data directory, is deleted in it.
The server must not be running. A chat that is there is replaced with --force only.
`,
		"export": `govor export [FILE] [--format jsonl|txt|html] [--room ROOM] [--data-dir DIR]
govor export [FILE] --audit [--data-dir DIR]

Writes what was said to FILE, or to the console: as lines of JSON (the messages of
the protocol), as text or as a page; of one room or of all. With --audit it writes
what owners and moderators have done, a line of JSON for each. The server may be
running.
`,
		"check": `govor check [--data-dir DIR]

Looks whether the data is as it should be: numbers without gaps, ids used once,
counts and deletions as the events say, the file undamaged. Says what is wrong and
exits with 1 then. The server may be running.
`,
	}[command] + `
The data directory is found as by the server: --data-dir, GOVOR_DATA_DIR, the file
that --config or GOVOR_CONFIG names, or the system's own place.
`
}
