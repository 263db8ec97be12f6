package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
	"govor/views"
)

// send is POST /r/ROOM/messages, of a form or a program. A form is answered with the room, a program with the receipt.
func (s *Server) send(c *fiber.Ctx) error {
	room, bad := protocol.CheckRoom(roomParam(c))
	if bad != nil {
		return bad
	}
	msg, err := readMessage(c)
	if err != nil {
		return err
	}
	msg.Room = room
	if msg.ID == "" {
		msg.ID = protocol.NewID()
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
	receipt, err := s.submit(ctx, c, *m, msg)
	switch {
	case err != nil && m.Proof == hub.ByLogin && wantsHTML(c):
		return s.sendRefused(ctx, c, *m, msg, err)
	case err != nil:
		return err
	case wantsHTML(c):
		return redirect(c, roomPath(room))
	}
	c.Status(fiber.StatusCreated)
	if receipt.Duplicate {
		c.Status(fiber.StatusOK)
	}
	return sendReceipt(c, receipt)
}

// submit stores a message, or does what a line says that a host has typed into the form of the page.
func (s *Server) submit(ctx context.Context, c *fiber.Ctx, m hub.Member, msg protocol.Send) (protocol.Receipt, error) {
	if a, ok, bad := protocol.ParseAct(msg.Text); ok && wantsHTML(c) {
		if bad != nil {
			return protocol.Receipt{}, bad
		}
		a.ID, a.Room = msg.ID, msg.Room
		return s.hub.Act(ctx, m, exactAddr(c), a)
	}
	return s.hub.Submit(ctx, m, clientAddr(c), msg)
}

// sender is who sends: who Authorization or the cookie proves, else a guest. nil is a browser whose login has ended.
func (s *Server) sender(ctx context.Context, c *fiber.Ctx) (*hub.Member, error) {
	m, err := s.program(ctx, c)
	if m == nil && err == nil {
		m, err = s.provedVisitor(ctx, c)
	}
	if m != nil || err != nil {
		return m, err
	}
	name := c.Query("name")
	if name == "" && wantsHTML(c) {
		return nil, nil //nolint:nilnil // nobody is no error
	}
	guest, err := s.hub.Guest(ctx, name)
	return &guest, err
}

// sendRefused shows the room again, with what was typed. The id is kept where the message may have been stored: sent
// again, it is recognised then.
func (s *Server) sendRefused(ctx context.Context, c *fiber.Ctx, m hub.Member, msg protocol.Send, err error) error {
	var e *protocol.Error
	if !errors.As(err, &e) {
		return err
	}
	h, historyErr := s.hub.History(ctx, m, msg.Room, 0, pageSize)
	if historyErr != nil {
		return err
	}
	p := s.roomData(c, m, msg.Room, h, true, roomPath(msg.Room))
	p.Text, p.Error, p.RetryAfter, p.Why = msg.Text, e.Code, e.RetryAfter, e.Why
	if e.Code == protocol.CodeUnavailable {
		p.SendID = msg.ID
	}
	if e.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, retryAfter(e.RetryAfter))
	}
	if err := s.addReading(ctx, c, m, &p, h); err != nil {
		return err
	}
	c.Status(status(e.Code))
	return s.page(c, "room", p)
}

// sendReceipt answers with what the sender learns.
func sendReceipt(c *fiber.Ctx, r protocol.Receipt) error {
	body, err := json.Marshal(struct {
		Room      string `json:"room"`
		Seq       int64  `json:"seq"`
		ID        string `json:"id"`
		Duplicate bool   `json:"duplicate"`
	}{r.Room, r.Seq, r.ID, r.Duplicate})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return c.Send(append(body, '\n'))
}

// readMessage reads text and id. JSON says so in its content type; a form has a field text; any other body is the
// message as it stands, so that curl -d works: its content type is that of a form.
func readMessage(c *fiber.Ctx) (protocol.Send, error) {
	msg := protocol.Send{ID: idempotencyKey(c)}
	kind, _, _ := strings.Cut(strings.ToLower(c.Get(fiber.HeaderContentType)), ";")
	body := c.Request().Body() // c.Body would unpack what is compressed, whatever its size
	switch strings.TrimSpace(kind) {
	case fiber.MIMEApplicationJSON:
		if err := json.Unmarshal(body, &msg); err != nil {
			return msg, protocol.Errorf(protocol.CodeBadFrame, `this is not JSON of the form {"text":"…","id":"…"}`)
		}
		return msg, nil
	case fiber.MIMEMultipartForm:
		form, err := c.MultipartForm()
		if err != nil {
			return msg, protocol.Errorf(protocol.CodeBadFrame, "this is not a form")
		}
		return fromForm(msg, form.Value), nil
	case fiber.MIMEApplicationForm, "":
		// A browser sends nothing but forms, and one without a text is not a message.
		if fields, ok := parseForm(body); ok || wantsHTML(c) {
			return fromForm(msg, fields), nil
		}
	}
	body = bytes.TrimSuffix(body, []byte("\n"))
	msg.Text = string(bytes.TrimSuffix(body, []byte("\r")))
	return msg, nil
}

// idempotencyKey is the id of what is asked for, "" if there is none.
func idempotencyKey(c *fiber.Ctx) string { return strings.Trim(c.Get("Idempotency-Key"), `"`) }

// fromForm takes the fields of a form; its line ends are \r\n (WHATWG HTML, form submission), ours are \n.
func fromForm(msg protocol.Send, fields url.Values) protocol.Send {
	msg.Text = strings.ReplaceAll(fields.Get("text"), "\r\n", "\n")
	if id := fields.Get("id"); id != "" {
		msg.ID = id
	}
	return msg
}

// parseForm reads name=value&name=value. It is a form if every name is a plain word and one of them is text: a message
// may well contain = and &, and is not to be taken for one.
func parseForm(body []byte) (url.Values, bool) {
	fields := url.Values{}
	for pair := range strings.SplitSeq(string(body), "&") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || !isWord(name) {
			return nil, false
		}
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded // else a hand-written one with a bare %
		}
		fields.Add(name, value)
	}
	return fields, fields.Has("text")
}

// isWord tells a name that a form of ours could have.
func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return s != ""
}
