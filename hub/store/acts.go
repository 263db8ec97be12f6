package store

import (
	"slices"

	"govor/hub/protocol"
)

// act handles the kinds by which hosts act: who may is told by the roles at this place of the journal.
func (t *transaction) act(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	b, err := protocol.ParseActBody(e.Body)
	if e.V < 1 || e.Room != protocol.RoomServer || err != nil {
		return badEvent("hosts act by an event of version 1 in " + protocol.RoomServer), nil
	}
	if refusal := t.mayAct(e, &b); refusal != nil {
		return refusal, nil
	}
	if m, err = t.ensure(e, m, known); err != nil {
		return nil, err
	}
	if e.Member != (protocol.MemberID{}) {
		e.Name, e.NameKey = m.name, m.key // as it is read back: acting gives nobody another name
	}
	if err := t.storeServer(res, m); err != nil {
		return nil, err
	}
	if err := t.audit(e); err != nil {
		return nil, err
	}
	switch e.Kind {
	case protocol.KindRole:
		return nil, t.setRoleOf(&b)
	case protocol.KindMute, protocol.KindBan:
		return nil, t.sanction(e, &b)
	case protocol.KindUnmute, protocol.KindUnban:
		return nil, t.drop(t.lifts(e.Kind, &b))
	case protocol.KindClose, protocol.KindOpen, protocol.KindSlow:
		return nil, t.setRules(e, &b)
	default: // a kick is nothing but told
		return nil, nil
	}
}

// mayAct says why an act is refused, nil if it is not.
func (t *transaction) mayAct(e *protocol.Event, b *protocol.ActBody) *protocol.Error {
	p, to := t.powers, b.To()
	rank := p.rank(e.Member)
	if rank == 0 {
		return protocol.Errorf(protocol.CodeForbidden, "only hosts may do this")
	}
	switch e.Kind {
	case protocol.KindRole:
		return mayName(p, rank, to, b)
	case protocol.KindUnmute, protocol.KindUnban:
		if !slices.ContainsFunc(p.sanctions, t.lifts(e.Kind, b)) {
			return protocol.Errorf(protocol.CodeNoMember, "there is nothing to lift")
		}
		return nil
	case protocol.KindClose, protocol.KindOpen, protocol.KindSlow:
		if r := t.room(b.Room); r == nil || r.Name == protocol.RoomServer || b.Slow < 0 {
			return protocol.Errorf(protocol.CodeNoRoom, "there is no room %s", b.Room)
		}
		return nil
	case protocol.KindBan:
		if to.IsZero() && b.Key == "" && len(b.Prefixes()) == 0 {
			return badEvent("the event bans nobody")
		}
	default:
		if to.IsZero() {
			return badEvent("the event is about nobody")
		}
	}
	if !to.IsZero() && p.rank(to) >= rank {
		return protocol.Errorf(protocol.CodeForbidden, "%s has a role that is not below yours", b.Name)
	}
	return nil
}

// mayName says why a role is not given.
func mayName(p *powers, rank int, to protocol.MemberID, b *protocol.ActBody) *protocol.Error {
	switch {
	case to.IsZero() || b.Role != protocol.RoleNone && !b.Role.IsHost():
		return badEvent("the event gives no role to anybody")
	case rank < protocol.RoleOwner.Rank():
		return protocol.Errorf(protocol.CodeForbidden, "only owners name owners and moderators")
	case b.First && p.owners > 0:
		return protocol.Errorf(protocol.CodeForbidden, "there is an owner already")
	case p.roles[to] == protocol.RoleOwner && b.Role != protocol.RoleOwner && p.owners == 1:
		return protocol.Errorf(protocol.CodeLastOwner, "there would be no owner any more; name another one first")
	}
	return nil
}

// lifts tells the sanctions that an unmute or unban ends: by member, by name, or by one of the addresses.
func (t *transaction) lifts(kind protocol.Kind, b *protocol.ActBody) func(*Sanction) bool {
	to, of := b.To(), protocol.KindMute
	if kind == protocol.KindUnban || kind == protocol.KindBan {
		of = protocol.KindBan
	}
	return func(s *Sanction) bool {
		if s.Kind != of {
			return false
		}
		return !to.IsZero() && s.To() == to || b.Key != "" && s.Key == b.Key ||
			slices.ContainsFunc(b.Nets, func(net string) bool { return slices.Contains(s.Nets, net) })
	}
}

// setRoleOf gives the role.
func (t *transaction) setRoleOf(b *protocol.ActBody) error {
	to := b.To()
	m, known, err := t.member(to)
	if err == nil && !known {
		m, err = t.add(&protocol.Event{Member: to, Name: b.Name, NameKey: b.Key})
	}
	if err != nil {
		return err
	}
	t.setRole.BindText(1, string(b.Role))
	t.setRole.BindInt64(2, m.num)
	t.powers = t.powers.withRole(to, b.Role)
	return run(t.setRole)
}

// sanction puts a mute or ban in force. It takes the place of an earlier one on the same member or addresses; those that
// have ended by its time go, too.
func (t *transaction) sanction(e *protocol.Event, b *protocol.ActBody) error {
	same := t.replaces(e.Kind, b)
	if err := t.drop(func(s *Sanction) bool { return !s.holds(e.At) || same(s) }); err != nil {
		return err
	}
	t.addSanction.BindInt64(1, e.Seq)
	t.powers = t.powers.with(&Sanction{Seq: e.Seq, Kind: e.Kind, At: e.At, By: e.Name, ActBody: *b})
	return run(t.addSanction)
}

// replaces tells the sanctions that a new one is instead of: those on the very same.
func (t *transaction) replaces(kind protocol.Kind, b *protocol.ActBody) func(*Sanction) bool {
	return func(s *Sanction) bool {
		if s.Kind != kind || s.Member != b.Member {
			return false
		}
		return s.Member != "" || s.Key == b.Key && slices.Equal(s.Nets, b.Nets)
	}
}

func (t *transaction) drop(which func(*Sanction) bool) error {
	p, dropped := t.powers.without(which)
	for _, s := range dropped {
		t.dropSanction.BindInt64(1, s.Seq)
		if err := run(t.dropSanction); err != nil {
			return err
		}
	}
	t.powers = p
	return nil
}

// setRules changes who may write in a room, or how often.
func (t *transaction) setRules(e *protocol.Event, b *protocol.ActBody) error {
	r := t.room(b.Room)
	switch e.Kind {
	case protocol.KindClose:
		r.HostsOnly = true
	case protocol.KindOpen:
		r.HostsOnly = false
	default:
		r.Slow = b.Slow
		t.dropPaces.BindInt64(1, r.ID)
		if err := run(t.dropPaces); err != nil {
			return err
		}
	}
	t.touch(r)
	t.setRoomRules.BindBool(1, r.HostsOnly)
	t.setRoomRules.BindInt64(2, r.Slow)
	t.setRoomRules.BindInt64(3, r.ID)
	return run(t.setRoomRules)
}

// audit writes an event, which has been stored, into the list of what hosts have done.
func (t *transaction) audit(e *protocol.Event) error {
	t.addAudit.BindInt64(1, e.Pos)
	return run(t.addAudit)
}
