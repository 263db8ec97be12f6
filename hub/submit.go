package hub

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"govor/hub/journal"
	"govor/hub/protocol"
)

// errUnavailable is what a sender is told whose event may or may not have been stored.
var errUnavailable = protocol.Errorf(protocol.CodeUnavailable, "this cannot be stored now; send it again with the same id")

// Submit stores a message that came by HTTP from an address and waits for its receipt. Errors are *protocol.Error.
func (h *Hub) Submit(ctx context.Context, m Member, from netip.Addr, s protocol.Send) (protocol.Receipt, error) {
	if s.ID == "" {
		s.ID = protocol.NewID()
	}
	room, bad := h.CheckRoom(s.Room)
	if bad == nil {
		bad = h.checkSend(s)
	}
	if bad == nil {
		bad = h.checkOpening(room, m, from)
	}
	if bad == nil {
		bad = h.admit(ctx, m, from, len(s.Text))
	}
	if bad == nil {
		bad = h.checkSlow(room, m, from)
	}
	if bad != nil {
		h.metrics.errors.WithLabelValues(string(bad.Code)).Inc()
		return protocol.Receipt{}, bad.About(s.Room, s.ID)
	}
	e := h.message(m, room, s)
	if m.Proof != ByLogin {
		e.Looks = m.looks()
	}
	h.openRoom(&e)
	return h.wait(ctx, e)
}

// admit says whether something that came by HTTP may be appended now; it waits for the rate.
func (h *Hub) admit(ctx context.Context, m Member, from netip.Addr, bytes int) *protocol.Error {
	if h.isStopping() {
		return errUnavailable
	}
	return h.paceHTTP(ctx, m, from, bytes)
}

// wait appends e and waits for its receipt.
func (h *Hub) wait(ctx context.Context, e protocol.Event) (protocol.Receipt, error) {
	r, err := journal.Wait(ctx, h.journal, e)
	h.countAppend(e.Kind, r, err)
	if err != nil {
		return r, asProtocol(err).About(roomOf(e.Room), e.ID)
	}
	return r, nil
}

// roomOf is the room that a sender knows an event by: what belongs to no room has none.
func roomOf(room string) string {
	if room == protocol.RoomServer {
		return ""
	}
	return room
}

// checkSend is what is decided before the append: by this node's limits.
func (h *Hub) checkSend(s protocol.Send) *protocol.Error {
	if bad := protocol.CheckID(s.ID); bad != nil {
		return bad
	}
	return protocol.CheckText(s.Text, h.limits.MaxText)
}

func (h *Hub) maxText() int {
	if h.limits.MaxText > 0 {
		return h.limits.MaxText
	}
	return protocol.DefaultMaxText
}

// message makes the event, finds whom it mentions, and renders its Markdown in this goroutine if somebody will want it.
func (h *Hub) message(m Member, room string, s protocol.Send) protocol.Event {
	mentions := h.findMentions(s.Text)
	if h.prerender != nil && h.hasPages(room) {
		h.prerender(s.Text, mentions)
	}
	return protocol.Event{
		Room: room, Kind: protocol.KindMessage, V: protocol.Version, ID: s.ID, Member: m.ID, Name: m.Name,
		NameKey: m.NameKey, At: h.now().UnixMilli(), Body: s.Text, Mentions: mentions,
	}
}

// CheckRoom is protocol.CheckRoom, and refuses a room that nobody has opened if it could be taken for one that is there,
// which the error suggests.
func (h *Hub) CheckRoom(name string) (string, *protocol.Error) {
	if _, ok := h.store.Room(name); ok && name != protocol.RoomServer {
		return name, nil // as it was checked when the room was opened
	}
	room, bad := protocol.CheckRoom(name)
	if bad != nil {
		return "", bad
	}
	if _, ok := h.store.Room(room); ok {
		return room, nil
	}
	like := h.store.LikeRoom(protocol.LooksOf(room, room))
	if like == "" || like == room { // it may have been opened meanwhile
		return room, nil
	}
	bad = protocol.Errorf(protocol.CodeBadRoom, "the room %s could be taken for the room %s", room, like)
	bad.Suggestion = like
	return "", bad
}

// openRoom appends the event that opens e's room if there is none yet. It is decided before e is, because the order of
// appends is kept; where two open a room at once, the second event is a duplicate.
func (h *Hub) openRoom(e *protocol.Event) {
	room := e.Room
	if _, ok := h.store.Room(room); ok {
		return
	}
	m := Member{ID: e.Member, Name: e.Name, NameKey: e.NameKey}
	h.journal.Append(opening(m, room, e.Time()), func(_ protocol.Receipt, err error) {
		if err != nil && !errors.As(err, new(*protocol.Error)) { // a refusal is told of what was said there
			h.log.Warn("room not opened", zap.String("room", room), zap.Error(err))
		}
	})
}

// opening is the event that opens a room.
func opening(m Member, room string, at time.Time) protocol.Event {
	body, err := json.Marshal(protocol.RoomBody{Name: room, Kind: "public", Looks: protocol.LooksOf(room, room)})
	if err != nil {
		panic("encode room body: " + err.Error()) // strings only
	}
	return protocol.Event{
		Room: protocol.RoomServer, Kind: protocol.KindRoom, V: protocol.Version, ID: protocol.NewID(),
		Member: m.ID, Name: m.Name, NameKey: m.NameKey, At: at.UnixMilli(), Body: string(body),
	}
}

func (h *Hub) countAppend(kind protocol.Kind, r protocol.Receipt, err error) {
	switch {
	case err != nil:
	case r.Duplicate:
		h.metrics.duplicates.Inc()
	case kind == protocol.KindMessage:
		h.metrics.messages.Inc()
	case kind.IsAct():
		h.metrics.acts.WithLabelValues(string(kind)).Inc()
	}
}

// asProtocol is err as the client may know it: everything that is not a *protocol.Error is unavailable.
func asProtocol(err error) *protocol.Error {
	if err == nil {
		return nil
	}
	e := new(protocol.Error)
	if errors.As(err, &e) {
		return e
	}
	return errUnavailable
}

// public is asProtocol as an error, with the cause in the log.
func (h *Hub) public(err error) error {
	if err == nil {
		return nil
	}
	e := asProtocol(err)
	if e == errUnavailable {
		h.log.Warn("append failed", zap.Error(err))
	}
	return e
}
