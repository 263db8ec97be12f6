package handlers

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
)

// isAdmin tells whether a request comes from a command beside the server, which can read its secret.
func (s *Server) isAdmin(c *fiber.Ctx) bool {
	token, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	return ok && s.hub.IsAdmin(token)
}

// makeInvite answers with the address of a new invite link.
func (s *Server) makeInvite(ctx context.Context, c *fiber.Ctx) error {
	var asked struct {
		Label   string `json:"label"`
		Seconds int64  `json:"seconds"`
		Uses    int    `json:"uses"`
	}
	if err := json.Unmarshal(c.Request().Body(), &asked); err != nil {
		return protocol.Errorf(protocol.CodeBadFrame, `this is not JSON of the form {"label":"…","seconds":86400,"uses":1}`)
	}
	seconds := min(asked.Seconds, int64(hub.MaxInviteAge/time.Second)+1)
	token, err := s.hub.Invite(ctx, hub.Member{}, asked.Label, time.Duration(seconds)*time.Second, asked.Uses)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(map[string]string{"link": s.address(c) + invitePath + token})
}
