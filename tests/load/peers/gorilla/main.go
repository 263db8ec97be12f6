// Command gorilla is the hub that most Go chats begin with, after the chat example of gorilla/websocket: a hub goroutine
// per room that owns a map of clients, a channel of 256 messages and two goroutines per client.
//
// One message is one frame. The example's way of joining what is queued into one frame, with newlines between, needs
// clients who take such a frame apart, and works for no message that may hold a newline; -join turns it on.
package main

import (
	"flag"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	writeWait  = 10 * time.Second
	pongWait   = 60 * time.Second
	pingPeriod = pongWait * 9 / 10
	maxMessage = 64 << 10
)

var (
	listen = flag.String("listen", "127.0.0.1:9001", "address to listen on")
	join   = flag.Bool("join", false, "write all that is queued as one frame")
)

// hub is one room.
type hub struct {
	clients              map[*client]bool
	broadcast            chan []byte
	register, unregister chan *client
}

func (h *hub) run() {
	for {
		select {
		case c := <-h.register:
			h.clients[c] = true
		case c := <-h.unregister:
			if h.clients[c] {
				delete(h.clients, c)
				close(c.send)
			}
		case message := <-h.broadcast:
			for c := range h.clients {
				select {
				case c.send <- message:
				default:
					close(c.send)
					delete(h.clients, c)
				}
			}
		}
	}
}

type client struct {
	hub  *hub
	conn *websocket.Conn
	send chan []byte
}

func (c *client) readPump() {
	defer func() {
		c.hub.unregister <- c
		_ = c.conn.Close()
	}()
	c.conn.SetReadLimit(maxMessage)
	_ = c.conn.SetReadDeadline(time.Now().Add(pongWait))
	c.conn.SetPongHandler(func(string) error { return c.conn.SetReadDeadline(time.Now().Add(pongWait)) })
	for {
		_, message, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		c.hub.broadcast <- message
	}
}

func (c *client) writePump() {
	ticker := time.NewTicker(pingPeriod)
	defer func() {
		ticker.Stop()
		_ = c.conn.Close()
	}()
	for {
		select {
		case message, ok := <-c.send:
			_ = c.conn.SetWriteDeadline(time.Now().Add(writeWait))
			if !ok {
				_ = c.conn.WriteMessage(websocket.CloseMessage, nil)
				return
			}
			if err := c.write(message); err != nil {
				return
			}
		case <-ticker.C:
			_ = c.conn.SetWriteDeadline(time.Now().Add(writeWait))
			if err := c.conn.WriteMessage(websocket.PingMessage, nil); err != nil {
				return
			}
		}
	}
}

func (c *client) write(message []byte) error {
	w, err := c.conn.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	_, _ = w.Write(message)
	if *join {
		for range len(c.send) {
			_, _ = w.Write([]byte{'\n'})
			_, _ = w.Write(<-c.send)
		}
	}
	return w.Close()
}

type server struct {
	upgrader websocket.Upgrader

	mu   sync.Mutex // guards the field below
	hubs map[string]*hub
}

func (s *server) room(name string) *hub {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hubs[name]
	if h == nil {
		h = &hub{
			clients: map[*client]bool{}, broadcast: make(chan []byte),
			register: make(chan *client), unregister: make(chan *client),
		}
		s.hubs[name] = h
		go h.run()
	}
	return h
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &client{hub: s.room(r.URL.Query().Get("room")), conn: conn, send: make(chan []byte, 256)}
	c.hub.register <- c
	go c.writePump()
	go c.readPump()
}

func main() {
	flag.Parse()
	s := &server{hubs: map[string]*hub{}}
	s.upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	http.Handle("/ws", s)
	log.Fatal(http.ListenAndServe(*listen, nil))
}
