package handlers

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"govor/hub"
	"govor/hub/protocol"
	"govor/hub/socket"
)

// maxHistory bounds ?history=.
const maxHistory = 1000

// handshake refuses what is not the opening of a WebSocket (RFC 6455 §4.2.1). The library lets HTTP/1.0 and short keys
// pass.
func (s *Server) handshake(c *fiber.Ctx) error {
	key, err := base64.StdEncoding.DecodeString(c.Get("Sec-WebSocket-Key"))
	switch {
	case !websocket.IsWebSocketUpgrade(c):
		c.Set(fiber.HeaderUpgrade, "websocket")
		return s.refuse(c, "handshake", fiber.NewError(fiber.StatusUpgradeRequired, "this address speaks WebSocket, for example: wscat -c ws://HOST/ws"))
	case c.Get("Sec-WebSocket-Version") != "13":
		c.Set("Sec-WebSocket-Version", "13")
		return s.refuse(c, "handshake", fiber.NewError(fiber.StatusUpgradeRequired, "only version 13 of WebSocket is spoken here"))
	case !c.Request().Header.IsHTTP11():
		return s.refuse(c, "handshake", fiber.NewError(fiber.StatusBadRequest, "a WebSocket begins with HTTP/1.1"))
	case err != nil || len(key) != 16:
		return s.refuse(c, "handshake", fiber.NewError(fiber.StatusBadRequest, "Sec-WebSocket-Key is not 16 bytes in base64"))
	case len(c.Context().Host()) == 0:
		return s.refuse(c, "handshake", fiber.NewError(fiber.StatusBadRequest, "there is no Host"))
	}
	return c.Next()
}

// joining is what a connection brings through the upgrade. It holds no memory of the request.
type joining struct {
	place *place
	head  []byte // the answer to the handshake: joined writes it, together with the session's first words
}

// localJoining is the key under which socket keeps it.
const localJoining = "joining"

// socket is GET /ws. Everything is decided before the upgrade, while there is a status to answer with.
func (s *Server) socket(c *fiber.Ctx) error {
	params, err := s.sessionParams(c)
	if err != nil {
		return err
	}
	s.loops.GiveWay()
	lease, err := s.hub.Admit(clientAddr(c))
	if err != nil {
		return s.refuse(c, "full", err)
	}
	session, err := s.hub.Open(params)
	if err != nil {
		lease.Release()
		return s.refuse(c, "open", err)
	}
	s.loops.GiveWay()
	j := &joining{place: newPlace(lease, session)}
	c.Locals(localJoining, j)
	c.Request().Header.DelAllCookies() // the library copies them, and keeps the copies in its pool
	c.Context().QueryArgs().Reset()
	if err := s.upgrade(c); err != nil {
		j.place.release()
		return s.refuse(c, "handshake", fiber.NewError(fiber.StatusBadRequest, "this is not the opening of a WebSocket"))
	}
	j.head = bytes.Clone(c.Response().Header.Header())
	c.Context().HijackSetNoResponse(true)
	return nil
}

// sessionParams reads who joins what, and how.
func (s *Server) sessionParams(c *fiber.Ctx) (hub.SessionParams, error) {
	p := hub.SessionParams{Room: protocol.RoomLobby, Addr: clientIn(c).addr}
	if err := beginning(c, &p); err != nil {
		return p, s.refuse(c, "history", err)
	}
	subprotocol, ok := chooseSubprotocol(values(c, "Sec-WebSocket-Protocol"))
	if !ok {
		return p, s.refuse(c, "format", protocol.Errorf(protocol.CodeBadFrame,
			"of the subprotocols none is known; there are %s and %s, and none for plain text", protocol.SubprotocolJSON, protocol.SubprotocolHTML))
	}
	if subprotocol != "" {
		c.Set("Sec-WebSocket-Protocol", subprotocol) // the library answers with what stands here
	}
	if p.Format = s.formats[subprotocol]; p.Format == nil {
		p.Format = s.views.Format(locale(c))
	}
	ctx, cancel := deadline()
	defer cancel()
	var err error
	if p.Member, err = s.member(ctx, c, subprotocol == protocol.SubprotocolHTML); err != nil {
		return p, err
	}
	if name := c.Query("room"); name != "" { // not before: the answer tells which rooms there are
		room, bad := s.hub.CheckRoom(name)
		if bad != nil {
			return p, s.refuse(c, "room", bad)
		}
		p.Room = room
	}
	return p, nil
}

// beginning reads where in its room the session begins, if the address says so. The error is a *protocol.Error.
func beginning(c *fiber.Ctx, p *hub.SessionParams) error {
	query := c.Context().QueryArgs()
	back, on := query.Has("history"), query.Has("after")
	history, err := number(c, "history")
	switch {
	case err != nil || history > maxHistory:
		return protocol.Errorf(protocol.CodeBadFrame, "history is a number from 0 to %d", maxHistory)
	case back && on:
		return protocol.Errorf(protocol.CodeBadFrame, "a connection begins so many messages back (history), or goes on after one (after), not both")
	}
	p.Begins, p.History = back || on, int(history)
	if on {
		after, err := number(c, "after")
		if err != nil {
			return err
		}
		p.Resume = protocol.Resume{After: &after, ID: strings.Clone(c.Query("id"))}
	}
	return nil
}

// member is who connects: who Authorization or the cookie proves, else a guest by ?name=. The page has a login always.
func (s *Server) member(ctx context.Context, c *fiber.Ctx, needLogin bool) (hub.Member, error) {
	m, err := s.program(ctx, c)
	if m == nil && err == nil {
		m, err = s.provedVisitor(ctx, c)
	}
	switch {
	case err != nil:
		return hub.Member{}, err
	case m != nil:
		return *m, nil
	case needLogin:
		return hub.Member{}, s.refuse(c, "login", protocol.Errorf(protocol.CodeBadToken, "this format needs a login"))
	}
	guest, err := s.hub.Guest(ctx, c.Query("name"))
	if err != nil {
		return hub.Member{}, s.refuse(c, "name", err)
	}
	return guest, nil
}

// chooseSubprotocol is the first known one of what a client offers, "" if it offers nothing.
func chooseSubprotocol(headers []string) (string, bool) {
	offered := false
	for _, header := range headers {
		for name := range strings.SplitSeq(header, ",") {
			switch name = strings.TrimSpace(name); name {
			case protocol.SubprotocolJSON, protocol.SubprotocolHTML:
				return strings.Clone(name), true
			case "":
			default:
				offered = true
			}
		}
	}
	return "", !offered
}

// unusedBuffer is the least that the library makes.
const unusedBuffer = 128

// newUpgrade is the library's part. It checks no origins: fromOurs has. Nothing is compressed: a small frame could
// become a huge message.
func (s *Server) newUpgrade() fiber.Handler {
	return websocket.New(s.joined, websocket.Config{
		ReadBufferSize: unusedBuffer, WriteBufferSize: unusedBuffer, // the driver has its own
		RecoverHandler: func(*websocket.Conn) {
			if v := recover(); v != nil {
				s.log.Error("connection panicked", zap.Any("panic", v), zap.Stack("stack"))
			}
		},
	})
}

// joined gives a connection to an event loop after its upgrade, or drives it to its end. conn is the library's and
// pooled, as is what is around the socket below it: nothing but the inner connection is used, that for nothing but to read
// what follows the handshake, and nothing of either after the return. The socket is written and closed past them, so the
// server need not keep them for connections that go on (fasthttp.Server.KeepHijackedConns, 8 KiB for each).
func (s *Server) joined(conn *websocket.Conn) {
	ws := conn.Conn
	j, ok := conn.Locals(localJoining).(*joining)
	if !ok || !j.place.take() {
		return
	}
	s.loops.GiveWay()
	session, lease := j.place.session, j.place.lease
	if s.loops.Adopt(ws, j.head, session, lease.Release) {
		return
	}
	defer lease.Release()
	socket.Serve(ws, j.head, session, s.limits, func(v any, stack []byte) {
		s.log.Error("session panicked", zap.Any("panic", v), zap.ByteString("stack", stack))
	})
}

// place is a session with its lease on their way through the upgrade. Should the connection break before joined is
// called, both end by themselves.
type place struct {
	session *hub.Session
	lease   *hub.Lease
	timer   *time.Timer

	mu    sync.Mutex // guards taken
	taken bool
}

// closeLost stands for a connection that broke (RFC 6455 §7.4.1).
const closeLost = 1006

// upgradeTimeout is longer than an answer takes to be written or to fail.
const upgradeTimeout = 3 * writeTimeout

func newPlace(lease *hub.Lease, session *hub.Session) *place {
	p := &place{lease: lease, session: session}
	p.mu.Lock() // the timer is set before release may stop it
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(upgradeTimeout, p.release)
	return p
}

// take makes the caller the one who ends the session and releases the lease; false when it is too late.
func (p *place) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer.Stop()
	was := p.taken
	p.taken = true
	return !was
}

// release ends the session and gives the lease back, unless somebody took them.
func (p *place) release() {
	if p.take() {
		p.session.Ended(closeLost, "connection lost")
		p.lease.Release()
	}
}
