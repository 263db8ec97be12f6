package hub

import "govor/hub/line"

// share is the seats of one ring that one event loop writes, and that have nothing of their own in the way. They are
// told of a frame together: the loop asks for what each of them is to write, a few at a time, and no session is woken,
// locked or even looked at for it. A seat joins the share of its loop when it has caught up for the first time. One
// whose line is not idle when its turn comes goes the way of the others, by its session, until it has caught up again.
//
// All fields are guarded by the room's mu.
type share struct {
	// Fixed at construction.
	ring   *ring
	room   *room
	feeder line.Feeder

	seats []*seat
	due   bool  // the feeder asks, or will; counted in ring.behind
	next  int   // seats before it had their turn in this round
	upto  int64 // where the ring ended when the round began
	again bool  // somebody did not take everything in this round
}

// Bounds of one call of Next.
const (
	shareBytes = 1 << 20
	shareLooks = 512 // seats that are passed over or taken
)

// settleLocked moves a seat that has caught up into the share of its loop, if a loop writes its session.
func (s *seat) settleLocked() {
	if s.share != nil || s.seq > s.room.head || s.state != live {
		return // the second: it has an event that the room is yet to be told of
	}
	l := s.session.line.Load()
	if l == nil {
		return
	}
	fed, ok := (*l).(line.Fed)
	if !ok {
		return
	}
	s.ring.drop(s)
	s.fed, s.share = fed, s.ring.shareOf(s.room, fed.Feeder())
	s.ring.add(s)
}

// unsettleLocked is the way back, of a seat that waits for the store.
func (s *seat) unsettleLocked() {
	if s.share != nil {
		s.ring.drop(s)
		s.share, s.fed = nil, nil
		s.ring.add(s)
	}
}

// tellLocked has the feeder ask, unless it does already.
func (h *share) tellLocked() {
	if h.due || len(h.seats) == 0 {
		return
	}
	h.due = true
	h.ring.behind++
	h.beginLocked()
	h.feeder.Feed(h, h.ring.members > crowdSize)
}

func (h *share) beginLocked() { h.next, h.upto, h.again = 0, h.ring.end, false }

// Next implements line.Feed.
func (h *share) Next(dst []line.Share) (n int, more bool) {
	h.room.mu.Lock()
	defer h.room.mu.Unlock()
	size := 0
	for looks := 0; n < len(dst) && size < shareBytes && looks < shareLooks; looks++ {
		if h.next == len(h.seats) {
			if !h.again && h.upto == h.ring.end || len(h.seats) == 0 {
				h.due = false
				h.ring.behind--
				h.ring.giveBack()
				return n, false
			}
			h.beginLocked()
		}
		t := h.seats[h.next]
		h.next++
		if b := h.takeLocked(t); len(b) > 0 {
			dst[n] = line.Share{To: t.fed, Bytes: b}
			n++
			size += len(b)
		}
	}
	return n, true
}

// takeLocked returns what t is to write; a seat that cannot be given it so is handed to its session.
func (h *share) takeLocked(t *seat) []byte {
	if t.behind || t.cursor == h.ring.end || t.state != live {
		return nil
	}
	if t.cursor < h.ring.first() || t.end != noEnd || !t.fed.Idle() {
		h.ring.fallBehind(t)
		t.session.markDirty(t)
		return nil
	}
	b, last := h.ring.from(t.cursor)
	t.cursor += int64(len(b))
	t.seq = max(t.seq, last)
	h.again = h.again || t.cursor < h.ring.end
	return b
}

// drop takes t out; who had their turn in this round stay before those who had not.
func (h *share) drop(t *seat) {
	hole, last := int(t.place), len(h.seats)-1
	if hole < h.next {
		h.next--
		h.moveTo(hole, h.seats[h.next])
		hole = h.next
	}
	if hole != last {
		h.moveTo(hole, h.seats[last])
	}
	h.seats[last] = nil
	h.seats = h.seats[:last]
}

func (h *share) moveTo(place int, t *seat) {
	h.seats[place], t.place = t, int32(place) //nolint:gosec // see ring.add
}
