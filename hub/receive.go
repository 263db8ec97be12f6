package hub

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"govor/hub/line"
	"govor/hub/protocol"
)

// Receive implements socket.Peer.
func (s *Session) Receive(data []byte) {
	cmd, bad := s.format.Decode(data)
	if _, ok := cmd.(protocol.Send); !ok && !s.paceFrame(costOf(cmd)) { // a message has paces of its own
		return
	}
	if bad != nil {
		s.begin()
		s.refuse(bad)
		return
	}
	if hello, ok := cmd.(protocol.Hello); ok {
		s.hello(hello)
		return
	}
	s.begin()
	switch cmd := cmd.(type) {
	case protocol.Send:
		s.send(cmd)
	case protocol.Edit:
		s.change(change{cmd.Room, cmd.ID, cmd.Seq, protocol.KindEdit, cmd.Text})
	case protocol.Delete:
		s.change(change{cmd.Room, cmd.ID, cmd.Seq, protocol.KindDeletion, cmd.Why})
	case protocol.Act:
		s.act(cmd)
	case protocol.Join:
		s.joinAs(cmd.Room, cmd.Resume)
	case protocol.Leave:
		s.leave(cmd.Room)
	case protocol.Read:
		s.read(cmd)
	case protocol.Watch:
		s.watch(cmd)
	case protocol.Nick:
		s.nick(cmd)
	case protocol.Who:
		s.whoIs(cmd)
	case protocol.Help:
		s.reply(protocol.Usage{})
	case protocol.Go:
		s.goTo(cmd)
	case protocol.Ping:
		s.reply(protocol.Pong{})
	}
}

// refuse answers with an error; nothing else changes.
func (s *Session) refuse(e *protocol.Error) {
	s.hub.metrics.errors.WithLabelValues(string(e.Code)).Inc()
	s.reply(e)
}

// hello proves who it is and takes the seats that the client asks for instead of the held one.
func (s *Session) hello(c protocol.Hello) {
	s.seating.Lock()
	defer s.seating.Unlock()
	if c.Token != "" && s.member().Proof != ByLogin {
		s.present(c.Token)
	}
	if len(c.Rooms) == 0 {
		s.beginLocked()
		return
	}
	if len(c.Rooms) > protocol.MaxRoomsPerHello {
		s.beginLocked()
		s.refuse(protocol.Errorf(protocol.CodeTooMany, "a session may be in %d rooms", protocol.MaxRoomsPerHello))
		return
	}
	if t := s.takeHeld(); t != nil {
		defer s.hub.unsit(t) // after the new seats have been taken, so that the room stays resident
	}
	for room, resume := range c.Rooms {
		s.joinAs(room, resume)
	}
}

// present makes the session that of the token's member; other sessions by the same token are replaced.
func (s *Session) present(token string) {
	h := s.hub
	m, _, err := h.verify(h.ctx, purposeToken, token)
	if err != nil {
		s.refuse(asProtocol(err))
		if asProtocol(err).Code == protocol.CodeBanned {
			s.expel(protocol.ClosePolicy, reasonBanned)
		}
		return
	}
	m.Proof = ByToken
	old := s.member()
	h.unclaim(old) // it may be the very name: the address said it, and the token says it again
	if err := h.take(&m); err != nil {
		s.refuse(asProtocol(err))
		if !h.claim(old) { // somebody was quick
			s.end(protocol.CloseTryAgain, reasonUnavailable)
		}
		return
	}
	h.replace(s, m)
	s.mu.Lock()
	s.who = m
	seats := s.seatsLocked()
	s.mu.Unlock()
	for _, t := range seats {
		t.room.hand(old.ID, m)
	}
	if bad := h.shutOut(m, s.ip); bad != nil { // as in Open: a ban that is dispatched now finds the session
		s.refuse(bad)
		s.expel(protocol.ClosePolicy, reasonBanned)
		return
	}
	h.log.Info("session recognised", zap.Stringer("session_id", s.id), zap.Stringer("member_id", m.ID), zap.String("name", m.Name))
	s.welcome()
}

// hand gives a session's presence in the room to another member.
func (r *room) hand(from protocol.MemberID, to Member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaveLocked(from)
	r.enterLocked(to)
}

// send appends a message. It blocks while the session is over its rate, or has too much unanswered.
func (s *Session) send(c protocol.Send) {
	if c.ID == "" {
		c.ID = protocol.NewID()
	}
	room, bad := s.roomOf(c.Room)
	if bad == nil {
		bad = s.hub.checkSend(c)
	}
	if bad == nil {
		bad = s.hub.checkOpening(room, s.member(), Counted(s.ip))
	}
	if bad != nil {
		if s.paceFrame(refusalCost) { // what is refused is no message, and paced as commands are
			s.refuse(bad.About(c.Room, c.ID))
		}
		return
	}
	if s.pace(len(c.Text)) && s.reserve() {
		m := s.member()
		e := s.hub.message(m, room, c)
		if m.Proof != ByLogin && !s.introduced.Load() {
			e.Looks = m.looks()
		}
		s.append(e)
	}
}

// append hands an event to the journal, in the order of the calls and unless an earlier one has failed. reserve has made
// room for it.
func (s *Session) append(e protocol.Event) {
	h := s.hub
	s.sending.Lock()
	defer s.sending.Unlock()
	if s.failed {
		s.answered(e.Kind, protocol.Receipt{Room: e.Room, ID: e.ID}, errUnavailable)
		return
	}
	if e.Kind == protocol.KindMessage {
		h.openRoom(&e)
	}
	kind := e.Kind // the whole of e need not wait for its answer
	h.journal.Append(e, func(r protocol.Receipt, err error) {
		var refused *protocol.Error
		if err != nil && !errors.As(err, &refused) {
			s.sending.Lock()
			s.failed = true
			s.sending.Unlock()
		}
		s.answered(kind, r, err)
	})
}

// roomOf finds the room of a command, by default that of the address: one that the session has a seat in.
func (s *Session) roomOf(name string) (string, *protocol.Error) {
	if name == "" {
		name = s.at()
	}
	s.mu.Lock()
	ok := s.seatInLocked(name) != nil
	s.mu.Unlock()
	if ok {
		return name, nil
	}
	canonical, bad := protocol.CheckRoom(name)
	if bad != nil {
		return "", bad
	}
	s.mu.Lock()
	ok = s.seatInLocked(canonical) != nil
	s.mu.Unlock()
	if !ok {
		return "", protocol.Errorf(protocol.CodeNotInRoom, "this session has not joined %s", canonical)
	}
	return canonical, nil
}

// wait lets time pass; false when the session has begun to end.
func (s *Session) wait(delay time.Duration) bool {
	t := time.NewTimer(delay)
	defer t.Stop()
	for {
		s.mu.Lock()
		ending, changed := s.ending, s.changesLocked()
		s.mu.Unlock()
		if ending {
			return false
		}
		select {
		case <-t.C:
			return true
		case <-changed:
		}
	}
}

// reserve waits until one more append may be in flight and tells whether to go on.
func (s *Session) reserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ending && (s.inFlight >= maxInFlight || len(s.outbox) > outboxSoft) {
		changed := s.changesLocked()
		s.mu.Unlock()
		<-changed
		s.mu.Lock()
	}
	if s.ending {
		return false
	}
	s.inFlight++
	return true
}

// answered tells the sender what became of an event. A receipt whose echo is on its way waits for it: the echo wakes the
// writer, and one write takes both.
func (s *Session) answered(kind protocol.Kind, r protocol.Receipt, err error) {
	s.hub.countAppend(kind, r, err)
	if err == nil {
		s.introduced.Store(true)
	}
	refused := asProtocol(err)
	if err == nil {
		s.put(r)
	} else {
		s.refuse(refused.About(roomOf(r.Room), r.ID))
	}
	s.mu.Lock()
	s.inFlight--
	s.changeLocked()
	var t *seat // which the echo comes to
	if err == nil && !r.Duplicate && !s.ending {
		t = s.seatInLocked(r.Room)
	}
	s.mu.Unlock()
	if err != nil && refused.Code == protocol.CodeUnavailable {
		s.end(protocol.CloseTryAgain, reasonUnavailable)
	}
	if t == nil || !s.holdFor(t, r.Seq) {
		s.notify(false)
	}
}

// holdFor has the writer wait for the event seq of t's room, and tells whether that is yet to come: dispatch may have been
// faster than the answer, when it reads from the store.
func (s *Session) holdFor(t *seat, seq int64) bool {
	if l := s.line.Load(); l != nil {
		if fed, ok := (*l).(line.Fed); ok {
			fed.Hold() // before looking: dispatch that comes now finds it
		}
	}
	t.room.mu.Lock()
	defer t.room.mu.Unlock()
	return t.room.head < seq
}
