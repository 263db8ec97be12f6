package handlers

import (
	"errors"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
	"govor/views"
)

// OwnerPath is the path of the link by which somebody becomes an owner.
func OwnerPath(key string) string { return "/owner?key=" + url.QueryEscape(key) }

// ownerLink is GET /owner?key=…: it asks, and changes nothing, so that nobody who previews links becomes the owner.
func (s *Server) ownerLink(c *fiber.Ctx) error {
	if !s.hub.IsOwnerKey(c.Query("key")) {
		return s.refuse(c, "owner", protocol.Errorf(protocol.CodeForbidden, "this link is not good any more"))
	}
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.visitor(ctx, c)
	if err != nil {
		return err
	}
	p := views.OwnerPage{Page: s.pageOf(c, ""), Key: c.Query("key"), AsksPassword: s.asksOwner()}
	if m != nil {
		p.As = m.Name
	}
	return s.page(c, "owner", p)
}

// asksOwner tells whether the owner-to-be gets a password at once: where a name alone does not let one in.
func (s *Server) asksOwner() bool {
	mode := s.hub.Mode()
	return mode == hub.ModePassword || mode == hub.ModeMembers
}

// becomeOwner is POST /owner: the owner is who is logged in, or logs in with it.
func (s *Server) becomeOwner(c *fiber.Ctx) error {
	key, name := c.FormValue("key"), strings.TrimSpace(c.FormValue("name"))
	p := views.OwnerPage{Page: s.pageOf(c, OwnerPath(key)), Key: key, Name: name, AsksPassword: s.asksOwner()}
	if !s.hub.IsOwnerKey(key) {
		return s.refuse(c, "owner", protocol.Errorf(protocol.CodeForbidden, "this link is not good any more"))
	}
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.provedVisitor(ctx, c)
	if err != nil {
		return err
	}
	if m == nil {
		if name == "" {
			return s.ownerRefused(c, p, protocol.Errorf(protocol.CodeEmpty, "a name is needed"))
		}
		made, err := s.hub.EnterByOwnerKey(ctx, key, hub.Entry{Name: name, Password: c.FormValue("password"), How: protocol.LoginByPage, Label: deviceOf(c)})
		if err != nil {
			return s.ownerRefused(c, p, err)
		}
		s.setLogin(c, s.hub.Cookie(made))
		m = &made
	} else {
		p.As = m.Name
	}
	if err := s.hub.BecomeOwner(ctx, *m, key); err != nil {
		return s.ownerRefused(c, p, err)
	}
	return redirect(c, roomPath(protocol.RoomLobby))
}

// ownerRefused asks again, and says what was wrong.
func (s *Server) ownerRefused(c *fiber.Ctx, p views.OwnerPage, err error) error {
	if !errors.As(err, &p.Error) || !wantsHTML(c) {
		return err
	}
	c.Status(status(p.Error.Code))
	return s.page(c, "owner", p)
}
