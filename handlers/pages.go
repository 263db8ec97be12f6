package handlers

import (
	"bytes"
	"context"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/views"
)

// locale is the language of whoever asks.
func locale(c *fiber.Ctx) string {
	return views.Locale(c.Get(fiber.HeaderAcceptLanguage), c.Cookies(cookieLanguage))
}

// pageOf is the beginning of a page. path is where its language links lead; "" for the address that was asked for.
func (s *Server) pageOf(c *fiber.Ctx, path string) views.Page {
	p := s.views.Page(locale(c))
	p.Path, p.GiveWay = path, s.givingWay()
	p.Theme, _ = views.Theme(c.Cookies(cookieTheme))
	return p
}

// giveWayEvery is how long a page is rendered before those who talk come first.
const giveWayEvery = 120 * time.Microsecond

// givingWay is to be called again and again by what takes long.
func (s *Server) givingWay() func() {
	var last time.Time
	return func() {
		if time.Since(last) > giveWayEvery {
			s.loops.GiveWay()
			last = time.Now()
		}
	}
}

// zipFrom is how long a page must be to be worth compressing, in bytes.
const zipFrom = 1 << 10

// page renders a page. Browsers keep none: what was said in a room must not lie about when one has logged out, and each
// page has a new id for what is sent next, which two tabs that share a page would share.
func (s *Server) page(c *fiber.Ctx, name string, data any) error {
	s.costs(c, pageCost)
	d, err := s.draw(name, data, pageCoding(c))
	if err != nil {
		return err
	}
	return sendDrawn(c, s.views.Stylesheet(), d)
}

// drawn is a page as it is sent. Nobody changes its bytes.
type drawn struct {
	body   []byte
	coding coding
}

// draw renders a page and compresses it, if it is worth it.
func (s *Server) draw(name string, data any, k coding) (drawn, error) {
	var b bytes.Buffer
	if err := s.views.Render(&b, name, data, views.Layout); err != nil {
		return drawn{}, err
	}
	html := b.Bytes()
	if !utf8.Valid(html) { // a form comes back with what was typed, whatever it was
		html = bytes.ToValidUTF8(html, []byte("\ufffd"))
	}
	if len(html) < zipFrom || k == "" {
		return drawn{body: html}, nil
	}
	s.loops.GiveWay()
	return drawn{shorten(html, k, pageBrotli, pageGzip), k}, nil
}

// sendDrawn sends a page; the browser asks for the style sheet before it has looked through it.
func sendDrawn(c *fiber.Ctx, stylesheet string, d drawn) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderLink, "<"+stylesheet+">; rel=preload; as=style")
	c.Set(fiber.HeaderVary, "Accept-Encoding, Accept-Language, Cookie, Sec-Fetch-Site")
	if d.coding != "" {
		c.Set(fiber.HeaderContentEncoding, string(d.coding))
	}
	return c.Send(d.body)
}

// choose follows the link of a language or a theme, ?lang=en or ?theme=dark: it keeps the choice and leads to path
// without it.
func (s *Server) choose(c *fiber.Ctx, path string) bool {
	lang, theme := c.Query("lang"), c.Query("theme")
	_, isTheme := views.Theme(theme)
	switch {
	case lang == views.Russian || lang == views.English:
		s.remember(c, cookieLanguage, lang)
	case isTheme:
		s.remember(c, cookieTheme, theme)
	default:
		return false
	}
	return redirect(c, path) == nil
}

// remember keeps a choice, which is nobody's secret, for as long as browsers do.
func (s *Server) remember(c *fiber.Ctx, name, value string) {
	c.Cookie(&fiber.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: cookieAge, HTTPOnly: true, Secure: s.overTLS(c), SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// redirect leads to a path of ours, by GET.
func redirect(c *fiber.Ctx, path string) error { return c.Redirect(path, fiber.StatusSeeOther) }

// roomPath is the address of a room's page.
func roomPath(room string) string { return "/r/" + url.PathEscape(room) }

// deadline is the context for what a request asks of the hub. Not the request's own: that one ends when the server
// begins to stop, and what is being stored is finished then.
func deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), requestTimeout)
}

// readingDeadline is deadline for what reads history: those who talk come first now and then.
func (s *Server) readingDeadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(hub.WithGiveWay(context.Background(), s.givingWay()), requestTimeout)
}

// roomParam is the room of the path, without percent signs; it need not be the name of one.
func roomParam(c *fiber.Ctx) string {
	raw := c.Params("room")
	if s, err := url.PathUnescape(raw); err == nil {
		return s
	}
	return raw
}
