package handlers

import (
	"context"
	"errors"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
	"govor/views"
)

// delete is DELETE /r/ROOM/messages/41, of a program, and POST /r/ROOM/messages/41/delete, of a form: a form is answered
// with the room, a program with the receipt.
func (s *Server) delete(c *fiber.Ctx) error {
	return s.change(c, func(ctx context.Context, m hub.Member, room string, seq int64) (protocol.Receipt, error) {
		d := protocol.Delete{Room: room, ID: idempotencyKey(c), Seq: seq, Why: c.FormValue("why")}
		if id := c.FormValue("id"); d.ID == "" {
			d.ID = id
		}
		return s.hub.Delete(ctx, m, clientAddr(c), d)
	})
}

// edit is PUT or PATCH /r/ROOM/messages/41, of a program, and POST /r/ROOM/messages/41/edit, of a form. The body is read as
// that of a message.
func (s *Server) edit(c *fiber.Ctx) error {
	return s.change(c, func(ctx context.Context, m hub.Member, room string, seq int64) (protocol.Receipt, error) {
		msg, err := readMessage(c)
		if err != nil {
			return protocol.Receipt{}, err
		}
		return s.hub.Edit(ctx, m, clientAddr(c), protocol.Edit{Room: room, ID: msg.ID, Seq: seq, Text: msg.Text})
	})
}

// change does what is asked of a message that is there.
func (s *Server) change(c *fiber.Ctx, do func(context.Context, hub.Member, string, int64) (protocol.Receipt, error)) error {
	room, seq, err := messageParam(c)
	if err != nil {
		return err
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
	receipt, err := do(ctx, *m, room, seq)
	if err != nil && wantsHTML(c) && m.Proof == hub.ByLogin {
		return s.changeRefused(ctx, c, *m, room, seq, err)
	}
	if err != nil {
		return err
	}
	if wantsHTML(c) {
		return redirect(c, roomPath(room)+"/"+strconv.FormatInt(seq, 10))
	}
	return sendReceipt(c, receipt)
}

// messageParam is the room and the number of the path.
func messageParam(c *fiber.Ctx) (room string, seq int64, err error) {
	room, bad := protocol.CheckRoom(roomParam(c))
	if bad != nil {
		return "", 0, bad
	}
	seq, err = strconv.ParseInt(c.Params("seq"), 10, 64)
	if err != nil || seq < 1 {
		return "", 0, fiber.ErrNotFound
	}
	return room, seq, nil
}

// messagePage is GET /r/ROOM/messages/41: the message, and what one can do with it.
func (s *Server) messagePage(c *fiber.Ctx) error {
	room, seq, err := messageParam(c)
	if err != nil {
		return fiber.ErrNotFound
	}
	path := roomPath(room) + "/messages/" + strconv.FormatInt(seq, 10)
	if s.choose(c, path) {
		return nil
	}
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.visitor(ctx, c)
	if err != nil {
		return err
	}
	if m == nil {
		return s.loginPage(c, views.LoginPage{Room: room}, roomPath(room))
	}
	p, err := s.messageData(ctx, c, *m, room, seq)
	if err != nil {
		return err
	}
	return s.page(c, "message", p)
}

// messageData is what the page of a message shows.
func (s *Server) messageData(ctx context.Context, c *fiber.Ctx, m hub.Member, room string, seq int64) (views.MessagePage, error) {
	h, err := s.hub.Events(ctx, m, room, seq-1, 1)
	if err != nil {
		return views.MessagePage{}, err
	}
	if len(h.Events) == 0 || h.Events[0].Seq != seq {
		return views.MessagePage{}, fiber.ErrNotFound
	}
	return views.MessagePage{
		Page: s.pageOf(c, roomPath(room)+"/messages/"+strconv.FormatInt(seq, 10)), Room: room, Me: m.ID, Message: h.Events[0],
		SendID: protocol.NewID(), MaxText: s.maxText, Host: s.hub.Role(m.ID).IsHost(),
	}, nil
}

// changeRefused shows the message again, with what was typed. The id is kept where the change may have been stored.
func (s *Server) changeRefused(ctx context.Context, c *fiber.Ctx, m hub.Member, room string, seq int64, err error) error {
	var e *protocol.Error
	if !errors.As(err, &e) {
		return err
	}
	p, pageErr := s.messageData(ctx, c, m, room, seq)
	if pageErr != nil {
		return err
	}
	if msg, readErr := readMessage(c); readErr == nil {
		p.Typed = msg.Text
	}
	p.Error, p.RetryAfter = e.Code, e.RetryAfter
	if e.Code == protocol.CodeUnavailable {
		p.SendID = e.ID
	}
	if e.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, retryAfter(e.RetryAfter))
	}
	c.Status(status(e.Code))
	return s.page(c, "message", p)
}
