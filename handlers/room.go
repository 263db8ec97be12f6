package handlers

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
	"govor/views"
)

// pageSize is how many messages a page of a room has.
const pageSize = 50

// room is GET /r/ROOM: the newest messages, with ?before=N those before N, with ?after=N those after it; the login card for whoever is not logged in.
func (s *Server) room(c *fiber.Ctx) error {
	return s.roomPage(c, func(ctx context.Context, m hub.Member, room string) (hub.History, bool, error) {
		before, err := number(c, "before")
		if err != nil {
			return hub.History{}, false, err
		}
		if before == 0 && c.Query("after") != "" {
			after, err := number(c, "after")
			if err != nil {
				return hub.History{}, false, err
			}
			if h, err := s.hub.Events(ctx, m, room, after, pageSize); err != nil || len(h.Events) > 0 {
				return h, !h.Newer, err
			}
		}
		h, err := s.hub.History(ctx, m, room, before, pageSize)
		return h, before == 0, err
	}, 0)
}

// around is GET /r/ROOM/41: the page in which number 41 is.
func (s *Server) around(c *fiber.Ctx) error {
	seq, err := strconv.ParseInt(c.Params("seq"), 10, 64)
	if err != nil || seq < 1 {
		return fiber.ErrNotFound
	}
	return s.roomPage(c, func(ctx context.Context, m hub.Member, room string) (hub.History, bool, error) {
		h, err := s.hub.Around(ctx, m, room, seq, pageSize)
		return h, !h.Newer, err
	}, seq)
}

// roomPage answers with a page of a room. target is the number of the message that it is about, 0 if it is about none.
func (s *Server) roomPage(c *fiber.Ctx, read func(context.Context, hub.Member, string) (h hub.History, live bool, err error), target int64) error {
	room, bad := protocol.CheckRoom(roomParam(c))
	if bad != nil {
		return fiber.ErrNotFound
	}
	path := roomPath(room)
	if target > 0 {
		path += "/" + strconv.FormatInt(target, 10)
	}
	if s.choose(c, path) {
		return nil
	}
	if roomParam(c) != room {
		return c.Redirect(withQuery(c, path), fiber.StatusFound)
	}
	ctx, cancel := s.readingDeadline()
	defer cancel()
	m, err := s.visitor(ctx, c)
	if err != nil {
		return err
	}
	welcome := c.Query("welcome") != ""
	switch {
	case m == nil && welcome:
		return s.loginPage(c, views.LoginPage{Room: room, Error: views.CodeNoCookie}, roomPath(room))
	case m == nil:
		return s.loginPage(c, views.LoginPage{Room: room}, roomPath(room))
	case welcome:
		return redirect(c, path)
	}
	if _, bad := s.hub.CheckRoom(room); bad != nil { // not before: the answer tells which rooms there are
		return fiber.ErrNotFound
	}
	if next, err := s.pacePages(c, *m); !next {
		return err
	}
	s.hub.Refresh(ctx, *m)
	h, live, err := read(ctx, *m, room)
	if err != nil {
		return err
	}
	p := s.roomData(c, *m, room, h, live, path)
	p.Target = target
	if err := s.addReading(ctx, c, *m, &p, h); err != nil {
		return err
	}
	return s.page(c, "room", p)
}

// roomData is what the page of a room shows.
func (s *Server) roomData(c *fiber.Ctx, m hub.Member, room string, h hub.History, live bool, path string) views.RoomPage {
	p := views.RoomPage{
		Page: s.pageOf(c, path), Room: room, Me: m.ID, Name: m.Name, Messages: h.Events, Live: live,
		Event: h.Room.Last, EventID: h.Room.LastID, SendID: protocol.NewID(), MaxText: s.maxText,
	}
	p.People, p.Online = s.hub.People(room)
	p.Role, p.HostsOnly, p.Slow = s.hub.Role(m.ID), h.Room.HostsOnly, time.Duration(h.Room.Slow)*time.Millisecond
	p.Muted, _ = s.hub.Kept(m.ID)
	if len(h.Events) == 0 {
		p.Server = string(c.Context().Host())
		return p
	}
	if h.Older {
		p.Older = h.Events[0].Seq
	}
	if h.Newer {
		p.Newer = h.Events[len(h.Events)-1].Seq
	}
	return p
}

// messages is GET /r/ROOM/messages.json?after=N or ?before=N, &limit=N: what was said, for programs. Whoever may read a
// room needs no name for it.
func (s *Server) messages(c *fiber.Ctx) error {
	limit, err := number(c, "limit")
	if err != nil {
		return err
	}
	if limit == 0 {
		limit = pageSize
	}
	limit = min(limit, hub.MaxPage)
	ctx, cancel := s.readingDeadline()
	defer cancel()
	m, err := s.reader(ctx, c)
	if err != nil {
		return err
	}
	room, bad := s.hub.CheckRoom(roomParam(c)) // not before: the answer tells which rooms there are
	if bad != nil {
		return bad
	}
	var h hub.History
	more := false
	if c.Query("after") != "" {
		after, err := number(c, "after")
		if err != nil {
			return err
		}
		if h, err = s.hub.Events(ctx, m, room, after, int(limit)); err != nil {
			return err
		}
		more = h.Newer
	} else {
		before, err := number(c, "before")
		if err != nil {
			return err
		}
		if h, err = s.hub.History(ctx, m, room, before, int(limit)); err != nil {
			return err
		}
		more = h.Older
	}
	s.costs(c, 1+historyCost*len(h.Events)/pageSize)
	s.loops.GiveWay()
	return sendMessages(c, room, h.Events, more)
}

// sendMessages answers with an array of messages as the JSON format writes them, ascending; more tells that there are
// others in the direction that was asked for.
func sendMessages(c *fiber.Ctx, room string, events []protocol.Event, more bool) error {
	b := append([]byte(`{"room":`), strconv.Quote(room)...) // letters, digits, - _ . only
	b = append(b, `,"messages":[`...)
	for i := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = protocol.JSON{}.Append(b, protocol.Message{Event: &events[i]})
	}
	b = append(b, `],"more":`...)
	b = append(strconv.AppendBool(b, more), "}\n"...)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return c.Send(b)
}

// number reads a field of the query, 0 if it is not there.
func number(c *fiber.Ctx, name string) (int64, error) {
	text := c.Query(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, protocol.Errorf(protocol.CodeBadFrame, "%s is a number, 0 or more", name)
	}
	return n, nil
}

// withQuery adds the query of the request to a path.
func withQuery(c *fiber.Ctx, path string) string {
	if q := c.Context().URI().QueryString(); len(q) > 0 {
		return path + "?" + string(q)
	}
	return path
}
