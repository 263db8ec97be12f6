package hub

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"govor/hub/line"
	"govor/hub/protocol"
)

// Bounds of one session.
const (
	maxInFlight = 64        // sends without a receipt; the next is not read until there are fewer
	outboxSoft  = 64 << 10  // bytes of the session's own frames; over it nothing more is read from it
	outboxHard  = 256 << 10 // over it the session is ended
	holdTime    = time.Second
)

// Session is one member on one connection. It is a socket.Peer; whoever opened it drives it until Ended.
type Session struct {
	// Fixed at construction.
	hub    *Hub
	id     uuid.UUID
	format protocol.Format
	room   string     // of the connection's address
	ip     netip.Addr // for bans, limits and the log; the zero value when it is not known
	opened int64      // Unix nanoseconds

	// Owned by the reader. Single flags stand together, here as below: there are many sessions, and gaps add up.
	pacing     *pacing     // nil until the first message that counts
	greeted    bool        // the first command has come
	failed     bool        // guarded by sending
	introduced atomic.Bool // the store has a row with its name

	// Owned by the writer.
	current []byte // what Pending returned and Wrote has not taken
	next    []byte // what comes after it

	// seating is held while seats are given by the first command or by the timer, so that neither sees half of the
	// other's work. Taken before all other locks.
	seating sync.Mutex

	// sending orders "has an append failed?" before the append: when one fails as unavailable, none after it is
	// appended, so a client that sends again keeps its order. Taken before mu.
	sending sync.Mutex

	line atomic.Pointer[line.Line] // tells the driver to look; nil until Bind

	sibling *Session // the next one of the same member; guarded by Hub.mu

	mu         sync.Mutex    // guards the fields below
	changed    chan struct{} // made by who waits; closed when inFlight, outbox or ending has changed
	who        Member
	seats      []*seat // few; in no order
	firstDirty *seat   // seats that may have something to take, chained by nextDirty
	lastDirty  *seat
	outbox     []byte   // frames for this session only
	held       *seat    // of room, until the first command or holdTime
	watching   []string // rooms of which it gets news
	reason     string
	inFlight   int32  // appends without an answer
	code       uint16 // of the close frame
	attends    bool   // it has asked for news
	ending     bool
	finish     bool // end only when the appends in flight are answered
	gone       bool // has ended: it takes no more seats
	shut       bool // is made to end: neither does it
}

// SessionParams is what a new session is made of.
type SessionParams struct {
	Member Member
	Format protocol.Format
	Room   string     // canonical; of the connection's address
	Addr   netip.Addr // for bans, limits and the log; the zero value when it is not known
	// Begins says that the address tells where the session begins in Room: so many past messages back, or where Resume goes
	// on. Then it is in the room at once, as a session without a hello is anyway; otherwise it is held for a first command.
	Begins  bool
	History int
	Resume  protocol.Resume
}

// Open makes a session and says welcome. The error is a *protocol.Error: name_taken when somebody took the name of a
// logged-in member meanwhile, banned, unavailable while the hub stops.
func (h *Hub) Open(p SessionParams) (*Session, error) {
	s := &Session{
		hub: h, id: uuid.Must(uuid.NewV7()), format: p.Format, room: h.intern(p.Room), ip: p.Addr.Unmap().WithZone(""),
		opened: h.now().UnixNano(), who: p.Member,
	}
	for !h.claim(s.who) {
		if s.who.Proof != ByNothing {
			return nil, nameTaken(s.who.Name)
		}
		if err := h.suffixName(h.ctx, &s.who, s.who.Name); err != nil {
			return nil, err
		}
	}
	if bad := h.register(s); bad != nil {
		h.unclaim(s.who)
		return nil, bad
	}
	if bad := h.shutOut(s.who, s.ip); bad != nil { // asked when a ban that is dispatched now would find the session
		h.unregister(s, s.who.ID)
		h.unclaim(s.who)
		return nil, bad
	}
	h.metrics.connections.Inc()
	h.log.Info("session opened", zap.Stringer("session_id", s.id), zap.Stringer("member_id", s.who.ID),
		zap.String("name", s.who.Name), zap.String("room", s.room), zap.String("format", s.format.Key()),
		zap.String("remote_addr", s.remote()))
	if p.Member.Proof == ByToken {
		h.touch(h.ctx, p.Member)
	}
	s.welcome()
	s.start(p)
	return s, nil
}

// remote is where the session comes from, for the log.
func (s *Session) remote() string {
	if !s.ip.IsValid() {
		return ""
	}
	return s.ip.String()
}

// start gives the session its first seat: at once where nothing is to be waited for, else held for the first command.
func (s *Session) start(p SessionParams) {
	if _, plain := s.format.(protocol.Text); plain || p.Begins {
		s.join(s.room, resumption{after: p.Resume.After, id: p.Resume.ID, history: p.History})
		return
	}
	t := s.hub.sit(s, s.room)
	s.mu.Lock()
	s.held = t
	s.mu.Unlock()
	s.hub.holds.add(s)
}

// begin lets the held seat go from where it was pinned. It does nothing the second time.
func (s *Session) begin() {
	s.seating.Lock()
	defer s.seating.Unlock()
	s.beginLocked()
}

func (s *Session) beginLocked() {
	if t := s.takeHeld(); t != nil {
		s.seat(t, resumption{})
	}
}

func (s *Session) takeHeld() *seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.held
	s.held = nil
	return t
}

func (s *Session) member() Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who
}

func (s *Session) welcome() {
	m := s.member()
	w := protocol.Welcome{Session: s.id.String(), Member: m.ID, Name: m.Name, MaxText: s.hub.maxText()}
	if m.Proof != ByLogin {
		w.Token = s.hub.issue(purposeToken, m)
	}
	s.reply(w)
}

func (s *Session) seatsLocked() []*seat {
	return slices.Clone(s.seats)
}

// seatInLocked returns the seat in a room, nil if there is none.
func (s *Session) seatInLocked(room string) *seat {
	for _, t := range s.seats {
		if t.room.name == room {
			return t
		}
	}
	return nil
}

// dropSeatLocked forgets the seat in a room and returns it.
func (s *Session) dropSeatLocked(room string) *seat {
	t := s.seatInLocked(room)
	s.seats = slices.DeleteFunc(s.seats, func(o *seat) bool { return o == t })
	return t
}

// changesLocked is closed with the next change of inFlight, outbox or ending.
func (s *Session) changesLocked() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// changeLocked wakes who waits for a change.
func (s *Session) changeLocked() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// reply puts a frame into the outbox and tells the writer.
func (s *Session) reply(f protocol.Frame) {
	s.put(f)
	s.notify(false)
}

// scratches are where single frames are encoded, before they are copied behind others.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

const maxScratch = 4 << 10

// put puts a frame into the outbox, which goes out when the writer looks next.
func (s *Session) put(f protocol.Frame) {
	scratch := scratches.Get().(*[]byte) //nolint:errcheck,forcetypeassert // there is nothing else in it
	payload := s.format.Append((*scratch)[:0], f)
	defer func() {
		if *scratch = payload; cap(payload) <= maxScratch {
			scratches.Put(scratch)
		}
	}()
	if len(payload) == 0 {
		return
	}
	s.mu.Lock()
	s.outbox = appendFrame(s.outbox, payload)
	full := len(s.outbox) > outboxHard
	s.mu.Unlock()
	if full {
		s.end(protocol.CloseTryAgain, reasonSlow)
	}
}

// Reasons of ends, which are also a label of chat_sessions_ended_total.
const (
	reasonSlow        = "slow consumer"
	reasonTooFast     = "too fast"
	reasonUnavailable = "unavailable"
	reasonLoggedOut   = "logged out"
	reasonReplaced    = "replaced"
	reasonKicked      = "kicked"
	reasonBanned      = "banned"
)

// crowdSize is how many seats make a crowd: it is told of a message after those who are few.
const crowdSize = 256

// notify tells the writer to look; crowd as for socket.Peer.
func (s *Session) notify(crowd bool) {
	if l := s.line.Load(); l != nil {
		(*l).Wake(crowd)
	}
}

// markDirty says that t may have something to take, and tells the writer. The room's lock is held.
func (s *Session) markDirty(t *seat) {
	s.addDirty(t)
	s.notify(t.ring.members > crowdSize)
}

func (s *Session) addDirty(t *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !t.dirty {
		t.dirty = true
		if s.firstDirty == nil {
			s.firstDirty = t
		} else {
			s.lastDirty.nextDirty = t
		}
		s.lastDirty = t
	}
}

// end makes the connection end with code and reason after what is pending; the first call decides.
func (s *Session) end(code int, reason string) { s.endWhen(code, reason, false) }

func (s *Session) endWhen(code int, reason string, finish bool) {
	s.mu.Lock()
	if !s.ending {
		s.ending, s.finish, s.code, s.reason = true, finish, uint16(code), reason //nolint:gosec // of RFC 6455: below 5000
		s.changeLocked()
	}
	s.mu.Unlock()
	s.notify(false)
}
