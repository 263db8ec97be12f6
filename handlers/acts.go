package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
	"govor/views"
)

// exactAddr is the address of whoever asks; the zero one if it is not known. Bans compare it.
func exactAddr(c *fiber.Ctx) netip.Addr { return clientIn(c).addr.Unmap().WithZone("") }

// keepOut refuses who comes from a banned address, but for hosts. Members who are banned are refused where they are
// recognised. What pages load is for everybody: a refusal is a page, too.
func (s *Server) keepOut(c *fiber.Ctx) error {
	banned := s.hub.ShutOut(hub.Member{}, exactAddr(c))
	if banned == nil || strings.HasPrefix(c.Path(), "/static/") {
		return c.Next()
	}
	ctx, cancel := deadline()
	defer cancel()
	if m := s.recognised(ctx, c); m != nil && s.hub.ShutOut(*m, exactAddr(c)) == nil {
		return c.Next()
	}
	return s.refuse(c, "banned", banned)
}

// recognised is who a token or a cookie says it is, nil if nobody; it proves nothing for what changes something.
func (s *Server) recognised(ctx context.Context, c *fiber.Ctx) *hub.Member {
	if token, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer "); ok {
		if m, err := s.hub.Recognise(ctx, token); err == nil {
			return &m
		}
		return nil
	}
	m, err := s.visitor(ctx, c)
	if err != nil {
		return nil
	}
	return m
}

// act is POST /act, of a form or a program.
func (s *Server) act(c *fiber.Ctx) error {
	a, back, err := readAct(c)
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
		return s.loginPage(c, views.LoginPage{Error: protocol.CodeBadToken}, "/")
	}
	receipt, err := s.hub.Act(ctx, *m, exactAddr(c), a)
	switch {
	case err != nil && wantsHTML(c) && !a.Member.IsZero() && s.hub.Role(m.ID).IsHost():
		return s.actRefused(ctx, c, *m, a, back, err)
	case err != nil:
		return err
	case wantsHTML(c):
		return redirect(c, back)
	}
	return sendReceipt(c, receipt)
}

// actRefused shows the person again, with what was typed.
func (s *Server) actRefused(ctx context.Context, c *fiber.Ctx, m hub.Member, a protocol.Act, back string, err error) error {
	var e *protocol.Error
	if !errors.As(err, &e) {
		return err
	}
	p, lost := s.personData(ctx, c, m, a.Member, back)
	if lost != nil {
		return err
	}
	p.Error, p.Why = e, a.Why
	c.Status(status(e.Code))
	return s.page(c, "person", p)
}

// actFields are an act as a form or JSON has it.
type actFields struct {
	ID      string          `json:"id"`
	Room    string          `json:"room"`
	Line    string          `json:"line"`
	Action  protocol.Action `json:"action"`
	Member  string          `json:"member"`
	Name    string          `json:"name"`
	Net     string          `json:"net"`
	Address bool            `json:"address"`
	For     string          `json:"for"`
	Role    protocol.Role   `json:"role"`
	Why     string          `json:"why"`
}

// isJSON tells whether the body of a request is JSON.
func isJSON(c *fiber.Ctx) bool {
	return strings.HasPrefix(strings.ToLower(c.Get(fiber.HeaderContentType)), fiber.MIMEApplicationJSON)
}

// readAct reads what is asked for, and where a form goes on.
func readAct(c *fiber.Ctx) (a protocol.Act, back string, err error) {
	f := actFields{
		Room: c.FormValue("room"), Line: c.FormValue("line"), Action: protocol.Action(c.FormValue("action")), Member: c.FormValue("member"),
		Name: c.FormValue("name"), Net: c.FormValue("net"), Address: c.FormValue("address") == "true", For: c.FormValue("for"),
		Role: protocol.Role(c.FormValue("role")), Why: c.FormValue("why"), ID: c.FormValue("id"),
	}
	if isJSON(c) {
		if err := json.Unmarshal(c.Request().Body(), &f); err != nil {
			return a, "", protocol.Errorf(protocol.CodeBadFrame, "this is not an act as JSON")
		}
	}
	if key := idempotencyKey(c); key != "" {
		f.ID = key
	}
	if f.Room == "" {
		f.Room = protocol.RoomLobby
	}
	var bad *protocol.Error
	if f.Line != "" {
		var ok bool
		if a, ok, bad = protocol.ParseAct(f.Line); !ok {
			bad = protocol.Errorf(protocol.CodeBadCommand, "there is no such command")
		}
	} else {
		a, bad = protocol.ReadAct(protocol.Act{Action: f.Action, Name: f.Name, Address: f.Address, Role: f.Role, Why: f.Why}, f.Member, f.Net, f.For)
	}
	if a.ID, a.Room = f.ID, f.Room; bad != nil {
		return a, "", bad.About(f.Room, f.ID)
	}
	return a, ownPath(c.FormValue("back")), nil
}

// ownPath is a path of ours to go back to; the lobby instead of anything else.
func ownPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/r/") && u.Path != "/audit" || strings.Contains(path, `\`) {
		return roomPath(protocol.RoomLobby)
	}
	return u.EscapedPath()
}

// person is GET /people/MEMBER: what a host may do to somebody.
func (s *Server) person(c *fiber.Ctx) error {
	id, err := protocol.ParseMemberID(c.Params("member"))
	if err != nil {
		return fiber.ErrNotFound
	}
	if s.choose(c, c.Path()) {
		return nil
	}
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.host(ctx, c)
	if err != nil || m == nil {
		return err
	}
	back := ""
	if from, err := url.Parse(c.Get(fiber.HeaderReferer)); err == nil {
		back = from.Path
	}
	p, err := s.personData(ctx, c, *m, id, ownPath(back))
	if err != nil {
		return err
	}
	return s.page(c, "person", p)
}

// host is who asks, if it is a host; nil without an error is somebody who was shown the login.
func (s *Server) host(ctx context.Context, c *fiber.Ctx) (*hub.Member, error) {
	m, err := s.visitor(ctx, c)
	switch {
	case err != nil:
		return nil, err
	case m == nil && wantsHTML(c):
		c.Status(fiber.StatusUnauthorized)
		return nil, s.loginPage(c, views.LoginPage{}, "/")
	case m == nil:
		if m = s.recognised(ctx, c); m == nil {
			return nil, protocol.Errorf(protocol.CodeBadToken, "this needs a login or a token")
		}
	}
	if !s.hub.Role(m.ID).IsHost() {
		return nil, protocol.Errorf(protocol.CodeForbidden, "only hosts may see this")
	}
	return m, nil
}

func (s *Server) personData(ctx context.Context, c *fiber.Ctx, m hub.Member, id protocol.MemberID, back string) (views.PersonPage, error) {
	who, err := s.hub.Person(ctx, id)
	if err != nil {
		return views.PersonPage{}, err
	}
	p := views.PersonPage{Page: s.pageOf(c, "/people/"+id.String()), Me: s.hub.Role(m.ID), Person: who, Here: s.hub.Connected(id), Back: back}
	p.Muted, p.Banned = s.hub.Kept(id)
	return p, nil
}

// audit is GET /audit and /audit.json: what hosts have done.
func (s *Server) audit(c *fiber.Ctx) error {
	before, err := number(c, "before")
	if err != nil {
		return err
	}
	limit, err := number(c, "limit")
	if err != nil {
		return err
	}
	if limit == 0 {
		limit = pageSize
	}
	if s.choose(c, "/audit") {
		return nil
	}
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.host(ctx, c)
	if err != nil || m == nil {
		return err
	}
	entries, err := s.hub.Audit(ctx, *m, before, int(min(limit, hub.MaxPage)))
	if err != nil {
		return err
	}
	more := len(entries) > 0 && entries[len(entries)-1].Num > 1
	if strings.HasSuffix(c.Path(), ".json") {
		list := make([]json.RawMessage, len(entries))
		for i := range entries {
			list[i] = entries[i].JSON()
		}
		return sendAudit(c, list, more)
	}
	p := views.AuditPage{Page: s.pageOf(c, "/audit")}
	for _, e := range entries {
		n, nets := e.Told()
		p.Entries = append(p.Entries, views.AuditEntry{Num: e.Num, Notice: *n, Nets: nets})
	}
	if more {
		p.Older = entries[len(entries)-1].Num
	}
	for _, x := range s.hub.Sanctions() {
		p.Sanctions = append(p.Sanctions, views.SanctionRow{
			Ban: x.Kind == protocol.KindBan, Member: x.Member, Name: x.Name, Nets: x.Nets, Until: x.End(), By: x.By, Why: x.Why,
		})
	}
	return s.page(c, "audit", p)
}

// auditFile is GET /audit.jsonl: the whole list, the newest first, a line of JSON for each entry, to be kept.
func (s *Server) auditFile(c *fiber.Ctx) error {
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.host(ctx, c)
	if err != nil || m == nil {
		return err
	}
	var file bytes.Buffer
	for before := int64(0); ; {
		entries, err := s.hub.Audit(ctx, *m, before, hub.MaxPage)
		if err != nil {
			return err
		}
		for i := range entries {
			before = entries[i].Num
			file.Write(entries[i].JSON())
			file.WriteByte('\n')
		}
		if len(entries) == 0 || before <= 1 {
			break
		}
	}
	c.Set(fiber.HeaderContentType, "application/jsonl; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="govor-audit.jsonl"`)
	return c.Send(file.Bytes())
}

// sendAudit answers with entries, the newest first.
func sendAudit(c *fiber.Ctx, entries []json.RawMessage, more bool) error {
	body, err := json.Marshal(struct {
		Entries []json.RawMessage `json:"entries"`
		More    bool              `json:"more"`
	}{entries, more})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return c.Send(append(body, '\n'))
}
