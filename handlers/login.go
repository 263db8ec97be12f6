package handlers

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

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
	return s.page(c, "login", p)
}

// login is POST /login: name, and room to go on to.
func (s *Server) login(c *fiber.Ctx) error {
	name := strings.TrimSpace(c.FormValue("name")) // keyboards of phones add a space
	room, bad := s.hub.CheckRoom(c.FormValue("room"))
	if bad != nil {
		room = protocol.RoomLobby
	}
	if name == "" {
		return s.loginRefused(c, name, room, protocol.Errorf(protocol.CodeEmpty, "a name is needed"))
	}
	if wait := s.loginDelay(clientAddr(c)); wait > 0 {
		return s.loginRefused(c, name, room, &protocol.Error{
			Code: protocol.CodeTooFast, Message: "there are too many logins from your address", RetryAfter: wait,
		})
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
	m, err := s.hub.Login(ctx, name, current)
	if err != nil {
		return s.loginRefused(c, name, room, err)
	}
	s.setLogin(c, s.hub.Cookie(m))
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
	return s.loginPage(c, views.LoginPage{Name: name, Error: e.Code, Suggestion: e.Suggestion, Room: room}, path)
}

// logout is POST /logout: it ends all logins of the member, on every device.
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
	if m != nil {
		if err := s.hub.Logout(ctx, *m); err != nil {
			return err
		}
		s.clearLogin(c)
	}
	return redirect(c, "/")
}
