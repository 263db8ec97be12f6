package hub

import (
	"go.uber.org/zap"

	"govor/hub/protocol"
)

// nick gives the member of the session another name. A name that is proved by a login is changed where one logs in.
func (s *Session) nick(c protocol.Nick) {
	if bad := s.takeName(c.Name); bad != nil {
		s.refuse(bad)
	}
}

// takeName does what nick says. The name is the session's before anything else can have it, and the store knows it before
// the session says something under it.
func (s *Session) takeName(name string) *protocol.Error {
	h, was := s.hub, s.member()
	shown, key, bad := protocol.CheckName(name)
	switch {
	case bad != nil:
		return bad
	case shown == was.Name:
		return nil
	case was.Claimed || was.Proof == ByLogin:
		return protocol.Errorf(protocol.CodeForbidden, "this name belongs to a login; log in to change it")
	}
	m := was
	m.Name, m.NameKey = shown, key
	if bad := h.checkRename(m.ID, true); bad != nil {
		return bad
	}
	if ban := h.store.Ban(m.ID, key, h.now()); ban != nil {
		return ban.Refusal(h.now())
	}
	free, err := h.isFree(h.ctx, m)
	if err != nil {
		return asProtocol(err)
	}
	if !free || !h.claim(m) {
		return asProtocol(h.suggest(h.ctx, nameTaken(shown), shown))
	}
	if err := h.journalName(m); err != nil {
		h.unclaim(m)
		return asProtocol(h.suggest(h.ctx, err, shown))
	}
	s.called(m, was)
	return nil
}

// journalName tells the store another name of a member that it knows. The name of a guest is held by the connection only.
func (h *Hub) journalName(m Member) error {
	_, known, err := h.store.Member(h.ctx, m.ID)
	if err != nil || !known {
		return h.public(err)
	}
	return h.holdUntil(h.ctx, m, h.now().UnixMilli())
}

// renamed gives the sessions of a member the name that it has in the journal now.
func (h *Hub) renamed(e *protocol.Event) {
	for _, s := range h.sessionsOf(e.Member) {
		was := s.member()
		if was.Name == e.Name {
			continue
		}
		m := was
		m.Name, m.NameKey = e.Name, e.NameKey
		if h.claim(m) {
			s.called(m, was)
		}
	}
}

// called is the change itself, after m's name was claimed: the session is told by another welcome, and its rooms by their
// next presence.
func (s *Session) called(m, was Member) {
	s.mu.Lock()
	gone := s.gone
	if !gone {
		s.who.Name, s.who.NameKey = m.Name, m.NameKey
		s.introduced.Store(false) // the looks of the new name go with the next message
	}
	seats := s.seatsLocked()
	s.mu.Unlock()
	if gone {
		s.hub.unclaim(m)
		return
	}
	s.hub.unclaim(was)
	s.hub.log.Info("member renamed", zap.Stringer("session_id", s.id), zap.Stringer("member_id", m.ID), zap.String("name", m.Name))
	s.welcome()
	for _, t := range seats {
		t.room.mu.Lock()
		t.room.renameLocked(m.ID, m.Name)
		t.room.mu.Unlock()
	}
}
