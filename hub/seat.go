package hub

import (
	"govor/hub/line"
	"govor/hub/mutant"
	"govor/hub/protocol"
)

// seat is a session's place in one room: its cursor in the ring of the session's format, and its end.
//
// The seam between history and the live stream: a seat is registered first and reads then. Registering pins the
// cursor at the ring's end when the room's last dispatched number is H; commit precedes dispatch, so the store holds
// everything up to H. The seat gets (number, H] from the store, in blocks, then goes on in the ring at H+1. If the ring
// has dropped the pinned bytes by then, or drops them while the seat's session is slow, the seat pins again at the new H
// and reads on from its last number. So every number comes exactly once, in order, however the steps interleave.
type seat struct {
	// Fixed at construction.
	session *Session
	room    *room
	ring    *ring

	// Guarded by room.mu.
	state  seatState
	behind bool  // counted in ring.behind
	dirty  bool  // guarded by session.mu: in the session's chain
	place  int32 // in the share's seats or in ring.seats
	cursor int64 // offset in the ring of the next byte to take, when the seat is or will be live
	seq    int64 // number of the last event that was taken, or that is in block
	pin    int64 // H: the store gives up to here
	end    int64 // nothing from this offset on is ever taken; noEnd = no end
	block  []byte
	from   int64    // what seq was before block
	share  *share   // nil = it stands in ring.seats
	fed    line.Fed // of the session, in a share

	nextDirty *seat // guarded by session.mu
}

type seatState uint8

const (
	held     seatState = iota // pinned, waits for the session's first command
	loading                   // waits for a block from the store
	loaded                    // block waits for the writer
	live                      // goes on in the ring
	finished                  // left, or past its end
)

const noEnd = int64(-1)

// pinLocked registers the seat at the ring's end.
func (s *seat) pinLocked() {
	s.cursor, s.pin = s.ring.end, s.room.head
	if mutant.Active == mutant.Seam {
		s.pin = max(0, s.pin-1)
	}
	s.ring.catchUp(s)
}

// beginLocked lets the seat go: from the store if there is something to read, else in the ring.
func (s *seat) beginLocked(after int64) {
	s.seq = after
	if after > s.pin { // a receipt was faster than dispatch: what the ring got since the pin may be known already
		s.pinLocked()
	}
	s.continueLocked()
}

// continueLocked decides where a pinned seat goes on after its last number.
func (s *seat) continueLocked() {
	if s.seq < s.pin {
		s.unsettleLocked()
		s.state = loading
		s.session.hub.catchups.add(s)
		return
	}
	s.state = live
	if s.behind || s.cursor < s.ring.end {
		s.session.markDirty(s)
	}
}

// fetch has the session's writer, who calls it, take what the seat has not taken yet, though its share would give it.
// It tells whether there is anything.
func (s *seat) fetch() bool {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if s.state != live || s.cursor == s.ring.end {
		return false
	}
	if !s.behind {
		s.ring.fallBehind(s)
	}
	s.session.addDirty(s)
	return true
}

// take returns the bytes to write next and whether there may be more at once. Only the session's writer calls it.
func (s *seat) take() (b []byte, more bool) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	switch s.state {
	case loaded:
		b, s.block = s.block, nil
		s.continueLocked()
		return b, false
	case live:
		return s.takeLiveLocked()
	default:
		return nil, false
	}
}

func (s *seat) takeLiveLocked() (b []byte, more bool) {
	if s.cursor < s.ring.first() {
		if s.end != noEnd { // what is left of it is gone, and the store must not give more
			s.finishLocked()
			return nil, false
		}
		s.session.hub.metrics.slowConsumers.Inc()
		s.pinLocked()
		s.continueLocked()
		return nil, false
	}
	b, last := s.ring.from(s.cursor)
	if s.end != noEnd && s.cursor+int64(len(b)) >= s.end {
		b = b[:max(0, s.end-s.cursor)]
		s.finishLocked()
		return b, false
	}
	s.cursor += int64(len(b))
	s.seq = max(s.seq, last)
	if s.cursor == s.ring.end {
		s.ring.catchUp(s)
		s.settleLocked()
	}
	return b, s.cursor < s.ring.end
}

// finishLocked takes the seat out of its ring; the room goes on without it.
func (s *seat) finishLocked() {
	if s.state == finished {
		return
	}
	s.state, s.block = finished, nil
	s.ring.catchUp(s)
	s.ring.drop(s)
	if s.ring.members == 0 {
		delete(s.room.rings, s.ring.format.Key())
	}
}

// endHere lets the seat's session have what was dispatched up to now, and nothing after it. A seat that still reads
// from the store ends at once.
func (s *seat) endHere() {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if s.state == live && s.cursor < s.ring.end && s.cursor >= s.ring.first() {
		s.end = s.ring.end
		if !s.behind {
			s.ring.fallBehind(s)
		}
		s.session.markDirty(s)
		return
	}
	s.finishLocked()
}

// forgetLocked drops what the seat has not written yet, the ring having dropped it too; the store gives it again, as it
// is now. A seat that is held or loads comes to that by itself.
func (s *seat) forgetLocked() {
	switch {
	case s.state == loaded:
		s.block, s.seq, s.state = nil, s.from, loading
		s.session.hub.catchups.add(s)
	case s.state == live && s.cursor < s.ring.end && s.end != noEnd:
		s.finishLocked()
	case s.state == live && s.cursor < s.ring.end:
		s.pinLocked()
		s.continueLocked()
	}
}

// load fetches the next block from the store. Only catch-up workers call it.
func (s *seat) load() {
	s.room.mu.Lock()
	if s.state != loading {
		s.room.mu.Unlock()
		return
	}
	after, pin, changed := s.seq, s.pin, s.room.changed
	s.room.mu.Unlock()

	h := s.session.hub
	b, last, err := h.blocks.get(h.ctx, s.session.member().ID, s.room.name, s.ring.format, after, pin)
	if err != nil {
		s.session.end(protocol.CloseTryAgain, "history cannot be read")
		h.log.Warn("history for a seat", sessionFields(s.session, s.room.name, err)...)
		return
	}
	h.hooks.loaded(s)

	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if s.state != loading {
		return
	}
	if s.room.changed != changed { // what was read may hold what has been taken away since
		h.catchups.add(s)
		return
	}
	s.from, s.seq = after, last
	if mutant.Active == mutant.OnePage {
		s.seq = pin
	}
	if len(b) == 0 {
		s.continueLocked()
		return
	}
	s.block, s.state = b, loaded
	s.session.markDirty(s)
}
