package hub

import (
	"net/netip"
	"time"

	"govor/hub/protocol"
)

// hourly takes one of so many things an hour under a key, which may all come at once; the wait is how long there is
// none, 0 = it was taken. perHour 0 is no limit.
func (h *Hub) hourly(key, limit string, perHour int) (wait time.Duration) {
	if perHour <= 0 {
		return 0
	}
	l := h.shared(limit+" "+key, func() []bucket {
		return newBucket(nil, limit, float64(perHour)/time.Hour.Seconds(), perHour, false, false)
	})
	now := h.now()
	r := l[0].ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		h.metrics.limit(limit)
	}
	return wait
}

// checkOpening says whether a member may write to a room as far as there must be one: opening rooms is limited.
func (h *Hub) checkOpening(room string, m Member, from netip.Addr) *protocol.Error {
	if _, ok := h.store.Room(room); ok || h.limits.NewRoomsPerHour <= 0 {
		return nil
	}
	wait := h.hourly("member "+m.ID.String(), limitNewRooms, h.limits.NewRoomsPerHour)
	if wait == 0 && from.IsValid() {
		wait = h.hourly("addr "+from.Unmap().String(), limitNewRooms, h.limits.NewRoomsPerHour)
	}
	if wait == 0 {
		return nil
	}
	e := protocol.Errorf(protocol.CodeTooMany, "more than %d new rooms an hour", h.limits.NewRoomsPerHour)
	e.RetryAfter = wait
	return e
}

// checkRename says whether a member may log in with another name, if it is another.
func (h *Hub) checkRename(m protocol.MemberID, another bool) *protocol.Error {
	if !another {
		return nil
	}
	wait := h.hourly("member "+m.String(), limitRenames, h.limits.RenamesPerHour)
	if wait == 0 {
		return nil
	}
	e := protocol.Errorf(protocol.CodeTooFast, "more than %d changes of the name an hour", h.limits.RenamesPerHour)
	e.RetryAfter = wait
	return e
}

// checkSlow is slow mode for a guest by HTTP, who is somebody new with every request: the address stands for it. For everybody
// else Apply counts.
func (h *Hub) checkSlow(room string, m Member, from netip.Addr) *protocol.Error {
	r, _ := h.store.Room(room)
	if r.Slow == 0 || m.Proof != ByNothing || !from.IsValid() {
		return nil
	}
	span := time.Duration(r.Slow) * time.Millisecond
	b := h.shared("slow "+room+" "+span.String()+" "+from.Unmap().String(), func() []bucket {
		return newBucket(nil, limitSlow, 1/span.Seconds(), 1, false, true)
	})
	now := h.now()
	taken := b[0].ReserveN(now, 1)
	wait := taken.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	taken.CancelAt(now)
	e := protocol.Errorf(protocol.CodeSlowMode, "in %s one waits %s between two messages", room, protocol.Span(span))
	e.RetryAfter = wait
	return e
}

// limitSlow is the rule of a room, and no setting.
const limitSlow = "slow"

// checkSessionsLocked says whether a member may have one more session.
func (h *Hub) checkSessionsLocked(m protocol.MemberID) *protocol.Error {
	most := h.limits.MaxSessionsPerMember
	if most <= 0 {
		return nil
	}
	n := 0
	for s := h.byMember[m]; s != nil && n < most; s = s.sibling {
		n++
	}
	if n < most {
		return nil
	}
	h.metrics.limit(limitMemberConnections)
	e := protocol.Errorf(protocol.CodeTooMany, "you have %d connections already; close one first", most)
	e.RetryAfter = admitRetry
	return e
}

// checkSeats says whether a session that is in n rooms may be in one more.
func (h *Hub) checkSeats(n int) *protocol.Error {
	if h.limits.MaxRooms <= 0 || n < h.limits.MaxRooms {
		return nil
	}
	h.metrics.limit(limitRooms)
	return protocol.Errorf(protocol.CodeTooMany, "a session may be in %d rooms; leave one first", h.limits.MaxRooms)
}
