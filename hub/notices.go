package hub

import (
	"net/netip"
	"slices"

	"go.uber.org/zap"

	"govor/hub/mutant"
	"govor/hub/protocol"
)

// observeAct does what a host has decided to those who are connected, and tells them and their rooms. Only the follower
// calls it.
func (h *Hub) observeAct(e *protocol.Event) {
	n := protocol.NoticeOf(e)
	b, err := protocol.ParseActBody(e.Body)
	if n == nil || err != nil {
		return // Apply has parsed it
	}
	h.log.Info("host acted", zap.String("action", string(e.Kind)), zap.Stringer("by", e.Member), zap.String("member_id", b.Member),
		zap.String("room", b.Room), zap.Int64("seq", e.Seq))
	switch e.Kind {
	case protocol.KindClose, protocol.KindOpen, protocol.KindSlow:
		h.tellRoom(n, n.Room)
		h.tellHost(e.Member, n, []string{n.Room})
		return
	}
	sessions := h.sessionsOf(n.Member)
	rooms := roomsOf(sessions)
	switch e.Kind {
	case protocol.KindKick:
		expelAll(sessions, n, reasonKicked)
	case protocol.KindBan:
		expelAll(sessions, n, reasonBanned)
		expelAll(h.sessionsBannedBy(&b), n, reasonBanned)
	default:
		you := *n
		you.Room, you.You = "", true
		for _, s := range sessions {
			s.reply(&you)
		}
	}
	var names []string
	for _, r := range rooms {
		if e.Kind == protocol.KindRole {
			r.mu.Lock()
			r.roleLocked(n.Member, n.Role)
			r.mu.Unlock()
		}
		h.tellRoom(n, r.name)
		names = append(names, r.name)
	}
	h.tellHost(e.Member, n, names)
}

// tellHost tells who acted, where they are in none of the rooms that were told.
func (h *Hub) tellHost(m protocol.MemberID, n *protocol.Notice, told []string) {
	if m.IsZero() || m == n.Member {
		return
	}
	for _, s := range h.sessionsOf(m) {
		s.mu.Lock()
		sees := slices.ContainsFunc(s.seats, func(t *seat) bool { return slices.Contains(told, t.room.name) })
		s.mu.Unlock()
		if !sees {
			s.reply(n)
		}
	}
}

// tellDeleted tells an author whose message a host has deleted.
func (h *Hub) tellDeleted(e *protocol.Event) {
	if e.Of == nil || e.Of.Member == e.Member || e.Of.Member.IsZero() {
		return
	}
	n := &protocol.Notice{
		Action: protocol.ActionDelete, Room: e.Room, Member: e.Of.Member, Name: e.Of.Name, By: e.Name, You: true, Why: e.Body,
		At: e.Time(),
	}
	for _, s := range h.sessionsOf(e.Of.Member) {
		s.reply(n)
	}
}

// tellRoom shows a notice to everybody in a room.
func (h *Hub) tellRoom(n *protocol.Notice, name string) {
	h.mu.Lock()
	r := h.rooms[name]
	h.mu.Unlock()
	if r == nil {
		return
	}
	told := *n
	told.Room = name
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signalLocked(&told)
}

// roomsOf are the rooms in which sessions have a seat.
func roomsOf(sessions []*Session) []*room {
	var rooms []*room
	for _, s := range sessions {
		s.mu.Lock()
		for _, t := range s.seats {
			if !slices.Contains(rooms, t.room) {
				rooms = append(rooms, t.room)
			}
		}
		s.mu.Unlock()
	}
	return rooms
}

// sessionsBannedBy are those whose address or name is banned, but for hosts.
func (h *Hub) sessionsBannedBy(b *protocol.ActBody) []*Session {
	nets, to := b.Prefixes(), b.To()
	var list []*Session
	if m, ok := h.connectedAs(b.Name, b.Key); ok && b.Key != "" && m.ID != to && !h.Role(m.ID).IsHost() {
		list = h.sessionsOf(m.ID)
	}
	if len(nets) == 0 {
		return list
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for m, first := range h.byMember {
		if m == to || h.Role(m).IsHost() {
			continue
		}
		for s := first; s != nil; s = s.sibling {
			if slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(s.ip) }) && !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return list
}

// expelAll tells sessions why and ends them.
func expelAll(sessions []*Session, n *protocol.Notice, reason string) {
	for _, s := range sessions {
		you := *n
		you.Room, you.You, you.Name = "", true, s.member().Name
		you.Member = s.member().ID
		s.put(&you)
		s.expel(protocol.ClosePolicy, reason)
	}
}

// expel ends the session: it gets what was dispatched up to now, and nothing after it; nor does it take a seat any more.
func (s *Session) expel(code int, reason string) {
	s.mu.Lock()
	s.shut = true
	seats := s.seatsLocked()
	s.mu.Unlock()
	for _, t := range seats {
		if mutant.Active != mutant.NoEnd {
			t.endHere()
		}
	}
	s.end(code, reason)
}

// roleLocked shows what somebody who is here may do now.
func (r *room) roleLocked(m protocol.MemberID, role protocol.Role) {
	p := r.presence.members[m]
	if p == nil || p.role == role {
		return
	}
	r.presence.becomeLocked(m, p, p.name, role)
	f := &protocol.Presence{Room: r.name, At: r.hub.now()}
	r.showPeopleLocked(f)
}
