package terminal

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"govor/hub/protocol"
)

// fakeServer is the least that a Govor server does for the JSON format: one room, numbers, duplicates, tokens.
type fakeServer struct {
	t   *testing.T
	srv *httptest.Server

	mu        sync.Mutex // guards the fields below
	intercept func(c *fakeConn, cmd protocol.Command) bool
	refuse    http.HandlerFunc
	changed   *sync.Cond
	events    []protocol.Event
	conns     []*fakeConn // all there ever were
	tokens    map[string]fakeMember
	hellos    []protocol.Hello
	names     []string // of the query
	door      fakeDoor
	closed    bool
}

type fakeMember struct {
	id   protocol.MemberID
	name string
}

type fakeConn struct {
	s      *fakeServer
	ws     *websocket.Conn
	number int
	member fakeMember
	sent   int64 // number of the last event written; guarded by s.mu
	live   bool  // guarded by s.mu
}

func newFakeServer(t *testing.T) *fakeServer {
	t.Helper()
	s := &fakeServer{t: t, tokens: map[string]fakeMember{}}
	s.changed = sync.NewCond(&s.mu)
	s.srv = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.stop)
	return s
}

// stop cuts all connections and stops listening.
func (s *fakeServer) stop() {
	s.mu.Lock()
	s.closed = true
	conns := slices.Clone(s.conns)
	s.changed.Broadcast()
	s.mu.Unlock()
	for _, c := range conns {
		_ = c.ws.CloseNow()
	}
	s.srv.Close()
}

// on sets what sees every command first; it returns true when it has dealt with it.
func (s *fakeServer) on(intercept func(c *fakeConn, cmd protocol.Command) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = intercept
}

func (s *fakeServer) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	if refuse != nil {
		refuse(w, r)
		return
	}
	proved, ok := s.knock(w, r)
	if !ok {
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{protocol.SubprotocolJSON}})
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(protocol.DefaultMaxFrame)
	name := r.URL.Query().Get("name")
	c := &fakeConn{s: s, ws: ws, member: fakeMember{protocol.NewMemberID(), name}}
	if proved != nil {
		c.member = *proved
	}
	if c.member.name == "" {
		c.member.name = "Гость-17"
	}
	s.mu.Lock()
	c.number = len(s.conns)
	s.conns = append(s.conns, c)
	s.names = append(s.names, name)
	s.tokens["token of "+c.member.id.String()] = c.member
	s.changed.Broadcast()
	s.mu.Unlock()
	c.welcome()
	for {
		_, data, err := ws.Read(context.Background())
		if err != nil {
			return
		}
		cmd, perr := protocol.DecodeCommand(data)
		if perr != nil {
			c.write(perr)
			continue
		}
		s.mu.Lock()
		intercept := s.intercept
		s.mu.Unlock()
		if intercept == nil || !intercept(c, cmd) {
			c.command(cmd)
		}
	}
}

func (c *fakeConn) write(f protocol.Frame) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = c.ws.Write(ctx, websocket.MessageText, protocol.JSON{}.Append(nil, f))
}

func (c *fakeConn) close(code int, reason string) {
	go func() { _ = c.ws.Close(websocket.StatusCode(code), reason) }() // not waited for: the reader has to go on reading
}

func (c *fakeConn) welcome() {
	c.write(protocol.Welcome{
		Session: "s", Member: c.member.id, Name: c.member.name, Token: "token of " + c.member.id.String(),
		MaxText: protocol.DefaultMaxText,
	})
}

func (c *fakeConn) command(cmd protocol.Command) {
	s := c.s
	switch cmd := cmd.(type) {
	case protocol.Hello:
		s.mu.Lock()
		s.hellos = append(s.hellos, cmd)
		m, known := s.tokens[cmd.Token]
		s.mu.Unlock()
		if cmd.Token != "" && !known {
			c.write(protocol.Errorf(protocol.CodeBadToken, "not valid"))
		} else if known {
			c.member = m
			c.welcome()
		}
		for _, r := range cmd.Rooms {
			c.join(r)
		}
	case protocol.Join:
		c.join(cmd.Resume)
	case protocol.Leave:
		s.mu.Lock()
		c.live = false
		s.mu.Unlock()
		c.write(protocol.Left{Room: protocol.RoomLobby})
	case protocol.Send:
		c.send(cmd)
	case protocol.Ping:
		c.write(protocol.Pong{})
	}
}

func (c *fakeConn) join(r protocol.Resume) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	last := int64(len(s.events))
	after := last
	if r.After != nil {
		after = *r.After
		if after > last || after > 0 && r.ID != "" && s.events[after-1].ID != r.ID {
			after = 0
			c.write(protocol.Reset{Room: protocol.RoomLobby, Reason: protocol.ResetMismatch, After: after, Last: last})
		}
	}
	c.live, c.sent = true, after
	c.write(protocol.Joined{
		Room: protocol.RoomLobby, After: after, Last: last, Online: 9,
		People: []protocol.Person{{Member: c.member.id, Name: c.member.name}},
	})
	c.catchUpLocked()
	s.changed.Broadcast()
}

func (c *fakeConn) catchUpLocked() {
	for c.live && c.sent < int64(len(c.s.events)) {
		c.sent++
		c.write(protocol.Message{Event: &c.s.events[c.sent-1]})
	}
}

// send stores, answers and shows, as a server does.
func (c *fakeConn) send(m protocol.Send) {
	seq, duplicate := c.store(m)
	c.write(protocol.Receipt{Room: protocol.RoomLobby, ID: m.ID, Seq: seq, Duplicate: duplicate})
}

// storeUnseen stores, and the sender learns nothing of it: no receipt, and no echo on this connection.
func (c *fakeConn) storeUnseen(m protocol.Send) {
	c.s.mu.Lock()
	c.live = false
	c.s.mu.Unlock()
	c.store(m)
}

func (c *fakeConn) store(m protocol.Send) (seq int64, duplicate bool) {
	c.s.mu.Lock()
	for _, e := range c.s.events {
		if e.ID == m.ID && e.Member == c.member.id {
			c.s.mu.Unlock()
			return e.Seq, true
		}
	}
	c.s.mu.Unlock()
	return c.s.add(protocol.Event{ID: m.ID, Member: c.member.id, Name: c.member.name, Body: m.Text}), false
}

// say puts somebody else's message into the room.
func (s *fakeServer) say(name, text string) {
	s.add(protocol.Event{ID: protocol.NewID(), Member: protocol.NewMemberID(), Name: name, Body: text})
}

func (s *fakeServer) add(e protocol.Event) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Room, e.Kind, e.Seq = protocol.RoomLobby, protocol.KindMessage, int64(len(s.events)+1)
	if e.At == 0 {
		e.At = time.Now().UnixMilli()
	}
	s.events = append(s.events, e)
	for _, c := range s.conns {
		c.catchUpLocked()
	}
	s.changed.Broadcast()
	return e.Seq
}

// texts is what is stored, in order.
func (s *fakeServer) texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.events {
		out = append(out, e.Body)
	}
	return out
}

// wait blocks until cond, which is called with the lock held.
func (s *fakeServer) wait(what string, cond func() bool) {
	s.t.Helper()
	timer := time.AfterFunc(5*time.Second, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closed = true
		s.changed.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !cond() {
		if s.closed {
			s.t.Fatalf("waited in vain for %s", what)
		}
		s.changed.Wait()
	}
}

// conn waits for connection number n, from 0.
func (s *fakeServer) conn(n int) *fakeConn {
	s.t.Helper()
	s.wait("a connection", func() bool { return len(s.conns) > n })
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[n]
}

// seated waits until connection n has its seat.
func (s *fakeServer) seated(n int) *fakeConn {
	s.t.Helper()
	c := s.conn(n)
	s.wait("a seat", func() bool { return c.live })
	return c
}
