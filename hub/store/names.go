package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// NameHolder is who took a name last, by its key. The hold may have ended: compare Until with the moment that matters.
func (s *Store) NameHolder(ctx context.Context, key string) (h Holder, ok bool, err error) {
	if !s.maybeTaken(key) {
		return Holder{}, false, nil
	}
	const query = "SELECT m.id, n.until, m.password FROM names n CROSS JOIN members m ON m.num = n.member WHERE n.key = +?"
	err = s.readers.do(ctx, query, func(stmt *sqlite.Stmt) error {
		stmt.BindText(1, key)
		var err error
		if ok, err = stmt.Step(); ok {
			stmt.ColumnBytes(0, h.Member[:])
			h.Until, h.Hash = time.UnixMilli(stmt.ColumnInt64(1)).UTC(), stmt.ColumnText(2)
		}
		return err
	})
	if err != nil {
		return Holder{}, false, fmt.Errorf("read the holder of a name: %w", err)
	}
	return h, ok, nil
}

// NameFree tells whether a member may have a name at a moment: no other member holds it, nor one for which it could be
// taken. Who holds it already may have it.
func (s *Store) NameFree(ctx context.Context, key string, looks protocol.Looks, m protocol.MemberID, at time.Time) (bool, error) {
	h, held, err := s.NameHolder(ctx, key)
	if err != nil {
		return false, err
	}
	if held && (h.Member == m || h.Until.After(at)) {
		return h.Member == m, nil
	}
	free := true
	for _, look := range looks {
		if look == "" || !free || !s.maybeTaken(look) {
			continue
		}
		err := s.readers.do(ctx, queryLook+" AND n.member <> coalesce((SELECT num FROM members WHERE id = +?), 0)", func(stmt *sqlite.Stmt) error {
			stmt.BindText(1, look)
			stmt.BindInt64(2, at.UnixMilli())
			stmt.BindBytes(3, m[:])
			found, err := stmt.Step()
			free = !found
			return err
		})
		if err != nil {
			return false, fmt.Errorf("read what looks like a name: %w", err)
		}
	}
	return free, nil
}

// queryLook finds who holds a name with a look at a moment.
const queryLook = "SELECT n.member FROM looks l CROSS JOIN names n ON n.key = l.key WHERE l.look = +? AND n.until > +?"

// maybeTaken is false for a key or a look that nobody has taken. Most guests' names are such, and every connection asks.
func (s *Store) maybeTaken(key string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, maybe := s.taken[maphash.String(s.seed, key)]
	return maybe
}

// readKeys reads the keys and the looks of all names that are held, or were until their hold ended.
func (w *writer) readKeys() ([]string, error) {
	stmt, _, err := w.conn.PrepareTransient("SELECT key FROM names UNION ALL SELECT look FROM looks")
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Finalize() }()
	var keys []string
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return keys, err
		}
		keys = append(keys, stmt.ColumnText(0))
	}
}

// holder says which member holds a name at a moment; 0 = nobody.
func (w *writer) holder(key string, at int64) (num int64, err error) {
	w.findName.BindText(1, key)
	ok, err := w.findName.Step()
	if err != nil {
		return 0, err
	}
	if ok && w.findName.ColumnInt64(1) > at {
		num = w.findName.ColumnInt64(0)
	}
	return num, w.findName.Reset()
}

// likeHeld tells whether another member than num holds a name with a look at a moment.
func (w *writer) likeHeld(look string, num, at int64) (bool, error) {
	w.findLook.BindText(1, look)
	w.findLook.BindInt64(2, at)
	w.findLook.BindInt64(3, num)
	found, err := w.findLook.Step()
	if err != nil {
		return false, err
	}
	return found, w.findLook.Reset()
}

// claim handles KindMember: the member takes the name, if nobody else holds it or one that it could be taken for, and
// lets go of the one it had.
func (t *transaction) claim(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	var body protocol.MemberBody
	err := json.Unmarshal([]byte(e.Body), &body)
	switch {
	case e.V < 1 || e.Room != protocol.RoomServer || e.Member.IsZero():
		return badEvent("a name is taken by a member's event of version 1 in " + protocol.RoomServer), nil
	case err != nil || e.Name == "" || e.NameKey == "":
		return badEvent("the event takes no name"), nil
	}
	if taken, err := t.taken(e, m); err != nil || taken != nil {
		return taken, err
	}
	if m, err = t.ensure(e, m, known); err != nil {
		return nil, err
	}
	if m.name != e.Name || m.key != e.NameKey {
		if err := t.rename(e, m); err != nil {
			return nil, err
		}
	}
	if m.claimed {
		body.Until = protocol.HeldForever
	}
	if err := t.hold(e, m, body.Until); err != nil {
		return nil, err
	}
	if err := t.seen(body.Login, m, e.At); err != nil {
		return nil, err
	}
	return nil, t.storeServer(res, m)
}

// hold gives the name of e, which is not taken, to m. Holds that have ended go where they are in its way.
func (t *transaction) hold(e *protocol.Event, m member, until int64) error {
	for _, look := range e.Looks {
		if look == "" {
			continue
		}
		t.dropLike.BindText(1, look)
		t.dropLike.BindInt64(2, e.At)
		if err := t.lose(t.dropLike); err != nil {
			return err
		}
	}
	t.dropNames.BindText(1, e.NameKey)
	t.dropNames.BindInt64(2, m.num)
	if err := t.lose(t.dropNames); err != nil {
		return err
	}
	t.claimed, t.proven = append(t.claimed, e.NameKey), append(t.proven, m.num)
	t.addName.BindText(1, e.NameKey)
	t.addName.BindInt64(2, m.num)
	t.addName.BindInt64(3, until)
	if err := run(t.addName); err != nil {
		return err
	}
	for _, look := range e.Looks {
		if look == "" {
			continue
		}
		t.claimed = append(t.claimed, look)
		t.addLook.BindText(1, look)
		t.addLook.BindText(2, e.NameKey)
		if err := run(t.addLook); err != nil {
			return err
		}
	}
	return nil
}

// taken says whether another member holds the name of e, or one that it could be taken for. Who holds the name keeps it.
func (t *transaction) taken(e *protocol.Event, m member) (*protocol.Error, error) {
	if e.NameKey == "" {
		return nil, nil
	}
	num, err := t.holder(e.NameKey, e.At)
	if err != nil {
		return nil, err
	}
	if num != 0 {
		if num == m.num {
			return nil, nil
		}
		return protocol.Errorf(protocol.CodeNameTaken, "the name %s is taken", e.Name), nil
	}
	for _, look := range e.Looks {
		if look == "" {
			continue
		}
		like, err := t.likeHeld(look, m.num, e.At)
		if err != nil {
			return nil, err
		}
		if like {
			return protocol.Errorf(protocol.CodeNameTaken, "the name %s looks like one that is taken", e.Name), nil
		}
	}
	return nil, nil
}

// letGo makes m's name free for whoever asks first.
func (t *transaction) letGo(m member) error {
	t.dropNames.BindText(1, "") // nobody's key
	t.dropNames.BindInt64(2, m.num)
	return t.lose(t.dropNames)
}

// lose runs a statement that takes names and says whose they were.
func (t *transaction) lose(stmt *sqlite.Stmt) error {
	for {
		more, err := stmt.Step()
		if err != nil {
			return err
		}
		if !more {
			return stmt.Reset()
		}
		t.proven = append(t.proven, stmt.ColumnInt64(0))
	}
}

// readMember looks a member up by its id.
func (w *writer) readMember(id protocol.MemberID) (m member, ok bool, err error) {
	w.findMember.BindBytes(1, id[:])
	ok, err = w.findMember.Step()
	if err != nil || !ok {
		return member{}, false, errors.Join(err, w.findMember.Reset())
	}
	m = member{
		num: w.findMember.ColumnInt64(0), name: w.findMember.ColumnText(1), key: w.findMember.ColumnText(2),
		generation: w.findMember.ColumnInt64(3), claimed: w.findMember.ColumnBool(4),
	}
	return m, true, w.findMember.Reset()
}
