package hub

import (
	"strings"
	"sync"
	"time"

	"govor/hub/protocol"
)

// room is a room in which somebody is. Others are not resident: they are in the store only.
//
// Locks: hub.mu before room.mu before session.mu before catchups.mu. No disk and no socket is touched under any of them.
type room struct {
	// Fixed at construction.
	name string
	hub  *Hub

	mu       sync.Mutex // guards the fields below
	head     int64      // number of the last event that was dispatched, or was stored when the room became resident
	changed  int64      // number of the last dispatched event that changed earlier ones
	rings    map[string]*ring
	presence presence
	gone     bool // no longer resident: take another from the hub
}

func newRoom(h *Hub, name string) *room {
	r := &room{name: name, hub: h, rings: make(map[string]*ring)}
	r.presence.members = make(map[protocol.MemberID]*present)
	// What was stored but not yet dispatched counts as dispatched: it comes from the store, and dispatch passes it over.
	if stored, ok := h.store.Room(name); ok {
		r.head = stored.Last
	}
	return r
}

// resident returns the room, locked.
func (h *Hub) resident(name string) *room {
	for {
		h.mu.Lock()
		r := h.rooms[name]
		if r == nil {
			r = newRoom(h, name)
			h.rooms[name] = r
		}
		h.mu.Unlock()
		r.mu.Lock()
		if !r.gone {
			return r
		}
		r.mu.Unlock()
	}
}

// intern returns the name as the room has it, if it is resident: sessions keep theirs for long.
func (h *Hub) intern(name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.rooms[name]; r != nil {
		return r.name
	}
	return name
}

// reap forgets the room if nobody is in it.
func (h *Hub) reap(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone || len(r.rings) > 0 || len(r.presence.members) > 0 {
		return
	}
	r.gone = true
	delete(h.rooms, r.name)
}

// sit registers a held seat of s, pinned at the present end.
func (h *Hub) sit(s *Session, name string) *seat {
	r := h.resident(name)
	defer r.mu.Unlock()
	g := r.rings[s.format.Key()]
	if g == nil {
		g = newRing(s.format, h.limits.RingBytes)
		r.rings[s.format.Key()] = g
	}
	t := &seat{session: s, room: r, ring: g, end: noEnd}
	g.add(t)
	t.pinLocked()
	h.hooks.seated(t)
	return t
}

// unsit takes the seat from its room.
func (h *Hub) unsit(t *seat) {
	t.room.mu.Lock()
	t.finishLocked()
	t.room.mu.Unlock()
	h.reap(t.room)
}

// dispatchLocked appends the event to every ring that is in use and wakes their seats.
func (r *room) dispatchLocked(e *protocol.Event) {
	if e.Seq <= r.head {
		return // stored before the room became resident
	}
	if e.Kind == protocol.KindDeletion {
		r.forgetLocked()
		r.changed = e.Seq
	}
	r.head = e.Seq
	for _, g := range r.rings {
		r.hub.scratch = g.format.Append(r.hub.scratch[:0], protocol.Message{Event: e})
		r.showLocked(g, r.hub.scratch, e.Seq)
	}
}

// forgetLocked drops all frames that wait for somebody: one of them may hold a text that is gone. Whoever has not taken
// them is fed from the store. What a socket has been given is beyond recall.
func (r *room) forgetLocked() {
	for _, g := range r.rings {
		g.clear()
		for _, t := range g.all() {
			t.forgetLocked()
		}
	}
}

// showLocked appends one frame to a ring, of the event with the number seq or, with 0, of a signal. An empty one is not
// shown, but its number has passed.
func (r *room) showLocked(g *ring, payload []byte, seq int64) {
	if len(payload) == 0 {
		return
	}
	g.append(payload, r.head)
	for _, h := range g.shares {
		h.tellLocked()
	}
	if g.late == len(g.seats) {
		return
	}
	for _, t := range g.seats {
		if t.behind {
			continue // it has been told, and looks again before it is no longer behind
		}
		if seq > 0 && t.state == live && t.seq >= seq {
			t.pinLocked() // it went on after a receipt that was faster than dispatch: it has this event
			continue
		}
		g.fallBehind(t)
		if t.state == live {
			t.session.markDirty(t)
		}
	}
}

// signalLocked shows a frame that is not stored to everyone in the room.
func (r *room) signalLocked(f protocol.Frame) {
	for _, g := range r.rings {
		r.showLocked(g, g.format.Append(nil, f), 0)
	}
}

// hasPages tells whether somebody reads the room as HTML, so that Markdown is worth rendering before the append.
func (h *Hub) hasPages(name string) bool {
	h.mu.Lock()
	r := h.rooms[name]
	h.mu.Unlock()
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for key := range r.rings {
		if strings.HasPrefix(key, protocol.SubprotocolHTML) {
			return true
		}
	}
	return false
}

// presenceInterval bounds how often a room's presence is shown; joinDelay lets those who come together come in one frame.
const (
	presenceInterval = time.Second
	joinDelay        = 500 * time.Millisecond
)
