package handlers

import (
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
	"govor/hub/protocol"
	"govor/views"
)

// roomsPageSize is how many rooms one page lists.
const roomsPageSize = 100

// rooms is GET /rooms: all rooms, and a form for a new one.
func (s *Server) rooms(c *fiber.Ctx) error {
	if s.choose(c, "/rooms") {
		return nil
	}
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.visitor(ctx, c)
	if err != nil {
		return err
	}
	if m == nil {
		return s.loginPage(c, views.LoginPage{}, "/")
	}
	return s.roomsPage(ctx, c, *m, views.RoomsPage{})
}

// roomsPage lists the rooms below what p says of the form.
func (s *Server) roomsPage(ctx context.Context, c *fiber.Ctx, m hub.Member, p views.RoomsPage) error {
	p.Page = s.pageOf(c, "/rooms")
	all, more, err := s.hub.AllRooms(ctx, m, c.Query("after"), roomsPageSize)
	if err != nil {
		return err
	}
	p.More = more
	mine := map[string]hub.MyRoom{}
	for _, r := range s.hub.Rooms(ctx, m, "") {
		mine[r.Name] = r
	}
	for _, r := range all {
		my, listed := mine[r.Name]
		p.Rooms = append(p.Rooms, views.RoomFacts{
			Name: r.Name, Messages: r.Messages, Online: r.Online, Unread: my.Unread(), Mine: listed && r.Name != protocol.RoomLobby,
		})
	}
	return s.page(c, "rooms", p)
}

// newRoom is POST /rooms: it makes the room, if there is none of that name, and leads to it.
func (s *Server) newRoom(c *fiber.Ctx) error {
	name := c.FormValue("name")
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.provedVisitor(ctx, c)
	if err != nil {
		return err
	}
	if m == nil {
		c.Status(fiber.StatusUnauthorized)
		return s.loginPage(c, views.LoginPage{Error: protocol.CodeBadToken}, "/")
	}
	room, err := s.hub.OpenRoom(ctx, *m, clientAddr(c), tidyRoom(name))
	var e *protocol.Error
	switch {
	case err == nil:
		return redirect(c, roomPath(room))
	case !errors.As(err, &e) || !wantsHTML(c):
		return err
	}
	if e.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, retryAfter(e.RetryAfter))
	}
	c.Status(status(e.Code))
	return s.roomsPage(ctx, c, *m, views.RoomsPage{Name: name, Error: e.Code, Wait: e.RetryAfter})
}

// tidyRoom writes what a person types for a room as rooms are named: "#Планы на лето" is планы-на-лето.
func tidyRoom(name string) string {
	return strings.Join(strings.Fields(strings.TrimLeft(strings.TrimSpace(name), "#")), "-")
}

// leaveRoom is POST /r/ROOM/leave: it takes the room off the member's list.
func (s *Server) leaveRoom(c *fiber.Ctx) error {
	ctx, cancel := deadline()
	defer cancel()
	m, err := s.provedVisitor(ctx, c)
	if err != nil {
		return err
	}
	if m == nil {
		c.Status(fiber.StatusUnauthorized)
		return s.loginPage(c, views.LoginPage{Error: protocol.CodeBadToken}, "/")
	}
	room, bad := s.hub.CheckRoom(roomParam(c))
	if bad != nil {
		return bad
	}
	s.hub.Forget(*m, room)
	return redirect(c, roomPath(protocol.RoomLobby))
}

// cookieScripts is set by a page whose scripts run: they say what has been read. Without them, loading the newest page
// is reading it.
const cookieScripts = "govor-scripts"

// addReading says on a page of a room what was unread before, puts the room on the member's list, and notes that it has
// been read if there is no script that will.
func (s *Server) addReading(ctx context.Context, c *fiber.Ctx, m hub.Member, p *views.RoomPage, h hub.History) error {
	mark, known := s.hub.Enter(ctx, m, p.Room)
	p.Read, p.ReadSeq, p.Total = mark.Messages, mark.Seq, h.Room.Messages
	if !known {
		p.Read, p.ReadSeq = -1, h.Room.Last
	}
	if p.Live && c.Cookies(cookieScripts) == "" && p.Event > 0 {
		if err := s.hub.Read(ctx, m, p.Room, p.Event, nil); err != nil {
			return err
		}
	}
	for _, r := range s.hub.Rooms(ctx, m, p.Room) {
		p.Rooms = append(p.Rooms, views.RoomLink{
			Name: r.Name, Last: r.Last, Messages: r.Messages, Read: r.Read, Mentions: r.Mentions,
		})
	}
	return nil
}
