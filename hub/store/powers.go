package store

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"govor/hub/protocol"
)

// Sanction is a mute or a ban.
type Sanction struct {
	Seq  int64         // number of its event in RoomServer
	Kind protocol.Kind // KindMute or KindBan
	At   int64         // since when, Unix milliseconds
	By   string        // who did it; "" = whoever runs the server
	protocol.ActBody

	looks protocol.Looks // of Name and Key; set by newPowers
}

// holds tells whether the sanction has not ended at a moment. That it has begun is told by the order of the journal.
func (s *Sanction) holds(at int64) bool { return s.Until == 0 || s.Until > at }

// Refusal is what is told to somebody who is refused because of the sanction at a moment.
func (s *Sanction) Refusal(at time.Time) *protocol.Error {
	e := protocol.Errorf(protocol.CodeBanned, "you are banned")
	if s.Kind == protocol.KindMute {
		e = protocol.Errorf(protocol.CodeMuted, "you are muted")
	}
	if s.Until != 0 {
		e.RetryAfter = s.End().Sub(at)
	}
	e.Why = s.Why
	return e
}

// powers are the roles and sanctions there are. They never change: a change makes new ones.
type powers struct {
	roles     map[protocol.MemberID]protocol.Role // of hosts
	owners    int
	sanctions []*Sanction // ascending by Seq

	// Made of sanctions.
	muted  map[protocol.MemberID]*Sanction
	banned map[protocol.MemberID]*Sanction
	names  map[string]*Sanction // bans by key
	looks  map[string]*Sanction // and by what could be taken for the name; not for Apply
	nets   []netBan
}

type netBan struct {
	net      netip.Prefix
	sanction *Sanction
}

func newPowers(roles map[protocol.MemberID]protocol.Role, sanctions []*Sanction) *powers {
	p := &powers{
		roles: roles, sanctions: sanctions, muted: make(map[protocol.MemberID]*Sanction),
		banned: make(map[protocol.MemberID]*Sanction), names: make(map[string]*Sanction), looks: make(map[string]*Sanction),
	}
	for _, role := range roles {
		if role == protocol.RoleOwner {
			p.owners++
		}
	}
	for _, s := range sanctions {
		to := s.To()
		switch {
		case s.Kind == protocol.KindMute:
			p.muted[to] = s
			continue
		case !to.IsZero():
			p.banned[to] = s
		}
		p.banName(s)
		for _, net := range s.Prefixes() {
			p.nets = append(p.nets, netBan{net, s})
		}
	}
	return p
}

// banName is the part of newPowers for a ban of a name. Of several, the one that holds longest counts.
func (p *powers) banName(s *Sanction) {
	if s.Key == "" {
		return
	}
	if s.looks == (protocol.Looks{}) {
		s.looks = protocol.LooksOf(s.Name, s.Key)
	}
	longest := func(bans map[string]*Sanction, by string) {
		if had := bans[by]; by != "" && (had == nil || had.Until != 0 && (s.Until == 0 || s.Until > had.Until)) {
			bans[by] = s
		}
	}
	longest(p.names, s.Key)
	for _, look := range s.looks {
		longest(p.looks, look)
	}
}

// withRole gives a member a role, or none.
func (p *powers) withRole(m protocol.MemberID, role protocol.Role) *powers {
	roles := maps.Clone(p.roles)
	if role == protocol.RoleNone {
		delete(roles, m)
	} else {
		roles[m] = role
	}
	return newPowers(roles, p.sanctions)
}

// without drops sanctions and returns which.
func (p *powers) without(drop func(*Sanction) bool) (*powers, []*Sanction) {
	var kept, dropped []*Sanction
	for _, s := range p.sanctions {
		if drop(s) {
			dropped = append(dropped, s)
		} else {
			kept = append(kept, s)
		}
	}
	if len(dropped) == 0 {
		return p, nil
	}
	return newPowers(p.roles, kept), dropped
}

func (p *powers) with(s *Sanction) *powers {
	return newPowers(p.roles, append(slices.Clone(p.sanctions), s))
}

// rank orders who acts: a host does not act on its like.
func (p *powers) rank(m protocol.MemberID) int {
	if m.IsZero() {
		return protocol.RoleOwner.Rank() + 1 // whoever runs the server
	}
	return p.roles[m].Rank()
}

// ban is what shuts a member out at a moment, nil if nothing does. A name that is banned is not so for a host.
func (p *powers) ban(m protocol.MemberID, key string, at int64) *Sanction {
	if len(p.sanctions) == 0 {
		return nil
	}
	if s := p.banned[m]; s != nil && s.holds(at) {
		return s
	}
	if s := p.names[key]; s != nil && key != "" && s.holds(at) && !p.roles[m].IsHost() {
		return s
	}
	return nil
}

// mute is what silences a member at a moment.
func (p *powers) mute(m protocol.MemberID, at int64) *Sanction {
	if s := p.muted[m]; s != nil && s.holds(at) {
		return s
	}
	return nil
}

// Role is what a member may do besides talking, from memory.
func (s *Store) Role(m protocol.MemberID) protocol.Role { return s.powers.Load().roles[m] }

// HasOwner tells whether anybody is an owner.
func (s *Store) HasOwner() bool { return s.powers.Load().owners > 0 }

// Owners are the members who own the chat, in no order.
func (s *Store) Owners() (list []protocol.MemberID) {
	for m, role := range s.powers.Load().roles {
		if role == protocol.RoleOwner {
			list = append(list, m)
		}
	}
	return list
}

// Ban is what shuts out a member with a name at a moment, nil if nothing does; from memory. The zero member has a name
// only. A banned name shuts out those that could be taken for it, too: Apply knows the very name only, since what looks alike
// is told by tables that grow.
func (s *Store) Ban(m protocol.MemberID, key string, at time.Time) *Sanction {
	p := s.powers.Load()
	if ban := p.ban(m, key, at.UnixMilli()); ban != nil || key == "" || len(p.looks) == 0 || p.roles[m].IsHost() {
		return ban
	}
	if ban := p.looks[protocol.LookOf(key)]; ban != nil && ban.To() != m && ban.holds(at.UnixMilli()) {
		return ban
	}
	return nil
}

// Mute is what silences a member at a moment, nil if nothing does; from memory.
func (s *Store) Mute(m protocol.MemberID, at time.Time) *Sanction {
	return s.powers.Load().mute(m, at.UnixMilli())
}

// BanOf is what shuts out an address at a moment, nil if nothing does; from memory. Whether it counts for who comes from
// there is the caller's to say: hosts come in from anywhere.
func (s *Store) BanOf(addr netip.Addr, at time.Time) *Sanction {
	for _, n := range s.powers.Load().nets {
		if n.net.Contains(addr) && n.sanction.holds(at.UnixMilli()) {
			return n.sanction
		}
	}
	return nil
}

// Sanctions lists the mutes and bans that hold at a moment, the newest first.
func (s *Store) Sanctions(at time.Time) []Sanction {
	var list []Sanction
	for _, x := range s.powers.Load().sanctions {
		if x.holds(at.UnixMilli()) {
			list = append(list, *x)
		}
	}
	slices.SortFunc(list, func(a, b Sanction) int { return cmp.Compare(b.Seq, a.Seq) })
	return list
}
