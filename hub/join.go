package hub

import (
	"errors"

	"go.uber.org/zap"

	"govor/hub/protocol"
)

// resetEvents is how much a client gets again that cannot go on where it was.
const resetEvents = 50

// resumption is where a seat begins: live when nothing is set.
type resumption struct {
	after   *int64
	id      string
	history int // so many messages back
}

// joinAs takes a seat that a client asked for.
func (s *Session) joinAs(name string, r protocol.Resume) {
	room, bad := s.hub.CheckRoom(name)
	if bad == nil && r.After != nil && *r.After < 0 {
		bad = protocol.Errorf(protocol.CodeBadFrame, "after is not negative")
	}
	s.mu.Lock()
	old, n := s.seatInLocked(room), len(s.seats)
	s.mu.Unlock()
	if bad == nil && old == nil {
		bad = s.hub.checkSeats(n)
	}
	if bad != nil {
		s.refuse(bad.About(name, ""))
		return
	}
	if s.join(room, resumption{after: r.After, id: r.ID}) && old != nil {
		s.hub.stand(old, s.member().ID)
	}
}

// join takes a seat in the room and tells whether it did.
func (s *Session) join(room string, r resumption) bool {
	may, err := s.hub.store.MayRead(s.hub.ctx, s.member().ID, room)
	if err == nil && !may {
		err = protocol.Errorf(protocol.CodeNoRoom, "there is no room %s", room)
	}
	var refused *protocol.Error
	switch {
	case errors.As(err, &refused):
		s.refuse(refused.About(room, ""))
		return false
	case err != nil:
		s.unreadable(room, err)
		return false
	}
	return s.seat(s.hub.sit(s, room), r)
}

// unreadable ends the session because a room that it is to be in cannot be read now: it would wait there for ever. Its
// client comes back and goes on where it was.
func (s *Session) unreadable(room string, err error) {
	s.hub.log.Warn("place in a room not found", sessionFields(s, room, err)...)
	s.refuse(protocol.Errorf(protocol.CodeUnavailable, "the history cannot be read now").About(room, ""))
	s.end(protocol.CloseTryAgain, reasonUnavailable)
}

// seat lets a held seat go where r says, and counts the member into the room.
func (s *Session) seat(t *seat, r resumption) bool {
	h := s.hub
	t.room.mu.Lock()
	pin := t.pin
	t.room.mu.Unlock()
	after, reset, err := h.where(t.room.name, pin, r)
	if err != nil {
		h.unsit(t)
		s.unreadable(t.room.name, err)
		return false
	}
	if reset != "" {
		s.reply(protocol.Reset{Room: t.room.name, Reason: reset, After: after, Last: pin})
	}
	h.metrics.resumes.WithLabelValues(resumeResult(r, reset)).Inc()

	who := s.member()
	t.room.mu.Lock()
	t.room.enterLocked(who)
	people, online := t.room.peopleLocked()
	t.room.mu.Unlock()
	s.mu.Lock()
	gone := s.gone || s.shut // the session has ended meanwhile, or has to
	if !gone {
		s.dropSeatLocked(t.room.name)
		s.seats = append(s.seats, t)
	}
	s.mu.Unlock()
	if gone {
		h.stand(t, who.ID)
		return false
	}
	s.reply(protocol.Joined{Room: t.room.name, After: after, Last: pin, Online: online, People: people})

	t.room.mu.Lock()
	defer t.room.mu.Unlock()
	if t.state == held {
		t.beginLocked(after)
	}
	return true
}

// where finds the number after which a seat pinned at pin begins, and why a client cannot go on where it was, if so.
func (h *Hub) where(room string, pin int64, r resumption) (int64, protocol.ResetReason, error) {
	if r.history > 0 {
		after, err := h.store.Last(h.ctx, room, r.history)
		return min(after, pin), "", err
	}
	if r.after == nil {
		return pin, "", nil
	}
	stored, ok := h.store.Room(room)
	if !ok {
		stored.First = 1
	}
	after := *r.after
	again := max(stored.First-1, pin-resetEvents, 0)
	switch {
	case after > stored.Last:
		return again, protocol.ResetAhead, nil
	case after < stored.First-1:
		return stored.First - 1, protocol.ResetPruned, nil
	case after == 0 || r.id == "":
		return after, "", nil
	}
	id, err := h.store.EventID(h.ctx, room, after)
	if err != nil {
		return 0, "", err
	}
	if id != r.id {
		return again, protocol.ResetMismatch, nil
	}
	return after, "", nil
}

func resumeResult(r resumption, reset protocol.ResetReason) string {
	switch {
	case reset != "":
		return "reset_" + string(reset)
	case r.after != nil:
		return "resumed"
	default:
		return "live"
	}
}

// leave gives up the seat in a room.
func (s *Session) leave(name string) {
	room, bad := protocol.CheckRoom(name)
	s.mu.Lock()
	t := s.dropSeatLocked(room)
	who := s.who.ID
	s.mu.Unlock()
	if bad == nil && t == nil {
		bad = protocol.Errorf(protocol.CodeNotInRoom, "this session has not joined %s", room)
	}
	if bad != nil {
		s.refuse(bad.About(name, ""))
		return
	}
	s.hub.stand(t, who)
	s.reply(protocol.Left{Room: room})
}

// stand takes the seat and counts the member out of its room.
func (h *Hub) stand(t *seat, m protocol.MemberID) {
	t.room.mu.Lock()
	t.finishLocked()
	t.room.leaveLocked(m)
	t.room.mu.Unlock()
	h.reap(t.room)
}

func sessionFields(s *Session, room string, err error) []zap.Field {
	return []zap.Field{zap.Stringer("session_id", s.id), zap.String("room", room), zap.Error(err)}
}
