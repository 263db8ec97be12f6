// Package setting is how what an operator sets is read: values one by one, and the flags, variables and lines of a file in
// which they stand. Each function that reads a value says in its error what is allowed, as the rest of a sentence: "… is
// "x", but it is a number from 0 to 9".
package setting

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
)

// List splits at commas; empty items do not count.
func List(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// OneOf reads one of the words that are allowed.
func OneOf(dst *string, s string, allowed ...string) error {
	for _, a := range allowed {
		if s == a {
			*dst = s
			return nil
		}
	}
	return fmt.Errorf("it is one of %s", strings.Join(allowed, ", "))
}

// Level reads how much is logged.
func Level(dst *zapcore.Level, s string) error {
	var unused string
	if err := OneOf(&unused, s, "debug", "info", "warn", "error"); err != nil {
		return err
	}
	return dst.Set(s)
}

// Bool reads true or false.
func Bool(dst *bool, s string) (err error) {
	if *dst, err = strconv.ParseBool(s); err != nil {
		return errors.New("it is true or false")
	}
	return nil
}

// Int reads a number from low to high.
func Int(dst *int, s string, low, high int) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return fmt.Errorf("it is a number from %d to %d", low, high)
	}
	*dst = n
	return nil
}

// Rate reads how often something may be in a time; 0 is no limit.
func Rate(dst *float64, s string) error {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0 && n <= 1_000_000) {
		return errors.New("it is a number from 0 to 1000000")
	}
	*dst = n
	return nil
}

// Size reads a number of bytes from low to high, perhaps with k or M (1024 and 1024²).
func Size[T int | int64](dst *T, s string, low, high int64) error {
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
	*dst = T(n * unit)
	return nil
}

// OptionalSize is Size for a limit that may be off, which is 0.
func OptionalSize(dst *int64, s string) error { return Size(dst, s, 0, 1<<30) }

// Duration reads a time from low to high.
func Duration(dst *time.Duration, s string, low, high time.Duration) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < low || d > high {
		return fmt.Errorf("it is a time from %s to %s, written like 90s or 2m", low, high)
	}
	*dst = d
	return nil
}

// FileMode reads who may use a file, in octal digits.
func FileMode(dst *os.FileMode, s string) error {
	mode, err := strconv.ParseUint(s, 8, 32)
	if err != nil || mode > 0o777 {
		return errors.New("it is written like 0660")
	}
	*dst = os.FileMode(mode)
	return nil
}

// minToken is how long a token must be, so that nobody guesses it.
const minToken = 16

// TokenFile reads the token that the file at path holds; no path is no token. The secret itself is never a setting, which
// others can see.
func TokenFile(dst *string, path string) error {
	*dst = ""
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	if *dst = strings.TrimSpace(string(data)); len(*dst) < minToken {
		return fmt.Errorf("what is in it must have at least %d characters", minToken)
	}
	return nil
}

// PasswordFile reads a password, the first line of the file at path; no path is no password. The word itself is never on a
// command line.
func PasswordFile(dst *string, path string) error {
	*dst = ""
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if *dst = strings.TrimSuffix(line, "\r"); *dst == "" {
		return errors.New("its first line is empty")
	}
	return nil
}
