package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
	"govor/views"
)

// isAdmin tells whether a request comes from a command beside the server, which can read its secret.
func (s *Server) isAdmin(c *fiber.Ctx) bool {
	token, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	return ok && s.hub.IsAdmin(token)
}

// inviter is who asks for something about invites: a host, or by the zero member a command beside the server. nil without an
// error is somebody who was shown the login.
func (s *Server) inviter(ctx context.Context, c *fiber.Ctx) (*hub.Member, error) {
	if s.isAdmin(c) {
		return &hub.Member{}, nil
	}
	if c.Method() == fiber.MethodGet {
		return s.host(ctx, c)
	}
	m, err := s.sender(ctx, c)
	switch {
	case err != nil:
		return nil, err
	case m == nil:
		return nil, protocol.Errorf(protocol.CodeBadToken, "this needs a login or a token")
	case !s.hub.Role(m.ID).IsHost():
		return nil, protocol.Errorf(protocol.CodeForbidden, "only hosts may invite")
	}
	return m, nil
}

// onInvites does something about invites for whoever may.
func (s *Server) onInvites(do func(context.Context, *fiber.Ctx, hub.Member) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, cancel := deadline()
		defer cancel()
		m, err := s.inviter(ctx, c)
		if err != nil || m == nil {
			return err
		}
		return do(ctx, c, *m)
	}
}

// invites is GET /invites: the links there are, as a page or as JSON.
func (s *Server) invites(ctx context.Context, c *fiber.Ctx, _ hub.Member) error {
	if wantsHTML(c) {
		if s.choose(c, "/invites") {
			return nil
		}
		return s.invitesPage(ctx, c, views.InvitesPage{Revoked: c.Query("done") == "revoked"})
	}
	list, err := s.hub.Invites(ctx)
	if err != nil {
		return err
	}
	return c.JSON(list)
}

// invitesPage fills in what every page of invites has.
func (s *Server) invitesPage(ctx context.Context, c *fiber.Ctx, p views.InvitesPage) error {
	list, err := s.hub.Invites(ctx)
	if err != nil {
		return err
	}
	p.Page = s.pageOf(c, "/invites")
	for _, i := range list {
		p.Invites = append(p.Invites, views.Invite{ID: i.ID, Label: i.Label, Made: i.Made, Until: i.Until, Uses: i.Uses, Used: i.Used})
	}
	return s.page(c, "invites", p)
}

// makeInvite is POST /invites, of a form or a program: the address of the new link is shown once.
func (s *Server) makeInvite(ctx context.Context, c *fiber.Ctx, by hub.Member) error {
	asked, err := readInvite(c, by)
	if err != nil {
		return err
	}
	token, err := s.hub.Invite(ctx, by, asked.label, asked.age, asked.uses)
	if err != nil {
		return s.inviteRefused(ctx, c, asked.label, err)
	}
	link := s.address(c) + invitePath + token
	if wantsHTML(c) {
		return s.invitesPage(ctx, c, views.InvitesPage{Link: link})
	}
	return c.Status(fiber.StatusCreated).JSON(map[string]string{"link": link})
}

// inviteRefused shows the page again, with what was typed.
func (s *Server) inviteRefused(ctx context.Context, c *fiber.Ctx, label string, err error) error {
	p := views.InvitesPage{Label: label}
	if !errors.As(err, &p.Error) || !wantsHTML(c) {
		return err
	}
	c.Status(status(p.Error.Code))
	return s.invitesPage(ctx, c, p)
}

// askedInvite is what a link is to be.
type askedInvite struct {
	label string
	age   time.Duration
	uses  int
}

// readInvite reads the fields of a host's form, or JSON. What is no number is too little for a link.
func readInvite(c *fiber.Ctx, by hub.Member) (askedInvite, error) {
	if !isJSON(c) && !by.ID.IsZero() {
		age, _ := protocol.ParseSpan(c.FormValue("for"))
		uses, _ := strconv.Atoi(trimmed(c.FormValue("uses")))
		return askedInvite{c.FormValue("label"), age, uses}, nil
	}
	var asked struct {
		Label   string `json:"label"`
		Seconds int64  `json:"seconds"`
		Uses    int    `json:"uses"`
	}
	if err := json.Unmarshal(c.Request().Body(), &asked); err != nil {
		return askedInvite{}, protocol.Errorf(protocol.CodeBadFrame, `this is not JSON of the form {"label":"…","seconds":86400,"uses":1}`)
	}
	seconds := min(asked.Seconds, int64(hub.MaxInviteAge/time.Second)+1)
	return askedInvite{asked.Label, time.Duration(seconds) * time.Second, asked.Uses}, nil
}

// revokeInvite is POST /invites/revoke: invite, its id.
func (s *Server) revokeInvite(ctx context.Context, c *fiber.Ctx, by hub.Member) error {
	if err := s.hub.EndInvite(ctx, by, c.FormValue("invite")); err != nil {
		return err
	}
	return redirect(c, "/invites?done=revoked")
}

// dropInvite is DELETE /invites/ID.
func (s *Server) dropInvite(ctx context.Context, c *fiber.Ctx, by hub.Member) error {
	id, err := url.PathUnescape(c.Params("id"))
	if err != nil {
		return fiber.ErrNotFound
	}
	return s.hub.EndInvite(ctx, by, id)
}
