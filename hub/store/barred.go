package store

import (
	"time"

	"govor/hub/protocol"
)

// barred says why the author of an event may not do such a thing now, whatever it is about: bans, mutes, and the rules of
// the room. "Now" is the event's own time and its place in the journal, so that every node says the same.
func (t *transaction) barred(e *protocol.Event, m member) (*protocol.Error, error) {
	if e.Member.IsZero() || e.Kind == protocol.KindLogout || e.Kind == protocol.KindRevoke || t.store.mending {
		return nil, nil
	}
	at := time.UnixMilli(e.At)
	if s := t.powers.ban(e.Member, e.NameKey, e.At); s != nil {
		return s.Refusal(at), nil
	}
	if s := t.powers.mute(e.Member, e.At); s != nil && !sameName(e, m) {
		return s.Refusal(at), nil
	}
	if e.Room == protocol.RoomServer || t.powers.roles[e.Member].IsHost() {
		return nil, nil
	}
	r := t.room(e.Room)
	switch {
	case r == nil:
		return nil, nil
	case r.HostsOnly && e.Kind != protocol.KindDeletion: // what one wrote, one may always take back
		return protocol.Errorf(protocol.CodeReadOnly, "only hosts can write in %s", e.Room), nil
	case r.Slow > 0 && e.Kind == protocol.KindMessage:
		return t.tooSoon(e, r, m)
	}
	return nil, nil
}

// sameName tells that a member holds on to the name it has, as everybody does who opens a page, or logs in with it, or gives
// it another password: a mute silences, and shuts nobody out.
func sameName(e *protocol.Event, m member) bool {
	switch e.Kind {
	case protocol.KindMember, protocol.KindLogin, protocol.KindPassword:
		return e.Name == m.name && e.NameKey == m.key
	}
	return false
}

// tooSoon is the refusal of slow mode.
func (t *transaction) tooSoon(e *protocol.Event, r *room, m member) (*protocol.Error, error) {
	t.findPace.BindInt64(1, r.ID)
	t.findPace.BindInt64(2, m.num)
	found, err := t.findPace.Step()
	if err != nil {
		return nil, err
	}
	wait := int64(0)
	if found {
		wait = t.findPace.ColumnInt64(0) + r.Slow - max(e.At, r.lastAt)
	}
	if err := t.findPace.Reset(); err != nil || wait <= 0 {
		return nil, err
	}
	refusal := protocol.Errorf(protocol.CodeSlowMode, "in %s one waits %s between two messages", e.Room,
		protocol.Span(time.Duration(r.Slow)*time.Millisecond))
	refusal.RetryAfter = time.Duration(wait) * time.Millisecond
	return refusal, nil
}

// pace remembers when a member has written in a room with slow mode.
func (t *transaction) pace(e *protocol.Event, r *room, m member) error {
	if r.Slow == 0 {
		return nil
	}
	t.setPace.BindInt64(1, r.ID)
	t.setPace.BindInt64(2, m.num)
	t.setPace.BindInt64(3, e.At)
	return run(t.setPace)
}
