package handlers

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
)

// program is who a request's Authorization proves; nil when there is none.
func (s *Server) program(ctx context.Context, c *fiber.Ctx) (*hub.Member, error) {
	scheme, value, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	switch strings.ToLower(scheme) {
	case "":
		return nil, nil //nolint:nilnil // nobody is no error
	case "bearer": // RFC 6750
		m, err := s.hub.Recognise(ctx, strings.TrimSpace(value))
		return &m, err
	case "basic": // RFC 7617; UTF-8, as every browser and curl sends it
		text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
		name, password, ok := strings.Cut(string(text), ":")
		if err != nil || !ok {
			return nil, protocol.Errorf(protocol.CodeBadToken, "Authorization is not name:password in base64")
		}
		m, err := s.hub.Word(ctx, hub.Entry{
			Name: strings.TrimSpace(name), Password: password, Label: deviceOf(c), From: clientAddr(c),
			Try: func() error { return s.mayLogIn(c) },
		})
		if err != nil {
			return nil, s.refuse(c, "password", err)
		}
		return &m, nil
	default:
		return nil, protocol.Errorf(protocol.CodeBadToken, "of Authorization, Basic and Bearer are understood")
	}
}

// reader is who reads: who the request proves, or nobody where everybody may come in.
func (s *Server) reader(ctx context.Context, c *fiber.Ctx) (hub.Member, error) {
	m, err := s.program(ctx, c)
	if m == nil && err == nil {
		m, err = s.visitor(ctx, c)
	}
	switch {
	case err != nil:
		return hub.Member{}, err
	case m != nil:
		return *m, nil
	}
	if bad := s.hub.Closed(); bad != nil {
		return hub.Member{}, s.refuse(c, "login", bad)
	}
	return hub.Member{}, nil
}

// fromProxy is who the proxy says; nil when it says nobody. Only a trusted proxy is believed.
func (s *Server) fromProxy(ctx context.Context, c *fiber.Ctx) (*hub.Member, error) {
	names := values(c, s.proxyHeader)
	peer, local := peerOf(c.Context().RemoteAddr())
	switch {
	case !local && !s.proxies.trust(peer):
		return nil, s.refuse(c, "proxy", protocol.Errorf(protocol.CodeForbidden, "this server is reached through its reverse proxy only"))
	case len(names) > 1:
		return nil, s.refuse(c, "proxy", protocol.Errorf(protocol.CodeForbidden, "the header %s is there twice", s.proxyHeader))
	case len(names) == 0 || names[0] == "":
		return nil, s.refuse(c, "proxy", protocol.Errorf(protocol.CodeForbidden, "the reverse proxy says no name in %s", s.proxyHeader))
	}
	m, err := s.hub.FromProxy(ctx, names[0])
	if err != nil {
		return nil, s.refuse(c, "proxy", err)
	}
	return &m, nil
}

// deviceOf is what the login of a request is called in its owner's list.
func deviceOf(c *fiber.Ctx) string {
	if name := c.Query("device"); name != "" {
		return protocol.CheckLabel(name)
	}
	return device(c.Get(fiber.HeaderUserAgent))
}

// device makes a short name of a User-Agent: browser and system, or the program as it calls itself.
func device(agent string) string {
	if !strings.HasPrefix(agent, "Mozilla/") {
		return protocol.CheckLabel(agent)
	}
	first := func(pairs ...[2]string) string {
		for _, p := range pairs {
			if strings.Contains(agent, p[0]) {
				return p[1]
			}
		}
		return ""
	}
	// The order counts: each calls itself by those after it, too.
	browser := first([2]string{"YaBrowser/", "Yandex"}, [2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"},
		[2]string{"SamsungBrowser/", "Samsung Internet"}, [2]string{"Firefox/", "Firefox"}, [2]string{"FxiOS/", "Firefox"},
		[2]string{"Chrome/", "Chrome"}, [2]string{"CriOS/", "Chrome"}, [2]string{"Safari/", "Safari"})
	system := first([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"},
		[2]string{"Windows", "Windows"}, [2]string{"Mac OS X", "macOS"}, [2]string{"CrOS", "ChromeOS"}, [2]string{"Linux", "Linux"})
	return strings.Trim(browser+", "+system, ", ")
}

// loggedPath is the path as a log may have it: without what proves somebody, nor what would move the cursor of who reads it.
func loggedPath(c *fiber.Ctx) string {
	path := protocol.CleanText(strings.ToValidUTF8(c.Path(), "\ufffd"))
	for _, secret := range []string{linkPath, invitePath} {
		if strings.HasPrefix(path, secret) {
			return secret + "…"
		}
	}
	return path
}

// Paths of links, whose last part is a secret.
const (
	linkPath   = "/link/"
	invitePath = "/invite/"
)

// address is that of this server as whoever asks knows it, scheme://host[:port].
func (s *Server) address(c *fiber.Ctx) string {
	if s.origins.base != nil {
		return serialize(s.origins.base)
	}
	scheme := "http://"
	if s.overTLS(c) {
		scheme = "https://"
	}
	return scheme + string(c.Context().Host())
}
