package hub

import (
	"context"
	"math"
	"net/netip"
	"slices"

	"go.uber.org/zap"

	"govor/hub/protocol"
	"govor/hub/store"
)

// Act does what a host asks for by HTTP, from an address, and waits for the receipt. Errors are *protocol.Error.
func (h *Hub) Act(ctx context.Context, m Member, from netip.Addr, a protocol.Act) (protocol.Receipt, error) {
	if a.ID == "" {
		a.ID = protocol.NewID()
	}
	bad := h.admit(ctx, m, from, 0)
	var e protocol.Event
	if bad == nil {
		e, bad = h.act(ctx, m, from, a)
	}
	if bad != nil {
		h.metrics.errors.WithLabelValues(string(bad.Code)).Inc()
		return protocol.Receipt{}, bad.About(a.Room, a.ID)
	}
	return h.wait(ctx, e)
}

// act appends what a host asks for over its session.
func (s *Session) act(a protocol.Act) {
	if a.ID == "" {
		a.ID = protocol.NewID()
	}
	if a.Room == "" {
		a.Room = s.at()
	}
	if !s.pace(0) {
		return
	}
	e, bad := s.hub.act(s.hub.ctx, s.member(), s.ip, a)
	if bad != nil {
		s.refuse(bad.About(a.Room, a.ID))
		return
	}
	if s.reserve() {
		s.append(e)
	}
}

// act makes the event. Whether it is allowed is decided when it is applied; what is looked at here is so that nobody but a
// host learns who is there.
func (h *Hub) act(ctx context.Context, m Member, from netip.Addr, a protocol.Act) (protocol.Event, *protocol.Error) {
	none := protocol.Event{}
	bad := protocol.CheckID(a.ID)
	if bad == nil {
		bad = a.Check()
	}
	if bad == nil && !h.Role(m.ID).IsHost() {
		bad = protocol.Errorf(protocol.CodeForbidden, "only hosts may do this")
	}
	if bad != nil {
		return none, bad
	}
	now := h.now()
	b := protocol.ActBody{Why: a.Why, Role: a.Role}
	switch a.Action {
	case protocol.ActionClose, protocol.ActionOpen, protocol.ActionSlow:
		if b.Room, bad = protocol.CheckRoom(a.Room); bad != nil {
			return none, bad
		}
		b.Slow = a.For.Milliseconds()
	default:
		if bad := h.whom(ctx, &b, a); bad != nil {
			return none, bad
		}
		if a.For > 0 {
			b.Until = now.Add(a.For).UnixMilli()
		}
	}
	if a.Action == protocol.ActionBan {
		if bad := h.netsOf(&b, a, from); bad != nil {
			return none, bad
		}
	}
	return protocol.Event{
		Room: protocol.RoomServer, Kind: protocol.Kind(a.Action), V: protocol.Version, ID: a.ID, Member: m.ID, Name: m.Name,
		NameKey: m.NameKey, At: now.UnixMilli(), Body: b.Encode(),
	}, nil
}

// whom finds the member that an act is about. A ban may be of a name that nobody has, or of addresses; what is lifted may
// be of a member that is no longer known.
func (h *Hub) whom(ctx context.Context, b *protocol.ActBody, a protocol.Act) *protocol.Error {
	var who store.Member
	var found bool
	var err error
	switch {
	case !a.Member.IsZero():
		who, found, err = h.knownMember(ctx, a.Member)
		if b.Member = a.Member.String(); err == nil && !found && a.Action != protocol.ActionUnban && a.Action != protocol.ActionUnmute {
			return noMember()
		}
	case a.Name != "":
		shown, key, bad := protocol.CheckName(a.Name)
		if bad != nil {
			return noMember()
		}
		who, found, err = h.memberNamed(ctx, shown, key)
		b.Name, b.Key = shown, key
	default:
		b.Nets = []string{a.Net.String()}
		return nil
	}
	if err != nil {
		h.log.Warn("member cannot be looked up", zap.Error(err))
		return errUnavailable
	}
	if found {
		b.Member, b.Name, b.Key = who.ID.String(), who.Name, who.NameKey
		return nil
	}
	switch a.Action {
	case protocol.ActionBan, protocol.ActionUnban, protocol.ActionUnmute:
		return nil
	}
	return noMember()
}

func noMember() *protocol.Error {
	return protocol.Errorf(protocol.CodeNoMember, "there is nobody of that name")
}

// knownMember is somebody who is connected, or has said or claimed something.
func (h *Hub) knownMember(ctx context.Context, id protocol.MemberID) (store.Member, bool, error) {
	if sessions := h.sessionsOf(id); len(sessions) > 0 {
		m := sessions[0].member()
		return store.Member{ID: m.ID, Name: m.Name, NameKey: m.NameKey}, true, nil
	}
	return h.store.Member(ctx, id)
}

// memberNamed is who is connected by a name, else who holds it, else who had it last.
func (h *Hub) memberNamed(ctx context.Context, shown, key string) (store.Member, bool, error) {
	if m, ok := h.connectedAs(shown, key); ok {
		return store.Member{ID: m.ID, Name: m.Name, NameKey: m.NameKey}, true, nil
	}
	holder, ok, err := h.store.NameHolder(ctx, key)
	if err != nil {
		return store.Member{}, false, err
	}
	if ok {
		return h.store.Member(ctx, holder.Member)
	}
	return h.store.MemberNamed(ctx, key)
}

// connectedAs is who is connected by a name.
func (h *Hub) connectedAs(shown, key string) (Member, bool) {
	for _, look := range protocol.LooksOf(shown, key) {
		h.mu.Lock()
		use := h.names[look]
		h.mu.Unlock()
		if look == "" || use.sessions == 0 {
			continue
		}
		for _, s := range h.sessionsOf(use.member) {
			if m := s.member(); m.NameKey == key {
				return m, true
			}
		}
	}
	return Member{}, false
}

// Person is somebody who is connected, or has said or claimed something, and what they may do. The error is a
// *protocol.Error: no_member, unavailable.
func (h *Hub) Person(ctx context.Context, id protocol.MemberID) (protocol.Person, error) {
	m, ok, err := h.knownMember(ctx, id)
	switch {
	case err != nil:
		h.log.Warn("member cannot be looked up", zap.Error(err))
		return protocol.Person{}, errUnavailable
	case !ok:
		return protocol.Person{}, noMember()
	}
	return protocol.Person{Member: id, Name: m.Name, Role: h.Role(id)}, nil
}

// The narrowest prefixes that may be banned: more is the mistake of somebody in a hurry.
const (
	minBits4   = 8
	minBits6   = 16
	memberBits = 64 // of an IPv6 address of a member: its network
)

// netsOf adds the addresses at which a member is, if they are to be banned, and refuses those that would shut out too many.
func (h *Hub) netsOf(b *protocol.ActBody, a protocol.Act, from netip.Addr) *protocol.Error {
	nets := b.Prefixes()
	if a.Address {
		for _, s := range h.sessionsOf(b.To()) {
			bits := s.ip.BitLen()
			if s.ip.Is6() {
				bits = memberBits
			}
			if p, err := s.ip.Prefix(bits); err == nil && !slices.Contains(nets, p) && len(nets) < protocol.MaxNets {
				nets = append(nets, p)
			}
		}
	}
	for _, p := range nets {
		wide := p.Bits() < minBits4 || p.Addr().Is6() && p.Bits() < minBits6
		switch {
		case wide:
			return protocol.Errorf(protocol.CodeBadCommand, "%s is too many addresses", p)
		case p.Contains(from), p.Contains(netip.IPv6Loopback()), p.Contains(netip.AddrFrom4([4]byte{127, 0, 0, 1})):
			return protocol.Errorf(protocol.CodeBadCommand, "%s holds your own address, or the server's; "+
				"behind a proxy, --trusted-proxies tells the addresses of people", p)
		}
	}
	b.Nets = nil
	for _, p := range nets {
		b.Nets = append(b.Nets, p.String())
	}
	return nil
}

// Role is what a member may do besides talking.
func (h *Hub) Role(m protocol.MemberID) protocol.Role { return h.store.Role(m) }

// Orphans tells whether the chat would have no owner any more who can come back if this login of m ended, or all of them.
func (h *Hub) Orphans(ctx context.Context, m Member, all bool) (bool, error) {
	if h.door.mode == ModeProxy || h.Role(m.ID) != protocol.RoleOwner {
		return false, nil
	}
	for _, id := range h.store.Owners() {
		without := 0 // logins that end
		switch {
		case id != m.ID:
		case all:
			without = math.MaxInt
		default:
			without = 1
		}
		back, err := h.canComeBack(ctx, id, without)
		if err != nil || back {
			return false, h.public(err)
		}
	}
	return true, nil
}

// canComeBack tells whether a member can prove who it is without so many of its logins: by another, or by a password.
func (h *Hub) canComeBack(ctx context.Context, id protocol.MemberID, without int) (bool, error) {
	row, known, err := h.store.Member(ctx, id)
	if err != nil || known && row.Claimed {
		return known && row.Claimed, err
	}
	logins, err := h.store.Logins(ctx, id)
	return len(logins) > without, err
}

// Mute is what keeps a member from writing now, nil if nothing does.
func (h *Hub) Mute(m protocol.MemberID) *store.Sanction { return h.store.Mute(m, h.now()) }

// ShutOut says why somebody may not come in from an address, nil if nothing keeps them out. The zero Member is somebody
// who has not said who they are.
func (h *Hub) ShutOut(m Member, from netip.Addr) error {
	if bad := h.shutOut(m, from); bad != nil {
		return bad
	}
	return nil
}

func (h *Hub) shutOut(m Member, from netip.Addr) *protocol.Error {
	now := h.now()
	if s := h.store.Ban(m.ID, m.NameKey, now); s != nil {
		return s.Refusal(now)
	}
	if s := h.store.BanOf(from, now); s != nil && !h.Role(m.ID).IsHost() {
		return s.Refusal(now)
	}
	return nil
}

// Sanctions lists the mutes and bans that hold now, the newest first.
func (h *Hub) Sanctions() []store.Sanction { return h.store.Sanctions(h.now()) }

// Audit reads what hosts have done before the entry with a number (0 = from the end), the newest first, for a host. Errors
// are *protocol.Error.
func (h *Hub) Audit(ctx context.Context, m Member, before int64, limit int) ([]store.Entry, error) {
	if !h.Role(m.ID).IsHost() {
		return nil, protocol.Errorf(protocol.CodeForbidden, "only hosts may read this")
	}
	entries, err := h.store.Audit(ctx, before, min(limit, MaxPage))
	if err != nil {
		h.log.Warn("audit list not read", zap.Error(err))
		return nil, errUnavailable
	}
	return entries, nil
}

// Connected tells whether a member is connected now.
func (h *Hub) Connected(m protocol.MemberID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byMember[m] != nil
}

// Kept says what keeps a member from writing, and what keeps it out; nil is nothing.
func (h *Hub) Kept(m protocol.MemberID) (muted, banned *protocol.Error) {
	now := h.now()
	if s := h.store.Mute(m, now); s != nil {
		muted = s.Refusal(now)
	}
	if s := h.store.Ban(m, "", now); s != nil {
		banned = s.Refusal(now)
	}
	return muted, banned
}
