package handlers

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
	"govor/views"
)

// account is GET /account: the password of one's name, where one is logged in, links and tokens.
func (s *Server) account(c *fiber.Ctx) error {
	if s.choose(c, "/account") {
		return nil
	}
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.visitor(ctx, c)
	if err != nil {
		return err
	}
	if m == nil {
		return redirect(c, "/")
	}
	return s.accountPage(ctx, c, *m, views.AccountPage{Done: c.Query("done")})
}

// accountPage fills in what every account page has.
func (s *Server) accountPage(ctx context.Context, c *fiber.Ctx, m hub.Member, p views.AccountPage) error {
	p.Page = s.pageOf(c, "/account")
	p.Name, p.Claimed, p.ByProxy = m.Name, m.Claimed, s.hub.Mode() == hub.ModeProxy
	p.Kept = s.hub.Mode() == hub.ModeMembers
	logins, err := s.hub.Logins(ctx, m)
	if err != nil {
		return err
	}
	for _, l := range logins {
		p.Logins = append(p.Logins, views.Login{
			ID: l.ID, How: l.How, Label: l.Label, Made: l.Made, Seen: l.Seen, Current: l.Current, Online: l.Online,
		})
	}
	return s.page(c, "account", p)
}

// onAccount runs a form of the account page for whoever is logged in.
func (s *Server) onAccount(do func(context.Context, *fiber.Ctx, hub.Member) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, cancel := deadline()
		defer cancel()
		m, err := s.provedVisitor(ctx, c)
		if err != nil {
			return err
		}
		if m == nil {
			return s.refuse(c, "login", protocol.Errorf(protocol.CodeBadToken, "this needs a login"))
		}
		return do(ctx, c, *m)
	}
}

// accountRefused shows the account again, with what is wrong beside the form that was sent.
func (s *Server) accountRefused(ctx context.Context, c *fiber.Ctx, m hub.Member, form string, err error) error {
	var e *protocol.Error
	if !errors.As(err, &e) || !wantsHTML(c) {
		return err
	}
	_ = s.refuse(c, "account", err)
	c.Status(status(e.Code))
	if e.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, retryAfter(e.RetryAfter))
	}
	return s.accountPage(ctx, c, m, views.AccountPage{Form: form, Error: e.Code, Wait: e.RetryAfter})
}

// setPassword is POST /account/password: old, where there is one, and password.
func (s *Server) setPassword(ctx context.Context, c *fiber.Ctx, m hub.Member) error {
	m2, err := s.hub.SetPassword(ctx, m, c.FormValue("old"), c.FormValue("password"))
	if err != nil {
		return s.accountRefused(ctx, c, m, "password", err)
	}
	s.setLogin(c, s.hub.Cookie(m2))
	return redirect(c, "/account?done=password")
}

// removePassword is POST /account/password/remove: old.
func (s *Server) removePassword(ctx context.Context, c *fiber.Ctx, m hub.Member) error {
	m2, err := s.hub.RemovePassword(ctx, m, c.FormValue("old"))
	if err != nil {
		return s.accountRefused(ctx, c, m, "remove", err)
	}
	s.setLogin(c, s.hub.Cookie(m2))
	return redirect(c, "/account?done=removed")
}

// makeLink is POST /account/link: it shows a link that signs in on another device, once.
func (s *Server) makeLink(ctx context.Context, c *fiber.Ctx, m hub.Member) error {
	link, _ := s.hub.Link(m)
	return s.accountPage(ctx, c, m, views.AccountPage{Link: s.address(c) + linkPath + link})
}

// makeToken is POST /account/tokens: label. The token is shown once.
func (s *Server) makeToken(ctx context.Context, c *fiber.Ctx, m hub.Member) error {
	token, err := s.hub.NewToken(ctx, m, c.FormValue("label"))
	if err != nil {
		return s.accountRefused(ctx, c, m, "token", err)
	}
	return s.accountPage(ctx, c, m, views.AccountPage{Token: token})
}

// endLogin is POST /account/logins/end: login, its id.
func (s *Server) endLogin(ctx context.Context, c *fiber.Ctx, m hub.Member) error {
	login := c.FormValue("login")
	if login == "" {
		return protocol.Errorf(protocol.CodeEmpty, "which login?")
	}
	if err := s.hub.EndLogin(ctx, m, login); err != nil {
		return err
	}
	if login == m.Login {
		s.clearLogin(c)
		return redirect(c, "/")
	}
	return redirect(c, "/account?done=ended")
}

// link is GET /link/TOKEN: it asks before it signs in, since programs that show a link's contents follow it.
func (s *Server) link(c *fiber.Ctx) error {
	if s.choose(c, c.Path()) {
		return nil
	}
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.hub.LinkOwner(ctx, c.Params("token"))
	return s.enterPage(c, views.EnterPage{Name: m.Name}, err)
}

// useLink is POST /link/TOKEN.
func (s *Server) useLink(c *fiber.Ctx) error {
	ctx, cancel := deadline()
	defer cancel()
	current, err := s.provedVisitor(ctx, c)
	if err != nil {
		return err
	}
	m, err := s.hub.UseLink(ctx, c.Params("token"), hub.Entry{Label: deviceOf(c), Current: current})
	if err != nil {
		return s.enterPage(c, views.EnterPage{}, s.refuse(c, "link", err))
	}
	s.setLogin(c, s.hub.Cookie(m))
	return redirect(c, roomPath(protocol.RoomLobby)+"?welcome=1")
}

// invite is GET /invite/TOKEN: it asks for a name and a password.
func (s *Server) invite(c *fiber.Ctx) error {
	if s.choose(c, c.Path()) {
		return nil
	}
	ctx, cancel := deadline()
	defer cancel()
	_, err := s.hub.CheckInvite(ctx, c.Params("token"))
	return s.enterPage(c, views.EnterPage{Invite: true}, err)
}

// accept is POST /invite/TOKEN: name and password.
func (s *Server) accept(c *fiber.Ctx) error {
	name := trimmed(c.FormValue("name"))
	p := views.EnterPage{Invite: true, Name: name}
	if err := s.mayLogIn(c); err != nil {
		return s.enterPage(c, p, s.refuse(c, "invite", err))
	}
	ctx, cancel := deadline()
	defer cancel()
	current, err := s.provedVisitor(ctx, c)
	if err != nil {
		return err
	}
	m, err := s.hub.Accept(ctx, c.Params("token"), hub.Entry{
		Name: name, Password: c.FormValue("password"), Label: deviceOf(c), How: protocol.LoginByPage, Current: current,
	})
	if err != nil {
		return s.enterPage(c, p, s.refuse(c, "invite", err))
	}
	s.setLogin(c, s.hub.Cookie(m))
	return redirect(c, roomPath(protocol.RoomLobby)+"?welcome=1")
}

// enterPage shows what a link leads to, and what is wrong.
func (s *Server) enterPage(c *fiber.Ctx, p views.EnterPage, err error) error {
	var e *protocol.Error
	switch {
	case err == nil:
	case !errors.As(err, &e), !wantsHTML(c):
		return err
	default:
		p.Error, p.Suggestion, p.Wait = e.Code, e.Suggestion, e.RetryAfter
		c.Status(status(e.Code))
		if e.RetryAfter > 0 {
			c.Set(fiber.HeaderRetryAfter, retryAfter(e.RetryAfter))
		}
	}
	p.Page, p.Action = s.pageOf(c, c.Path()), c.Path()
	return s.page(c, "enter", p)
}
