package handlers

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
	"govor/views"
)

// home is GET /: the login, or the lobby for whoever is logged in.
func (s *Server) home(c *fiber.Ctx) error {
	if s.choose(c, "/") {
		return nil
	}
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.visitor(ctx, c)
	if err != nil {
		return err
	}
	if m != nil {
		return redirect(c, roomPath(protocol.RoomLobby))
	}
	return s.loginPage(c, views.LoginPage{}, "/")
}

// loginPage fills in what every login page has. path is the address at which it is shown.
func (s *Server) loginPage(c *fiber.Ctx, p views.LoginPage, path string) error {
	p.Page = s.pageOf(c, path)
	p.Online = s.hub.Online()
	p.Server = string(c.Context().Host())
	switch s.hub.Mode() {
	case hub.ModePassword:
		p.Wants = views.ServerPassword
	case hub.ModeMembers:
		p.Wants = views.NamePassword
	case hub.ModeOpen, hub.ModeProxy:
	}
	if p.Name != "" || p.Error != "" {
		return s.page(c, "login", p)
	}
	s.costs(c, pageCost)
	key := loginKey{p.Locale, p.Theme, path, p.Room, p.Server, p.Online, p.Wants, pageCoding(c)}
	d, ok := s.loginPages.Get(key)
	if !ok {
		var err error
		if d, err = s.draw("login", p, key.coding); err != nil {
			return err
		}
		s.loginPages.Add(key.clone(), d)
	}
	return sendDrawn(c, s.views.Stylesheet(), d)
}

// loginKey is all on which a login page depends that tells nothing of an attempt to log in. It is the same for everybody, and
// everybody may ask for it, so it is drawn once.
type loginKey struct {
	locale, theme, path, room, server string
	online                            int
	wants                             views.Password
	coding                            coding
}

// clone may be kept when the request is over.
func (k loginKey) clone() loginKey {
	for _, s := range []*string{&k.locale, &k.theme, &k.path, &k.room, &k.server} {
		*s = strings.Clone(*s)
	}
	return k
}

// maxLoginPages bounds those that are kept, a dozen kilobytes each at most; those not asked for the longest go first.
const maxLoginPages = 64

// login is POST /login: name, password where one is wanted, and room to go on to. With the field rename it is refused
// rather than make somebody new of who asks.
func (s *Server) login(c *fiber.Ctx) error {
	name := trimmed(c.FormValue("name"))
	room, bad := protocol.CheckRoom(c.FormValue("room"))
	if bad != nil {
		room = protocol.RoomLobby
	}
	if name == "" {
		return s.loginRefused(c, name, room, protocol.Errorf(protocol.CodeEmpty, "a name is needed"))
	}
	if err := s.mayLogIn(c); err != nil {
		return s.loginRefused(c, name, room, err)
	}
	if err := s.full(c); err != nil {
		return s.loginRefused(c, name, room, err)
	}
	ctx, cancel := deadline()
	defer cancel()
	current, err := s.provedVisitor(ctx, c)
	if err != nil {
		return err
	}
	if c.FormValue("rename") != "" && (current == nil || current.Claimed) { // that would be somebody new
		return s.loginRefused(c, name, room, protocol.Errorf(protocol.CodeForbidden, "only a name without a password can be changed"))
	}
	m, err := s.hub.SignIn(ctx, hub.Entry{
		Name: name, Password: c.FormValue("password"), Label: deviceOf(c), How: protocol.LoginByPage, Current: current, From: clientAddr(c),
	})
	if err != nil {
		return s.loginRefused(c, name, room, err)
	}
	s.setLogin(c, s.hub.Cookie(m))
	if _, bad := s.hub.CheckRoom(room); bad != nil { // not before: who is not in must not learn which rooms there are
		room = protocol.RoomLobby
	}
	return redirect(c, roomPath(room)+"?welcome=1")
}

// full tells who logs in that there is no place for a connection of theirs now, rather than let them in to a page that
// cannot connect. The error is too_many, whatever there are too many of.
func (s *Server) full(c *fiber.Ctx) error {
	lease, err := s.hub.Admit(clientAddr(c))
	if err == nil {
		lease.Release()
		return nil
	}
	var e *protocol.Error
	if !errors.As(err, &e) || s.draining.Load() {
		return err
	}
	return &protocol.Error{Code: protocol.CodeTooMany, Message: "the server is full", RetryAfter: e.RetryAfter}
}

// loginRefused shows the login again, with what was typed.
func (s *Server) loginRefused(c *fiber.Ctx, name, room string, err error) error {
	var e *protocol.Error
	if !errors.As(err, &e) {
		return err
	}
	_ = s.refuse(c, "login", err)
	if !wantsHTML(c) {
		return err
	}
	c.Status(status(e.Code))
	if e.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, retryAfter(e.RetryAfter))
	}
	path := roomPath(room)
	if room == protocol.RoomLobby {
		path = "/"
	}
	return s.loginPage(c, views.LoginPage{Name: name, Error: e.Code, Suggestion: e.Suggestion, Wait: e.RetryAfter, Room: room}, path)
}

// trimmed is what was typed without what keyboards of phones add.
func trimmed(s string) string { return strings.TrimSpace(s) }

// logout is POST /logout: it ends this login, with the field everywhere all of the member's, on every device. Whoever
// would leave the chat without an owner by it is asked first, and says so with the field sure.
func (s *Server) logout(c *fiber.Ctx) error {
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.provedVisitor(ctx, c)
	var e *protocol.Error
	if errors.As(err, &e) && e.Code == protocol.CodeBanned { // the next one at this browser may be somebody else
		s.clearLogin(c)
		return redirect(c, "/")
	}
	if err != nil {
		return err
	}
	if m != nil && wantsHTML(c) && c.FormValue("sure") == "" {
		lost, err := s.hub.Orphans(ctx, *m, c.FormValue("everywhere") != "")
		if err != nil {
			return err
		}
		if lost {
			c.Status(fiber.StatusConflict)
			return s.page(c, "leave", views.LeavePage{Page: s.pageOf(c, roomPath(protocol.RoomLobby)), Everywhere: c.FormValue("everywhere") != ""})
		}
	}
	if m != nil {
		end := func() error { return s.hub.EndLogin(ctx, *m, m.Login) }
		if c.FormValue("everywhere") != "" {
			end = func() error { return s.hub.Logout(ctx, *m) }
		}
		if err := end(); err != nil {
			return err
		}
		s.clearLogin(c)
	}
	return redirect(c, "/")
}
