package protocol

import (
	"encoding/json"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// The kinds of events by which hosts act, all in RoomServer and called as their Action. Body is an ActBody; the author is who did it, nobody being
// whoever runs the server.
const (
	KindRole   Kind = "role"   // a member became owner, moderator, or neither
	KindKick   Kind = "kick"   // a member's sessions ended; it may come back
	KindMute   Kind = "mute"   // a member may not write
	KindUnmute Kind = "unmute" // it may again
	KindBan    Kind = "ban"    // a member, a name or addresses may not come in
	KindUnban  Kind = "unban"  // they may again
	KindClose  Kind = "close"  // only hosts may write in a room
	KindOpen   Kind = "open"   // everybody may again
	KindSlow   Kind = "slow"   // how long a member waits in a room between two messages
)

// IsAct tells the kinds by which hosts act from the others.
func (k Kind) IsAct() bool {
	switch k {
	case KindRole, KindKick, KindMute, KindUnmute, KindBan, KindUnban, KindClose, KindOpen, KindSlow:
		return true
	}
	return false
}

// Role is what a member may do besides talking. Owners and moderators together are the hosts.
type Role string

// The roles there are.
const (
	RoleNone      Role = ""
	RoleModerator Role = "moderator" // may kick, mute, ban, delete and set the rules of rooms
	RoleOwner     Role = "owner"     // may also name moderators and owners
)

// Rank orders the roles: who acts on a member must have a higher one.
func (r Role) Rank() int {
	switch r {
	case RoleOwner:
		return 2
	case RoleModerator:
		return 1
	default:
		return 0
	}
}

// IsHost tells owners and moderators from the others.
func (r Role) IsHost() bool { return r.Rank() > 0 }

// Bounds of acts.
const (
	MaxWhyLen   = 300 // characters of a reason
	MaxSlow     = 6 * time.Hour
	MaxSentence = 10 * 365 * 24 * time.Hour // of a mute or ban that has an end
	MaxNets     = 8                         // address ranges of one ban
)

// ActBody is the body of the events of these kinds, as JSON. Addresses stand here and nowhere else.
type ActBody struct {
	Member string   `json:"member,omitempty"` // to whom, as MemberID.String; "" = to a name, to addresses or to a room
	Name   string   `json:"name,omitempty"`   // what they were called then
	Key    string   `json:"key,omitempty"`    // the same, as compared
	Nets   []string `json:"nets,omitempty"`   // of a ban: addresses, as netip.Prefix
	Until  int64    `json:"until,omitempty"`  // of a mute or ban: its end, Unix milliseconds; 0 = when it is lifted
	Role   Role     `json:"role,omitempty"`   // of KindRole: what they are now
	First  bool     `json:"first,omitempty"`  // of KindRole: only while there is no owner
	Room   string   `json:"room,omitempty"`   // of KindClose, KindOpen and KindSlow
	Slow   int64    `json:"slow,omitempty"`   // of KindSlow: milliseconds between two messages of one member; 0 = none
	Why    string   `json:"why,omitempty"`
}

// Encode writes the body.
func (b *ActBody) Encode() string {
	out, err := json.Marshal(b)
	if err != nil {
		panic("encode act: " + err.Error()) // strings, integers and booleans only
	}
	return string(out)
}

// ParseActBody reads what Encode wrote.
func ParseActBody(s string) (b ActBody, err error) {
	err = json.Unmarshal([]byte(s), &b)
	return b, err
}

// To is the member it is done to, the zero value if there is none.
func (b *ActBody) To() MemberID {
	id, err := ParseMemberID(b.Member)
	if err != nil {
		return MemberID{}
	}
	return id
}

// Prefixes are the addresses, without those that cannot be read.
func (b *ActBody) Prefixes() []netip.Prefix {
	var nets []netip.Prefix
	for _, s := range b.Nets {
		if p, err := netip.ParsePrefix(s); err == nil {
			nets = append(nets, p)
		}
	}
	return nets
}

// End is when a mute or ban ends, the zero time if it is for good.
func (b *ActBody) End() time.Time {
	if b.Until == 0 {
		return time.Time{}
	}
	return time.UnixMilli(b.Until).UTC()
}

// Action is what a host asks for.
type Action string

// The actions there are.
const (
	ActionKick   Action = "kick"
	ActionMute   Action = "mute"
	ActionUnmute Action = "unmute"
	ActionBan    Action = "ban"
	ActionUnban  Action = "unban"
	ActionRole   Action = "role"
	ActionClose  Action = "close"  // a room: only hosts write
	ActionOpen   Action = "open"   // everybody writes again
	ActionSlow   Action = "slow"   // a room: so long between two messages of one member
	ActionDelete Action = "delete" // of a message; only in what is told, see Delete
)

// Act asks for something that hosts may do. Whom it is about is said by Member, or by Name, or, of a ban, by Net.
type Act struct {
	ID      string // of the act itself, so that a retry is recognised
	Room    string // of close, open and slow; "" for the room of the connection's address
	Action  Action
	Member  MemberID
	Name    string
	Net     netip.Prefix  // of ban and unban: addresses instead of a member
	Address bool          // of ban: the addresses at which the member is connected now, too
	For     time.Duration // of mute and ban: how long, 0 = until it is lifted; of slow: between two messages
	Role    Role          // of role
	Why     string
}

func (Act) command() {}

// Check says whether the act is complete, and cleans its reason.
func (a *Act) Check() *Error {
	var bad *Error
	if a.Why, bad = CheckWhy(a.Why); bad != nil {
		return bad
	}
	whom := !a.Member.IsZero() || a.Name != ""
	switch a.Action {
	case ActionKick, ActionMute, ActionUnmute, ActionRole:
		if !whom {
			return Errorf(CodeBadCommand, "%s needs the name of somebody", a.Action)
		}
	case ActionBan, ActionUnban:
		if !whom && !a.Net.IsValid() {
			return Errorf(CodeBadCommand, "%s needs a name or an address", a.Action)
		}
	case ActionClose, ActionOpen, ActionSlow:
	default:
		return Errorf(CodeBadCommand, "there is no action %q", clip(string(a.Action), MaxIDLen))
	}
	longest := MaxSentence
	if a.Action == ActionSlow {
		longest = MaxSlow
	}
	switch {
	case a.For < 0 || a.For > longest || a.For%time.Second != 0:
		return Errorf(CodeBadCommand, "a time is whole seconds and at most %s", Span(longest))
	case a.Role != RoleNone && !a.Role.IsHost():
		return Errorf(CodeBadCommand, "there is no role %q", clip(string(a.Role), MaxIDLen))
	}
	return nil
}

// CheckWhy says whether s may be a reason, and returns it as one line without anything that could forge another.
func CheckWhy(s string) (string, *Error) {
	why := CleanText(strings.Join(strings.Fields(strings.ToValidUTF8(s, "\ufffd")), " "))
	if n := utf8.RuneCountInString(why); n > MaxWhyLen {
		return "", Errorf(CodeTooLong, "the reason has %d characters, the limit is %d", n, MaxWhyLen)
	}
	return why, nil
}

// decodeAct reads {"type":"act"}: typed fields, or a line as people type it.
func decodeAct(data []byte) (Command, *Error) {
	var c struct {
		ID      string `json:"id"`
		Room    string `json:"room"`
		Line    string `json:"line"`
		Action  Action `json:"action"`
		Member  string `json:"member"`
		Name    string `json:"name"`
		Net     string `json:"net"`
		Address bool   `json:"address"`
		For     string `json:"for"`
		Role    Role   `json:"role"`
		Why     string `json:"why"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, Errorf(CodeBadFrame, "this is no act: %v", err).About(clip(c.Room, 4*MaxNameLen), clip(c.ID, MaxIDLen))
	}
	refuse := func(bad *Error) (Command, *Error) {
		return nil, bad.About(clip(c.Room, 4*MaxNameLen), clip(c.ID, MaxIDLen))
	}
	if c.Line != "" {
		a, ok, bad := ParseAct(c.Line)
		if !ok {
			bad = Errorf(CodeBadCommand, "there is no such command")
		}
		if bad != nil {
			return refuse(bad)
		}
		a.ID, a.Room = c.ID, c.Room
		return a, nil
	}
	a := Act{ID: c.ID, Room: c.Room, Action: c.Action, Name: c.Name, Address: c.Address, Role: c.Role, Why: c.Why}
	if bad := a.read(c.Member, c.Net, c.For); bad != nil {
		return refuse(bad)
	}
	if bad := a.Check(); bad != nil {
		return refuse(bad)
	}
	return a, nil
}

// ReadAct makes an act of the fields of a form or an object, and checks it.
func ReadAct(a Act, member, net, span string) (Act, *Error) {
	if bad := a.read(member, net, span); bad != nil {
		return a, bad
	}
	return a, a.Check()
}

// read takes what is written as text.
func (a *Act) read(member, net, span string) *Error {
	if member != "" {
		id, err := ParseMemberID(member)
		if err != nil {
			return Errorf(CodeBadCommand, "this is not the id of a member")
		}
		a.Member = id
	}
	if net != "" {
		p, ok := parseNet(net)
		if !ok {
			return Errorf(CodeBadCommand, "this is no address or range of addresses, such as 203.0.113.7 or 203.0.113.0/24")
		}
		a.Net = p
	}
	if span != "" {
		d, ok := ParseSpan(span)
		if !ok {
			return Errorf(CodeBadCommand, "this is no time: write 30s, 10m, 2h or 7d")
		}
		a.For = d
	}
	return nil
}

// parseNet reads an address or a range.
func parseNet(s string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, false
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return p, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// Notice tells what a host did: to those it was done to, and to the rooms it concerns. It is a signal.
type Notice struct {
	Action Action
	Room   string // the room in which it is told, or which it is about; "" = to the member
	Member MemberID
	Name   string // to whom; "" = to a room
	By     string // who; "" = whoever runs the server
	You    bool   // it was done to whom it is told
	Role   Role
	Until  time.Time // of a mute or ban; zero = until it is lifted
	Slow   time.Duration
	Why    string
	At     time.Time
}

func (*Notice) frame() {}

// For is how long a mute or ban lasts from the moment it was made, 0 = until it is lifted.
func (n *Notice) For() time.Duration {
	if n.Until.IsZero() {
		return 0
	}
	return max(0, n.Until.Sub(n.At))
}

// NoticeOf is what an act says, nil for an event that is none.
func NoticeOf(e *Event) *Notice {
	b, err := ParseActBody(e.Body)
	if !e.Kind.IsAct() || err != nil {
		return nil
	}
	n := &Notice{
		Action: Action(e.Kind), Room: b.Room, Member: b.To(), Name: b.Name, By: e.Name, Role: b.Role, Until: b.End(),
		Slow: time.Duration(b.Slow) * time.Millisecond, Why: b.Why, At: e.Time(),
	}
	return n
}
