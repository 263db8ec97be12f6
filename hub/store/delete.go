package store

import (
	"govor/hub/mutant"
	"govor/hub/protocol"
)

// delete handles KindDeletion: the text of the member's own message, or for a host of anybody's, and of every edit
// of it, is gone with the commit; from the rest of the file a checkpoint takes it soon after. What was deleted before gets the receipt of the first time.
func (t *transaction) delete(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	r, refusal := t.openTo(e)
	if refusal != nil {
		return refusal, nil
	}
	target, author, refusal, err := t.messageAt(r, e)
	switch {
	case err != nil || refusal != nil:
		return refusal, err
	case !t.mayDelete(e, m, known, author):
		return notYours(e), nil
	case target.Erased:
		res.Duplicate = true
		first, _, _, err := t.readNumber(r, target.Changed)
		first.Of, res.Event = &target, first
		return nil, err
	}
	if m.num == author {
		e.Body = "" // else why
	}
	e.Name, e.NameKey = m.name, m.key // as it is read back: a deletion gives nobody another name
	stored, err := t.put(res, r, m)
	if err != nil {
		return nil, err
	}
	if !stored { // decide has looked before
		return badEvent("the deletion was stored before"), nil
	}
	e.Taken = target.Body
	target.Body, target.Mentions, target.Erased, target.Changed, target.ChangedAt = "", "", true, e.Seq, e.At
	e.Of = &target
	if m.num != author {
		if err := t.audit(e); err != nil {
			return nil, err
		}
	}
	return nil, t.takeAway(r, e)
}

// messageAt finds the message that an event changes, and its author.
func (t *transaction) messageAt(r *room, e *protocol.Event) (target protocol.Event, author int64, refusal *protocol.Error, err error) {
	target, author, ok, err := t.readNumber(r, e.Target)
	if err == nil && (!ok || e.Target < r.First || target.Kind != protocol.KindMessage) {
		refusal = protocol.Errorf(protocol.CodeNoTarget, "there is no message %d in %s", e.Target, e.Room)
	}
	return target, author, refusal, err
}

// mayDelete tells whether a member may take away a message of the author.
func (t *transaction) mayDelete(e *protocol.Event, m member, known bool, author int64) bool {
	return known && (m.num == author || t.powers.roles[e.Member].IsHost())
}

func notYours(e *protocol.Event) *protocol.Error {
	return protocol.Errorf(protocol.CodeNotYours, "the message %d is somebody else's", e.Target)
}

// takeAway empties what e.Of was.
func (t *transaction) takeAway(r *room, e *protocol.Event) error {
	t.erase.BindInt64(1, e.Of.Pos)
	t.eraseEdits.BindInt64(1, r.ID)
	t.eraseEdits.BindInt64(2, e.Target)
	t.fold.BindInt64(1, e.Of.Pos)
	t.fold.BindInt64(2, e.Seq)
	t.fold.BindInt64(3, e.Pos)
	if mutant.Active == mutant.KeepText {
		t.erase.BindInt64(1, -1)
	}
	if err := run(t.erase); err != nil {
		return err
	}
	if err := run(t.eraseEdits); err != nil {
		return err
	}
	if err := run(t.fold); err != nil {
		return err
	}
	r.Changed = e.Seq
	t.erased = append(t.erased, skeletonOf(e))
	return nil
}

// openTo finds the room of an event of people.
func (t *transaction) openTo(e *protocol.Event) (*room, *protocol.Error) {
	r := t.room(e.Room)
	switch {
	case e.V < 1:
		return nil, badEvent("the event has no version")
	case r == nil || r.Name == protocol.RoomServer:
		return nil, protocol.Errorf(protocol.CodeNoRoom, "there is no room %s", e.Room)
	case r.Closed:
		return nil, protocol.Errorf(protocol.CodeRoomClosed, "the room %s is closed", e.Room)
	}
	return r, nil
}
