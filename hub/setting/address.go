package setting

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"govor/hub/restart"
)

// Addr reads host:port, where the host may be missing.
func Addr(dst *string, s string) error {
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

// OptionalAddr is Addr for an address that may be missing.
func OptionalAddr(dst *string, s string) error {
	if s == "" {
		*dst = ""
		return nil
	}
	return Addr(dst, s)
}

// Listen is Addr that may be a socket in the file system instead, unix:PATH.
func Listen(dst *string, s string) error {
	path, ok := strings.CutPrefix(s, restart.UnixPrefix)
	switch {
	case !ok:
		return Addr(dst, s)
	case path == "":
		return errors.New("a socket is unix:PATH, like unix:/run/govor/govor.sock")
	}
	*dst = s
	return nil
}

// Listens reads a list of what Listen reads, one at least.
func Listens(dst *[]string, s string) error {
	*dst = nil
	for _, item := range List(s) {
		var at string
		if err := Listen(&at, item); err != nil {
			return err
		}
		*dst = append(*dst, at)
	}
	if len(*dst) == 0 {
		return errors.New("an address is needed, like :8000")
	}
	return nil
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

// OptionalOrigin reads scheme://host[:port], which may be missing.
func OptionalOrigin(dst *string, s string) (err error) {
	*dst = ""
	if s != "" {
		*dst, err = parseOrigin(s)
	}
	return err
}

// Origins reads a list of scheme://host[:port].
func Origins(dst *[]string, s string) error {
	*dst = nil
	for _, item := range List(s) {
		origin, err := parseOrigin(item)
		if err != nil {
			return fmt.Errorf("of the origin %q: %w", item, err)
		}
		*dst = append(*dst, origin)
	}
	return nil
}

// Networks reads a list of addresses and CIDR blocks.
func Networks(dst *[]string, s string) error {
	*dst = List(s)
	for _, item := range *dst {
		_, errAddr := netip.ParseAddr(item)
		_, errBlock := netip.ParsePrefix(item)
		if errAddr != nil && errBlock != nil {
			return fmt.Errorf("%q is neither an address nor a block like 10.0.0.0/8", item)
		}
	}
	return nil
}

// Header reads the name of a header.
func Header(dst *string, s string) error {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}) {
		return errors.New("a header is made of letters, digits and -, like X-Forwarded-User")
	}
	*dst = s
	return nil
}
