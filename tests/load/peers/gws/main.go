// Command gws is a hub on lxzan/gws, the fastest of the Go libraries with a goroutine per connection: one Broadcaster
// per message, which makes the frame once and hands it to the members' write queues.
package main

import (
	"flag"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/lxzan/gws"
)

var listen = flag.String("listen", "127.0.0.1:9002", "address to listen on")

const pongWait = 60 * time.Second

// room is who is in it.
type room struct {
	mu      sync.RWMutex // guards the field below
	members map[*gws.Conn]struct{}
}

type handler struct {
	gws.BuiltinEventHandler

	mu    sync.Mutex // guards the field below
	rooms map[string]*room
}

func (h *handler) room(name string) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[name]
	if r == nil {
		r = &room{members: map[*gws.Conn]struct{}{}}
		h.rooms[name] = r
	}
	return r
}

func roomOf(c *gws.Conn) *room {
	v, _ := c.Session().Load("room")
	return v.(*room)
}

func (h *handler) OnOpen(c *gws.Conn) {
	_ = c.SetDeadline(time.Now().Add(pongWait))
	r := roomOf(c)
	r.mu.Lock()
	r.members[c] = struct{}{}
	r.mu.Unlock()
}

func (h *handler) OnClose(c *gws.Conn, _ error) {
	r := roomOf(c)
	r.mu.Lock()
	delete(r.members, c)
	r.mu.Unlock()
}

func (h *handler) OnPing(c *gws.Conn, payload []byte) {
	_ = c.SetDeadline(time.Now().Add(pongWait))
	_ = c.WritePong(payload)
}

func (h *handler) OnMessage(c *gws.Conn, message *gws.Message) {
	defer func() { _ = message.Close() }()
	b := gws.NewBroadcaster(gws.OpcodeText, message.Bytes())
	defer func() { _ = b.Close() }()
	r := roomOf(c)
	r.mu.RLock()
	defer r.mu.RUnlock()
	for member := range r.members {
		_ = b.Broadcast(member)
	}
}

func main() {
	flag.Parse()
	h := &handler{rooms: map[string]*room{}}
	upgrader := gws.NewUpgrader(h, &gws.ServerOption{
		Authorize: func(r *http.Request, session gws.SessionStorage) bool {
			session.Store("room", h.room(r.URL.Query().Get("room")))
			return true
		},
	})
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		if c, err := upgrader.Upgrade(w, r); err == nil {
			go c.ReadLoop()
		}
	})
	log.Fatal(http.ListenAndServe(*listen, nil))
}
