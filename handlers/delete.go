package handlers

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"govor/hub/protocol"
	"govor/views"
)

// delete is DELETE /r/ROOM/messages/41, of a program, and POST /r/ROOM/messages/41/delete, of a form: a form is answered
// with the room, a program with the receipt.
func (s *Server) delete(c *fiber.Ctx) error {
	room, bad := protocol.CheckRoom(roomParam(c))
	if bad != nil {
		return bad
	}
	seq, err := strconv.ParseInt(c.Params("seq"), 10, 64)
	if err != nil || seq < 1 {
		return fiber.ErrNotFound
	}
	d := protocol.Delete{Room: room, ID: idempotencyKey(c), Seq: seq}
	if id := c.FormValue("id"); d.ID == "" {
		d.ID = id
	}
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.sender(ctx, c)
	if err != nil {
		return err
	}
	if m == nil {
		c.Status(fiber.StatusUnauthorized)
		return s.loginPage(c, views.LoginPage{Room: room, Error: protocol.CodeBadToken}, roomPath(room))
	}
	receipt, err := s.hub.Delete(ctx, *m, clientAddr(c), d)
	if err != nil {
		return err
	}
	if wantsHTML(c) {
		return redirect(c, roomPath(room))
	}
	return sendReceipt(c, receipt)
}
