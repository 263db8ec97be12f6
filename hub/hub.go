// Package hub is what is going on now: rooms with their rings and seats, sessions, presence, limits and fan-out.
package hub

import (
	"context"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"govor/hub/journal"
	"govor/hub/protocol"
	"govor/hub/store"
)

// Config is what a hub is made of.
type Config struct {
	Journal   journal.Journal
	Store     *store.Store
	Formats   []protocol.Format
	Log       *zap.Logger
	Registry  prometheus.Registerer
	Now       func() time.Time  // nil = time.Now
	Prerender func(text string) // called in the sender's goroutine before a message is appended; nil = nothing
	Secret    []byte            // at least 32 bytes; signs cookies and tokens
	Limits    Limits
}

// Limits bounds what one session, member or address may do. In every field 0 means no limit.
type Limits struct {
	MaxText               int           // characters of a message
	Rate                  float64       // messages a second and session, or HTTP member
	Burst                 int           // messages at once before Rate counts
	RatePatience          time.Duration // over the rate for so long: too_fast and ended
	MaxConnections        int
	MaxConnectionsPerAddr int
	RingBytes             int           // bytes of one room's ring and format
	PresenceGrace         time.Duration // leaving is announced when nobody came back for so long
}

// Proof is how a member proved who it is.
type Proof int

// The proofs there are, the weakest first.
const (
	ByNothing Proof = iota // a guest: nothing but the open connection
	ByToken                // the token of an earlier welcome
	ByLogin                // the login cookie
)

// Member is a person as the hub sees one.
type Member struct {
	ID         protocol.MemberID
	Name       string // as shown
	NameKey    string // as compared
	Generation int64
	Proof      Proof
}

// Hub is the live side of the chat. Its methods may be called from any goroutine.
type Hub struct{}

// Stubs, being replaced: the signatures stand.

func New(cfg Config) (*Hub, error)             { return nil, nil }
func (h *Hub) Run(ctx context.Context) error   { return nil } // opens the lobby, follows the journal until ctx ends
func (h *Hub) Ready(ctx context.Context) error { return nil } // nil when the store can be written and the hub is not stopping
func (h *Hub) Stop(ctx context.Context) error  { return nil } // not ready; every session ends with 1012; returns when all are gone

// Login gives a member the name and holds it in the journal; current is the member of a valid cookie that came along
// (then the same person changes the name), else nil. The error is a *protocol.Error: bad_name, name_taken with a
// Suggestion, unavailable.
func (h *Hub) Login(ctx context.Context, name string, current *Member) (Member, error) {
	return Member{}, nil
}
func (h *Hub) Logout(ctx context.Context, m Member) error { return nil }

// Cookie signs m for the login cookie. Authenticate reads it back; *protocol.Error bad_token when it is not valid.
func (h *Hub) Cookie(m Member) string                                          { return "" }
func (h *Hub) Authenticate(ctx context.Context, cookie string) (Member, error) { return Member{}, nil }

// Refresh holds the name of a logged-in member for another week if the hold is older than a day.
func (h *Hub) Refresh(ctx context.Context, m Member) {}

// Guest makes a member that is proved by nothing: name is "" for a guest name; a taken or reserved one gets a suffix;
// bad_name otherwise. The name is held from Open to the session's end.
func (h *Hub) Guest(ctx context.Context, name string) (Member, error) { return Member{}, nil }

// Admit takes a lease for one connection before it is upgraded: too_many when there are too many, unavailable when
// the hub stops. Whoever closes the socket releases it.
func (h *Hub) Admit(addr netip.Addr) (*Lease, error) { return nil, nil }

// Lease is a counted place for a connection.
type Lease struct{}

// Release gives the place back; only the first call counts.
func (l *Lease) Release() {}

// SessionParams is what a new session is made of.
type SessionParams struct {
	Member  Member
	Format  protocol.Format
	Room    string // canonical; of the address (?room=)
	History int    // past messages to begin with, for formats without a hello (?history=)
	Addr    string // for the log
}

// Open makes a session (a socket.Peer). The caller drives it until Ended.
func (h *Hub) Open(p SessionParams) (*Session, error) { return nil, nil }

// Session is one member on one connection.
type Session struct{}

// Submit stores a message that came by HTTP and waits for its receipt. Errors are *protocol.Error.
func (h *Hub) Submit(ctx context.Context, m Member, s protocol.Send) (protocol.Receipt, error) {
	return protocol.Receipt{}, nil
}

// History is a page of a room.
type History struct {
	Room   store.Room       // ID 0 while nobody has written there
	Events []protocol.Event // ascending by number
	Older  bool             // there are messages before Events[0]
	Newer  bool             // there are messages after the last of Events
}

// History reads the last limit messages before the number before (0 = from the end); permission is checked.
func (h *Hub) History(ctx context.Context, m Member, room string, before int64, limit int) (History, error) {
	return History{}, nil
}

// Events reads at most limit messages after the number after, ascending.
func (h *Hub) Events(ctx context.Context, m Member, room string, after int64, limit int) (History, error) {
	return History{}, nil
}

// Around reads a page in which the number seq is.
func (h *Hub) Around(ctx context.Context, m Member, room string, seq int64, limit int) (History, error) {
	return History{}, nil
}

// People returns who is in a room now: at most protocol.MaxPeople, sorted by name, and how many there are.
func (h *Hub) People(room string) ([]protocol.Person, int) { return nil, 0 }

// Online is how many members are connected anywhere.
func (h *Hub) Online() int { return 0 }
