// How the value of a setting is read: each function says in its error what is allowed.

package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

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

// unixPrefix stands before the path of a socket.
const unixPrefix = "unix:"

func setListen(c *config, s string) error {
	if path, ok := strings.CutPrefix(s, unixPrefix); ok {
		if path == "" {
			return errors.New("a socket is unix:PATH, like unix:/run/govor/govor.sock")
		}
		c.Listen = s
		return nil
	}
	return setAddr(&c.Listen, s)
}

func setSocketMode(c *config, s string) error {
	mode, err := strconv.ParseUint(s, 8, 32)
	if err != nil || mode > 0o777 {
		return errors.New("it is written like 0660")
	}
	c.SocketMode = os.FileMode(mode)
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

func setRate(dst *float64, s string) error {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0 && n <= 1_000_000) {
		return errors.New("it is a number from 0 to 1000000")
	}
	*dst = n
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

// setOptionalSize is setSize for a limit that may be off.
func setOptionalSize(dst *int64, s string) error { return setSize(dst, s, 0, 1<<30) }

func setBool(dst *bool, s string) (err error) {
	if *dst, err = strconv.ParseBool(s); err != nil {
		return errors.New("it is true or false")
	}
	return nil
}

// minToken is how long a token must be, so that nobody guesses it.
const minToken = 16

// setMetricsToken reads the file: the secret itself is never a setting, which others can see.
func setMetricsToken(c *config, s string) error {
	c.MetricsToken = ""
	if s == "" {
		return nil
	}
	data, err := os.ReadFile(s) //nolint:gosec // the path is the operator's own
	if err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	if c.MetricsToken = strings.TrimSpace(string(data)); len(c.MetricsToken) < minToken {
		return fmt.Errorf("what is in it must have at least %d characters", minToken)
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
