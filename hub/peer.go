package hub

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"govor/hub/line"
)

// Bind implements socket.Peer.
func (s *Session) Bind(l line.Line) { s.line.Store(&l) }

// joinRuns is up to how many bytes the session's own frames and those of a seat are put together: copying them costs
// less than a second write.
const joinRuns = 4 << 10

// Pending implements socket.Peer: first the session's own frames, then its seats in turn.
func (s *Session) Pending() []byte {
	for len(s.current) == 0 {
		s.mu.Lock()
		own := s.outbox
		if len(own) > 0 {
			s.outbox = nil
			s.changeLocked()
		}
		t := s.nextDirtyLocked()
		ends := s.ending && t == nil && len(s.seats) > 0
		s.mu.Unlock()
		if ends && len(own) == 0 && s.fetchAll() {
			continue
		}
		if t == nil && len(own) > 0 {
			t = s.fetchOne()
		}
		if t == nil {
			s.current = own
			break
		}
		b, more := t.take()
		if more {
			s.addDirty(t) // the writer looks again anyway
		}
		switch {
		case len(own) == 0:
			s.current = b
		case len(own)+len(b) <= joinRuns:
			s.current = append(own, b...)
		default:
			s.current, s.next = own, b
		}
	}
	return s.current
}

// fetchOne returns a seat that its share has something for, so that a receipt and what it is about go out in one write. It
// is nil if there is none, or if the session is in several rooms.
func (s *Session) fetchOne() *seat {
	s.mu.Lock()
	var t *seat
	if len(s.seats) == 1 {
		t = s.seats[0]
	}
	s.mu.Unlock()
	if t == nil || !t.fetch() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nextDirtyLocked()
}

// fetchAll has the seats of a session that ends take what their shares would have given them: nothing is given to it any
// more. It tells whether there is anything.
func (s *Session) fetchAll() bool {
	s.mu.Lock()
	seats := s.seatsLocked()
	s.mu.Unlock()
	any := false
	for _, t := range seats {
		any = t.fetch() || any
	}
	return any
}

func (s *Session) nextDirtyLocked() *seat {
	t := s.firstDirty
	if t == nil {
		return nil
	}
	if s.firstDirty = t.nextDirty; s.firstDirty == nil {
		s.lastDirty = nil
	}
	t.dirty, t.nextDirty = false, nil
	return t
}

// Wrote implements socket.Peer.
func (s *Session) Wrote(n int) {
	if s.current = s.current[n:]; len(s.current) == 0 {
		s.current, s.next = s.next, nil
	}
}

// Keep implements socket.Peer.
func (s *Session) Keep(b []byte) {
	if len(s.current) > 0 { // rare: several seats of one room, for a moment
		b = slices.Concat(s.current, s.next, b)
		s.next = nil
	}
	s.current = b
}

// Ending implements socket.Peer.
func (s *Session) Ending() (code int, reason string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.code), s.reason, s.ending && (!s.finish || s.inFlight == 0)
}

// Ended implements socket.Peer.
func (s *Session) Ended(code int, reason string) {
	s.end(code, reason) // whoever waits in Receive goes on
	if t := s.takeHeld(); t != nil {
		s.hub.unsit(t)
	}
	s.mu.Lock()
	seats := s.seats
	s.gone, s.seats, s.outbox = true, nil, nil
	s.firstDirty, s.lastDirty = nil, nil
	watching := s.watching
	s.watching = nil
	who := s.who
	s.mu.Unlock()
	for _, t := range seats {
		s.hub.stand(t, who.ID)
	}
	for _, room := range watching {
		s.hub.watchers.drop(s, room)
	}
	s.hub.unclaim(who)
	s.hub.unregister(s, who.ID)
	if reason == line.TooManyControls {
		s.hub.metrics.limit(limitControlRate)
	}
	s.hub.metrics.ended.With(endLabels(code, reason)).Inc()
	s.hub.log.Info("session ended", zap.Stringer("session_id", s.id), zap.Stringer("member_id", who.ID),
		zap.String("name", who.Name), zap.String("room", s.room), zap.Int("code", code), zap.String("reason", reason),
		zap.Duration("duration", time.Duration(s.hub.now().UnixNano()-s.opened)), zap.String("remote_addr", s.remote()))
}
