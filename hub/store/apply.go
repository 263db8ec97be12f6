package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"govor/hub/protocol"
)

// Apply decides a batch of events in its order and stores what is not refused, in one transaction that is on disk when
// it returns. results[i] is what became of batch[i]; it depends on nothing but the events that were applied before.
//
// An error means that the batch as a whole may or may not have been stored; applying it again is safe. It is an
// *UnknownEventError when an event is of a kind or version that this program does not know: then nothing of the batch
// was stored and nothing will be any more, until a newer program opens the file.
//
// ctx ends the wait for another writer only; a transaction that has begun is finished.
func (s *Store) Apply(ctx context.Context, batch []protocol.Event) ([]Result, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.release()
	results, err := s.apply(batch)
	s.failed = err
	if err != nil {
		return nil, fmt.Errorf("apply events: %w", err)
	}
	return results, nil
}

func (s *Store) apply(batch []protocol.Event) ([]Result, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if s.unknown = firstUnknown(batch); s.unknown != nil {
		return nil, s.unknown
	}
	t := &transaction{
		writer:    s.w,
		store:     s,
		position:  s.position.Load(),
		rooms:     make(map[string]*room),
		members:   make(map[protocol.MemberID]member),
		roomLooks: make(map[string]string),
		powers:    s.powers.Load(),
	}
	results := make([]Result, len(batch))
	if err := t.run(batch, results); err != nil {
		s.suspect(err)
		s.proofs.clear()                   // it may have been stored nevertheless
		if !s.w.conn.AutocommitEnabled() { // some errors have rolled back already
			s.suspect(run(s.w.rollback))
		}
		return nil, err
	}
	s.merge(t)
	if len(t.erased) > 0 {
		s.erased(t.erased)
	}
	s.checkpoints.nudge()
	// Events in a file that nobody will find again are not stored.
	if err := s.sameFiles(); err != nil {
		return nil, err
	}
	return results, nil
}

func firstUnknown(batch []protocol.Event) error {
	for i := range batch {
		e := &batch[i]
		switch e.Kind {
		case protocol.KindMessage, protocol.KindEdit, protocol.KindDeletion, protocol.KindRoom, protocol.KindMember, protocol.KindLogout,
			protocol.KindRole, protocol.KindKick, protocol.KindMute, protocol.KindUnmute, protocol.KindBan, protocol.KindUnban,
			protocol.KindClose, protocol.KindOpen, protocol.KindSlow,
			protocol.KindLogin, protocol.KindPassword, protocol.KindRevoke, protocol.KindInvite:
			if e.V <= protocol.Version {
				continue
			}
		}
		return &UnknownEventError{Kind: e.Kind, V: e.V}
	}
	return nil
}

// transaction is one batch on its way into the file. What it changes of the state in memory stays in it until the
// commit: dropping it is all that a rollback needs.
type transaction struct {
	*writer
	store     *Store
	position  int64
	rooms     map[string]*room // copies of those that were looked at
	dirty     []*room          // those of them that were changed, in the order of their first change
	members   map[protocol.MemberID]member
	claimed   []string          // keys and looks of names
	roomLooks map[string]string // of the rooms that were opened
	erased    []skeleton
	proven    []int64 // numbers of members of whom something else is proved now: name, password, logins
	hash      string  // of the password in the event that is decided; it is nowhere else
	powers    *powers
}

func (t *transaction) run(batch []protocol.Event, results []Result) error {
	if err := run(t.begin); err != nil {
		return err
	}
	before := t.position
	for i := range batch {
		results[i].Event = batch[i]
		if err := t.decide(&results[i]); err != nil {
			return err
		}
	}
	for _, r := range t.dirty {
		t.setRoom.BindInt64(1, r.Last)
		t.setRoom.BindText(2, r.LastID)
		t.setRoom.BindInt64(3, r.lastAt)
		t.setRoom.BindInt64(4, r.Messages)
		t.setRoom.BindInt64(5, r.ID)
		if err := run(t.setRoom); err != nil {
			return err
		}
	}
	if t.position != before {
		t.setPosition.BindInt64(1, t.position)
		if err := run(t.setPosition); err != nil {
			return err
		}
	}
	return t.finish(results)
}

// decide handles res.Event. A retry is recognised before anything is refused: what was stored once gets its receipt,
// whatever has happened to the room or the name since.
func (t *transaction) decide(res *Result) error {
	e := &res.Event
	t.hash = e.TakeHash()
	m, known, err := t.member(e.Member)
	if err != nil {
		return err
	}
	if e.Kind != protocol.KindMessage { // rare: ask instead of running into the index
		if found, err := t.duplicate(res, m, known); err != nil || found {
			return err
		}
	}
	refusal, err := t.barred(e, m)
	if err != nil {
		return err
	}
	switch {
	case refusal != nil:
	case e.Kind.IsAct():
		refusal, err = t.act(res, m, known)
	default:
		refusal, err = t.happen(res, m, known)
	}
	if err != nil || refusal == nil {
		return err
	}
	if e.Kind == protocol.KindMessage {
		if found, err := t.duplicate(res, m, known); err != nil || found {
			return err
		}
	}
	res.Err = refusal.About(e.Room, e.ID)
	return nil
}

// happen handles what people do.
func (t *transaction) happen(res *Result, m member, known bool) (refusal *protocol.Error, err error) {
	switch res.Event.Kind {
	case protocol.KindMessage:
		refusal, err = t.message(res, m, known)
	case protocol.KindEdit:
		refusal, err = t.edit(res, m, known)
	case protocol.KindDeletion:
		refusal, err = t.delete(res, m, known)
	case protocol.KindRoom:
		refusal, err = t.open(res, m, known)
	case protocol.KindMember:
		refusal, err = t.claim(res, m, known)
	case protocol.KindLogin:
		refusal, err = t.login(res, m, known)
	case protocol.KindPassword:
		refusal, err = t.password(res, m, known)
	case protocol.KindRevoke:
		refusal, err = t.revoke(res, m, known)
	case protocol.KindInvite:
		refusal, err = t.invite(res, m, known)
	default:
		refusal, err = t.logout(res, m, known)
	}
	return refusal, err
}

func (t *transaction) message(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	r, refusal := t.openTo(e)
	if refusal != nil {
		return refusal, nil
	}
	renamed, err := t.renames(e, m, known)
	if err != nil {
		return nil, err
	}
	if !known || renamed {
		if taken, err := t.taken(e, m); err != nil || taken != nil {
			return taken, err
		}
	}
	if !known {
		if m, err = t.add(e); err != nil {
			return nil, err
		}
	}
	stored, err := t.put(res, r, m)
	if err != nil {
		return nil, err
	}
	if !stored {
		_, err := t.duplicate(res, m, true)
		return nil, err
	}
	if err := t.pace(e, r, m); err != nil {
		return nil, err
	}
	if renamed {
		return nil, t.rename(e, m)
	}
	return nil, nil
}

// renames tells whether a message gives its author another name, as a guest's may. Who holds a name keeps it until the next
// login: a session that has not heard of it yet must not bring the old one back.
func (t *transaction) renames(e *protocol.Event, m member, known bool) (bool, error) {
	if !known || m.num == 0 || e.Name == "" || m.name == e.Name && m.key == e.NameKey {
		return false, nil
	}
	holder, err := t.holder(m.key, e.At)
	if err == nil && holder == m.num {
		e.Name, e.NameKey = m.name, m.key
		return false, nil
	}
	return true, err
}

// open handles KindRoom. A room that exists is not opened again, and that is no error: whoever asks gets the event that
// opened it.
func (t *transaction) open(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	var body protocol.RoomBody
	err := json.Unmarshal([]byte(e.Body), &body)
	switch {
	case e.V < 1 || e.Room != protocol.RoomServer:
		return badEvent("a room is opened by an event of version 1 in " + protocol.RoomServer), nil
	case err != nil || body.Name == "" || strings.HasPrefix(body.Name, "$") || body.Kind == "":
		return badEvent("the event opens no room"), nil
	}
	if r := t.room(body.Name); r != nil {
		if res.Event, err = t.readOpening(r.opened); err != nil {
			return nil, err
		}
		res.Duplicate = true
		return nil, nil
	}
	if like := t.likeRoom(body.Looks); like != "" {
		return protocol.Errorf(protocol.CodeBadRoom, "the room %s could be taken for the room %s", body.Name, like), nil
	}
	if m, err = t.ensure(e, m, known); err != nil {
		return nil, err
	}
	if err := t.storeServer(res, m); err != nil {
		return nil, err
	}
	t.addRoom.BindText(1, body.Name)
	t.addRoom.BindText(2, body.Kind)
	t.addRoom.BindInt64(3, e.Seq)
	if err := run(t.addRoom); err != nil {
		return nil, err
	}
	r := &room{Room: Room{ID: t.conn.LastInsertRowID(), Name: body.Name, Kind: body.Kind, First: 1}, opened: e.Seq}
	t.rooms[r.Name] = r
	t.touch(r)
	return nil, t.addRoomLooks(r, body.Looks)
}

// logout handles KindLogout: logins up to now end, and a name without a password is free for whoever asks first.
func (t *transaction) logout(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	if e.V < 1 || e.Room != protocol.RoomServer || e.Member.IsZero() {
		return badEvent("a logout is a member's event of version 1 in " + protocol.RoomServer), nil
	}
	m, err := t.ensure(e, m, known)
	if err != nil {
		return nil, err
	}
	if err := t.endLogins(e.Member, &m, ""); err != nil {
		return nil, err
	}
	if !m.claimed {
		if err := t.letGo(m); err != nil {
			return nil, err
		}
	}
	return nil, t.storeServer(res, m)
}

// badEvent is for what our own code never appends.
func badEvent(sentence string) *protocol.Error {
	return protocol.Errorf(protocol.CodeInternal, "%s", sentence)
}

// duplicate looks for an earlier event of the member with the same id, and if there is one says what that means.
func (t *transaction) duplicate(res *Result, m member, known bool) (found bool, err error) {
	if !known {
		return false, nil
	}
	e := &res.Event
	first, original, found, err := t.readEvent(e.ID, m.num)
	if err != nil || !found {
		return false, err
	}
	// The text of an edit is not empty; one that is was taken away with its message.
	gone := first.Erased || first.Kind == protocol.KindEdit && original == ""
	if first.Room != e.Room || first.Kind != e.Kind || first.Target != e.Target || !gone && original != e.Body && e.Kind != protocol.KindDeletion {
		res.Err = protocol.Errorf(protocol.CodeIDReused, "the id was used before for something else").About(e.Room, e.ID)
		return true, nil
	}
	res.Event, res.Duplicate = first, true
	return true, nil
}

// put gives res.Event the next number of r and stores it; stored is false when the member has used the id before.
func (t *transaction) put(res *Result, r *room, m member) (stored bool, err error) {
	e := &res.Event
	given := *e
	e.Seq, e.Pos, e.RoomID, e.Ordinal, e.At = r.Last+1, t.position+1, r.ID, 0, max(e.At, r.lastAt)
	e.Changed, e.ChangedAt, e.Erased, e.Of, e.Taken = 0, 0, false, nil, ""
	if e.Kind == protocol.KindMessage {
		e.Ordinal = r.Messages + 1
	}
	s := t.addEvent
	s.BindInt64(1, e.Pos)
	s.BindInt64(2, e.RoomID)
	s.BindInt64(3, e.Seq)
	s.BindInt64(4, m.num)
	s.BindText(5, e.ID)
	s.BindText(6, string(e.Kind))
	s.BindInt64(7, int64(e.V))
	s.BindInt64(8, e.Target)
	s.BindInt64(9, e.Ordinal)
	s.BindInt64(10, e.At)
	s.BindText(11, e.Body)
	s.BindText(12, string(e.Mentions))
	if err := run(s); err != nil {
		return false, err
	}
	if t.conn.Changes() == 0 {
		*e = given
		return false, nil
	}
	if err := t.number(e); err != nil {
		return false, err
	}
	t.position = e.Pos
	r.Last, r.LastID, r.lastAt = e.Seq, e.ID, e.At
	if e.Kind == protocol.KindMessage {
		r.Messages = e.Ordinal
	}
	t.touch(r)
	return true, nil
}
