package setting

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// UsageError is a mistake of whoever started the program; its text is a sentence for them.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

// ErrHelp means that the help was asked for.
var ErrHelp = errors.New("help")

// Known is something that can be set.
type Known struct {
	Name   string
	Switch bool // its flag may stand without a value, which is true
	Many   bool // it is a list with commas, and its flag or line may stand several times
}

// EnvName is the variable of a setting.
func EnvName(name string) string {
	return "GOVOR_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Sources is what was set, and where.
type Sources struct {
	// Fixed at construction.
	flags, lines map[string]string
	file         string // "" = there is none
	getenv       func(string) string
}

// Read reads the flags in args and the file that --config or its variable names. The error is ErrHelp or a *UsageError.
func Read(known []Known, args []string, getenv func(string) string) (*Sources, error) {
	flags, file, err := parseFlags(known, args)
	if err != nil {
		return nil, err
	}
	if file == "" {
		file = getenv(EnvName("config"))
	}
	lines, err := readFile(known, file)
	if err != nil {
		return nil, err
	}
	return &Sources{flags: flags, lines: lines, file: file, getenv: getenv}, nil
}

// Value returns what the setting is, and in words where that was said: a flag wins over a variable, that over the file, that
// over def. PORT, by which hosting services tell the port, is a variable of "listen", too.
func (s *Sources) Value(name, def string) (value, source string) {
	value, source = def, "the default of --"+name
	if v, ok := s.lines[name]; ok {
		value, source = v, fmt.Sprintf("%q in %s", name, s.file)
	}
	if v := s.getenv("PORT"); v != "" && name == "listen" {
		value, source = ":"+v, "PORT"
	}
	if v := s.getenv(EnvName(name)); v != "" {
		value, source = v, EnvName(name)
	}
	if v, ok := s.flags[name]; ok {
		value, source = v, "--"+name
	}
	return value, source
}

// parseFlags returns the flags that were given, and the value of --config.
func parseFlags(known []Known, args []string) (map[string]string, string, error) {
	set := pflag.NewFlagSet("govor", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	file := set.String("config", "", "")
	for _, k := range known {
		if k.Many {
			set.StringArray(k.Name, nil, "")
			continue
		}
		set.String(k.Name, "", "")
		if k.Switch {
			set.Lookup(k.Name).NoOptDefVal = "true"
		}
	}
	if err := set.Parse(args); errors.Is(err, pflag.ErrHelp) {
		return nil, "", ErrHelp
	} else if err != nil {
		return nil, "", &UsageError{strings.TrimSuffix(err.Error(), ".") + ". See govor --help."}
	}
	if set.NArg() > 0 {
		return nil, "", &UsageError{fmt.Sprintf("I do not know what to do with %q. See govor --help.", set.Arg(0))}
	}
	given := map[string]string{}
	set.Visit(func(f *pflag.Flag) {
		given[f.Name] = f.Value.String()
		if many, ok := f.Value.(pflag.SliceValue); ok {
			given[f.Name] = strings.Join(many.GetSlice(), ",")
		}
	})
	return given, *file, nil
}

// readFile reads lines "name = value"; the value may stand in double quotes, # begins a comment.
func readFile(known []Known, path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		return nil, &UsageError{fmt.Sprintf("The settings cannot be read: %v.", err)}
	}
	names := map[string]Known{}
	for _, k := range known {
		names[k.Name] = k
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
			return nil, &UsageError{fmt.Sprintf("Line %d of %s is not of the form: name = value.", i+1, path)}
		}
		k, is := names[name]
		if !is {
			return nil, &UsageError{fmt.Sprintf("Line %d of %s sets %q, and there is no such setting. See govor --help.", i+1, path, name)}
		}
		if before, twice := values[name]; twice && k.Many {
			value = before + "," + value
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
