package hub

import "govor/hub/protocol"

// at is the room of commands that name none: that of the connection's address, or in plain text, which is in one room at
// a time, the one where it has its seat.
func (s *Session) at() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, plain := s.format.(protocol.Text); plain && len(s.seats) > 0 {
		return s.seats[0].room.name
	}
	return s.room
}

// goTo leaves the room for another one.
func (s *Session) goTo(c protocol.Go) {
	from := s.at()
	if c.Room == "" && from == protocol.RoomLobby {
		s.refuse(protocol.Errorf(protocol.CodeBadCommand, "this is the lobby, which one leaves by closing the connection; /join ROOM goes to another room"))
		return
	}
	if c.Room == "" {
		c.Room = protocol.RoomLobby
	}
	room, bad := s.hub.CheckRoom(c.Room)
	if bad != nil {
		s.refuse(bad.About(c.Room, ""))
		return
	}
	if room == from {
		s.reply(protocol.Moved{Room: room})
		return
	}
	if !s.join(room, resumption{}) {
		return
	}
	s.mu.Lock()
	old, who := s.dropSeatLocked(from), s.who.ID
	s.mu.Unlock()
	if old != nil { // else the session has ended meanwhile
		s.hub.stand(old, who)
	}
	s.reply(protocol.Moved{Room: room})
}

// whoIs tells who is in a room that may be read.
func (s *Session) whoIs(c protocol.Who) {
	if c.Room == "" {
		c.Room = s.at()
	}
	room, bad := protocol.CheckRoom(c.Room)
	if bad == nil {
		if may, err := s.hub.store.MayRead(s.hub.ctx, s.member().ID, room); err != nil {
			bad = errUnavailable
		} else if !may {
			bad = protocol.Errorf(protocol.CodeNoRoom, "there is no room %s", room)
		}
	}
	if bad != nil {
		s.refuse(bad.About(c.Room, ""))
		return
	}
	people, online := s.hub.People(room)
	s.reply(protocol.People{Room: room, Online: online, People: people})
}
