package handlers

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"govor/hub/protocol"
)

// originRules say whose pages may change something here.
type originRules struct {
	base    *url.URL // nil = the host that was asked for, whatever the scheme
	allowed []string // lower case
}

// newOriginRules reads the settings; each is scheme://host[:port].
func newOriginRules(base string, allowed []string) (originRules, error) {
	var r originRules
	if base != "" {
		u := parseOrigin(base)
		if u == nil {
			return r, fmt.Errorf("the base URL %q is not scheme://host", base)
		}
		r.base = u
	}
	for _, a := range allowed {
		u := parseOrigin(a)
		if u == nil {
			return r, fmt.Errorf("the allowed origin %q is not scheme://host", a)
		}
		r.allowed = append(r.allowed, serialize(u))
	}
	return r, nil
}

// origin is what is known of who sent a request.
type origin int

const (
	originForeign origin = iota // a page of somebody else's: it may change nothing
	originProgram               // no browser: it may, but a cookie proves nothing
	originOurs                  // a page of ours, or of an allowed origin
)

// judge looks at all values of the headers Sec-Fetch-Site and Origin, and at Host.
//
// Sec-Fetch-Site is set by the browser and cannot be forged by a page, but is sent to https and localhost only. An
// allowed origin is foreign by Sec-Fetch-Site, so it is looked up before that.
func (r originRules) judge(fetchSite, origins []string, host string) origin {
	if len(fetchSite) > 1 || len(origins) > 1 {
		return originForeign
	}
	var from *url.URL
	if len(origins) == 1 {
		if from = parseOrigin(origins[0]); from == nil { // "null" is one of these
			return originForeign
		}
		if r.isAllowed(from) {
			return originOurs
		}
	}
	if len(fetchSite) == 1 {
		if fetchSite[0] == "same-origin" || fetchSite[0] == "none" {
			return originOurs
		}
		return originForeign
	}
	switch {
	case from == nil:
		return originProgram
	case r.sameHost(from, host):
		return originOurs
	default:
		return originForeign
	}
}

func (r originRules) isAllowed(from *url.URL) bool {
	s := serialize(from)
	for _, a := range r.allowed {
		if s == a {
			return true
		}
	}
	return r.base != nil && s == serialize(r.base)
}

// sameHost compares host and port; a port that is not written is the one of the origin's scheme.
func (r originRules) sameHost(from *url.URL, host string) bool {
	if r.base != nil && from.Scheme != r.base.Scheme {
		return false
	}
	if host == from.Host { // as a rule
		return true
	}
	asked := parseOrigin(from.Scheme + "://" + host)
	return asked != nil && asked.Host == from.Host
}

// parseOrigin reads scheme://host[:port], with nothing after it (RFC 6454 §7.1); nil for anything else, "null" too. The
// result is lower case and has no port that its scheme has anyway.
func parseOrigin(s string) *url.URL {
	u, err := url.Parse(strings.ToLower(s))
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil
	}
	switch u.Scheme {
	case "http":
		u.Host = strings.TrimSuffix(u.Host, ":80")
	case "https":
		u.Host = strings.TrimSuffix(u.Host, ":443")
	default:
		return nil
	}
	return u
}

func serialize(u *url.URL) string { return u.Scheme + "://" + u.Host }

// fromOurs refuses requests of foreign pages, and remembers whether a cookie proves anything.
func (s *Server) fromOurs(c *fiber.Ctx) error {
	switch s.origins.judge(values(c, "Sec-Fetch-Site"), values(c, fiber.HeaderOrigin), string(c.Context().Host())) {
	case originOurs:
		c.Locals(localProved, true)
		return c.Next()
	case originProgram:
		return c.Next()
	default:
		return s.refuse(c, "origin", protocol.Errorf(protocol.CodeForbidden, "this page is not of this server; see --allowed-origins and --base-url"))
	}
}

// localProved is the key under which fromOurs keeps what it found.
const localProved = "proved"

// values are all values of a header.
func values(c *fiber.Ctx, name string) []string {
	all := c.Request().Header.PeekAll(name)
	list := make([]string, len(all))
	for i, v := range all {
		list[i] = string(v)
	}
	return list
}

// refuse counts and logs a refusal and returns err.
func (s *Server) refuse(c *fiber.Ctx, reason string, err error) error {
	s.metrics.refused(reason)
	s.log.Info("request refused", zap.String("reason", reason), zap.String("method", c.Method()), zap.String("path", loggedPath(c)),
		zap.String("remote_addr", remoteAddr(c)), zap.Error(err))
	return err
}
