package hub

import (
	"context"
	"net/netip"

	"govor/hub/protocol"
)

// change is an edit or a deletion, which differ in little: room and number of a message, and what becomes of it.
type change struct {
	room, id string
	seq      int64
	kind     protocol.Kind
	text     string // of an edit; of a deletion, why
}

// checkChange is what is decided before the append, as checkSend is for a message. It cleans the reason of a deletion.
func (h *Hub) checkChange(c *change) (bad *protocol.Error) {
	switch bad = protocol.CheckID(c.id); {
	case bad != nil:
	case c.kind == protocol.KindEdit:
		bad = protocol.CheckText(c.text, h.limits.MaxText)
	default:
		c.text, bad = protocol.CheckWhy(c.text)
	}
	return bad
}

// changeEvent makes the event, and renders the Markdown of an edit in this goroutine if somebody will want it.
func (h *Hub) changeEvent(m Member, room string, c change) protocol.Event {
	var mentions protocol.Mentions
	if c.kind == protocol.KindEdit {
		mentions = h.findMentions(c.text)
		if h.prerender != nil && h.hasPages(room) {
			h.prerender(c.text, mentions)
		}
	}
	return protocol.Event{
		Room: room, Kind: c.kind, V: protocol.Version, ID: c.id, Member: m.ID, Name: m.Name, NameKey: m.NameKey,
		Target: c.seq, At: h.now().UnixMilli(), Body: c.text, Mentions: mentions,
	}
}

// change appends an edit or a deletion, as send does a message.
func (s *Session) change(c change) {
	if c.id == "" {
		c.id = protocol.NewID()
	}
	room, bad := s.roomOf(c.room)
	if bad == nil {
		bad = s.hub.checkChange(&c)
	}
	if bad != nil {
		s.refuse(bad.About(c.room, c.id))
		return
	}
	if s.pace(len(c.text)) && s.reserve() {
		s.append(s.hub.changeEvent(s.member(), room, c))
	}
}

// Edit gives a message another text, as asked for by HTTP from an address, and waits for the receipt. Errors are
// *protocol.Error.
func (h *Hub) Edit(ctx context.Context, m Member, from netip.Addr, e protocol.Edit) (protocol.Receipt, error) {
	return h.submitChange(ctx, m, from, change{e.Room, e.ID, e.Seq, protocol.KindEdit, e.Text})
}

// Delete takes the text of a message away, as asked for by HTTP from an address, and waits for the receipt. Errors are
// *protocol.Error.
func (h *Hub) Delete(ctx context.Context, m Member, from netip.Addr, d protocol.Delete) (protocol.Receipt, error) {
	return h.submitChange(ctx, m, from, change{d.Room, d.ID, d.Seq, protocol.KindDeletion, d.Why})
}

func (h *Hub) submitChange(ctx context.Context, m Member, from netip.Addr, c change) (protocol.Receipt, error) {
	if c.id == "" {
		c.id = protocol.NewID()
	}
	room, bad := protocol.CheckRoom(c.room)
	if bad == nil {
		bad = h.checkChange(&c)
	}
	if bad == nil {
		bad = h.admit(ctx, m, from, len(c.text))
	}
	if bad != nil {
		h.metrics.errors.WithLabelValues(string(bad.Code)).Inc()
		return protocol.Receipt{}, bad.About(c.room, c.id)
	}
	return h.wait(ctx, h.changeEvent(m, room, c))
}
