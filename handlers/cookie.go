package handlers

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"govor/hub"
	"govor/hub/protocol"
)

// Names of cookies. A __Host- cookie can be set over TLS and by this very host only; on plain http browsers drop it.
const (
	cookieSecure   = "__Host-govor"
	cookiePlain    = "govor"
	cookieLanguage = "govor-lang"
	cookieTheme    = "govor-theme"
)

// cookieAge is the longest that browsers keep a cookie, in seconds: 400 days.
const cookieAge = 400 * 24 * 60 * 60

// overTLS tells whether the browser speaks TLS: with us, with a trusted proxy, or by the settings.
func (s *Server) overTLS(c *fiber.Ctx) bool { return s.secure || clientIn(c).tls }

// cookieName is the only name under which a login is looked for: over TLS the plain one could have been set by anybody
// on the way.
func (s *Server) cookieName(c *fiber.Ctx) string {
	if s.overTLS(c) {
		return cookieSecure
	}
	return cookiePlain
}

func (s *Server) setLogin(c *fiber.Ctx, value string) {
	c.Cookie(&fiber.Cookie{
		Name: s.cookieName(c), Value: value, Path: "/", MaxAge: cookieAge, HTTPOnly: true,
		Secure: s.overTLS(c), SameSite: fiber.CookieSameSiteLaxMode,
	})
}

func (s *Server) clearLogin(c *fiber.Ctx) {
	c.Cookie(&fiber.Cookie{
		Name: s.cookieName(c), Path: "/", Expires: fasthttp.CookieExpireDelete, HTTPOnly: true,
		Secure: s.overTLS(c), SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// visitor is who a cookie proves; nil when there is none. A cookie that is wrong, or no longer good, is taken away.
func (s *Server) visitor(ctx context.Context, c *fiber.Ctx) (*hub.Member, error) {
	if s.hub.Mode() == hub.ModeProxy {
		return s.fromProxy(ctx, c)
	}
	value := c.Cookies(s.cookieName(c))
	if value == "" {
		return nil, nil //nolint:nilnil // nobody is no error
	}
	m, err := s.hub.Authenticate(ctx, value)
	if err == nil {
		return &m, nil
	}
	var e *protocol.Error
	if errors.As(err, &e) && e.Code == protocol.CodeBadToken {
		s.clearLogin(c)
		return nil, nil //nolint:nilnil // the same
	}
	return nil, err
}

// provedVisitor is visitor for what changes something: a cookie counts only if a page of ours sent it.
func (s *Server) provedVisitor(ctx context.Context, c *fiber.Ctx) (*hub.Member, error) {
	if c.Locals(localProved) == nil && s.hub.Mode() != hub.ModeProxy { // a proxy has looked at programs, too
		return nil, nil //nolint:nilnil // a program is nobody until it says a name
	}
	return s.visitor(ctx, c)
}
