// Package hub is what is going on now: rooms with their rings and seats, sessions, presence, limits and fan-out. It
// knows no HTTP, no SQL and no cluster.
//
// A message goes from Session.Receive or Hub.Submit into the journal and nowhere else. What the journal has committed
// comes back through Run, which appends it once per format in use to its room's ring and wakes the seats; each
// session's writer takes from its seats what it has not written yet. Two kinds of goroutine belong to a hub, both
// started and waited for by Run: the follower, which is the only one that dispatches, and a few that load history for
// seats that catch up. A session's reader and writer belong to its driver.
package hub

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"govor/hub/hasher"
	"govor/hub/journal"
	"govor/hub/protocol"
	"govor/hub/store"
)

// Config is what a hub is made of.
type Config struct {
	Journal   journal.Journal
	Store     *store.Store // of the journal's node; the hub reads it and never writes
	Log       *zap.Logger
	Registry  prometheus.Registerer
	Now       func() time.Time                // nil = time.Now
	Prerender func(string, protocol.Mentions) // called with a text in the sender's goroutine before a message is appended to a room with pages; nil = nothing
	Forget    func(text string)               // called when a text was taken away, which no cache should hold any more; "" is any text; nil = nothing
	Secret    []byte                          // at least 32 bytes; signs cookies and tokens
	Mode      Mode                            // who may come in; "" = everybody
	Password  string                          // of the server, with ModePassword
	Hasher    *hasher.Hasher                  // nil = hashes are made in this process
	Limits    Limits
}

// Limits bounds what one session, member or address may do. 0 means none, but for MaxText and RingBytes, where it means
// the default.
type Limits struct {
	MaxText               int           // characters of a message
	Rate                  float64       // messages a second of one session; by HTTP, of one member or a guest's address
	Burst                 int           // messages at once before Rate counts
	ByteRate              float64       // bytes of text a second, as Rate
	PerMember             Pace          // of all sessions of a member
	PerAddr               Pace          // of all sessions from an address
	FrameRate             float64       // commands a second of one session that are no messages
	FrameRatePerAddr      float64       // and of all sessions from one address
	RatePatience          time.Duration // who is over a rate of their own for longer is ended
	MaxRooms              int           // rooms that one session is in
	NewRoomsPerHour       int           // opened by one member, and from one address
	RenamesPerHour        int           // changes of the name of one member
	MaxConnections        int
	MaxConnectionsPerAddr int
	MaxSessionsPerMember  int
	LoginsPerName         float64       // tries a minute at the password of one name, see passwords.delay
	RingBytes             int           // bytes of one ring, that is of one room in one format
	PresenceGrace         time.Duration // leaving is told when nobody came back for so long
}

// Hub is the live side of the chat. Its methods may be called from any goroutine.
type Hub struct {
	// Fixed at construction.
	journal   journal.Journal
	store     *store.Store
	log       *zap.Logger
	now       func() time.Time
	prerender func(string, protocol.Mentions)
	forget    func(string)
	signer    signer
	door      door
	passwords *passwords
	limits    Limits
	metrics   *metrics
	catchups  *catchups
	blocks    *blocks
	paces     *lru.Cache[string, []bucket] // of members and addresses
	reads     *reads
	watchers  *watchers
	mentioned *mentioned
	suffixes  suffixes
	leases    leases
	holds     holds
	storm     storm
	ownerKey  ownerKey
	from      store.Position  // where the follower begins
	ctx       context.Context // of reads for sessions; ends with cancel
	cancel    context.CancelFunc
	hooks     hooks

	scratch []byte // owned by the follower

	mu       sync.Mutex // guards the fields below; the order of locks is written at room
	rooms    map[string]*room
	sessions map[*Session]struct{}
	byMember map[protocol.MemberID]*Session // the first one, chained by sibling
	names    map[string]nameUse             // by look, of those who are connected
	stopping bool
	empty    chan struct{} // made by Stop; closed when the last session has gone
	followed error         // why the follower has stopped
	unready  string        // why Ready has refused last, as the log has it
}

// hooks are points at which a test interleaves something.
type hooks struct {
	seated func(*seat) // registered and pinned; the room's lock is held
	loaded func(*seat) // a block was read, the seat does not have it yet
	paged  func()      // before each read of the store for a page
}

// minSecret is the length of an HMAC-SHA256 key that is as strong as the hash.
const minSecret = 32

// New makes a hub. Run must be called once for anything to be dispatched.
func New(cfg Config) (*Hub, error) {
	if len(cfg.Secret) < minSecret {
		return nil, fmt.Errorf("make a hub: the secret has %d bytes, it needs %d", len(cfg.Secret), minSecret)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Hasher == nil {
		cfg.Hasher = hasher.New("", cfg.Log)
	}
	paces, err := lru.New[string, []bucket](maxPaced)
	if err != nil {
		return nil, fmt.Errorf("make a hub: %w", err)
	}
	h := &Hub{
		journal: cfg.Journal, store: cfg.Store, log: cfg.Log, now: cfg.Now, prerender: cfg.Prerender, forget: cfg.Forget,
		signer: newSigner(cfg.Secret), limits: cfg.Limits, catchups: newCatchups(), blocks: newBlocks(cfg.Store),
		paces: paces, from: cfg.Store.Position(), rooms: make(map[string]*room),
		sessions: make(map[*Session]struct{}), byMember: make(map[protocol.MemberID]*Session),
		reads: newReads(cfg.Store, cfg.Log), names: make(map[string]nameUse), hooks: hooks{seated: func(*seat) {}, loaded: func(*seat) {}, paged: func() {}},
	}
	h.watchers = newWatchers(h)
	if h.suffixes, err = newSuffixes(); err != nil {
		return nil, fmt.Errorf("make a hub: %w", err)
	}
	if h.mentioned, err = newMentioned(h); err != nil {
		return nil, fmt.Errorf("make a hub: %w", err)
	}
	if h.door, err = newDoor(cfg.Mode, cfg.Password, h.signer, cfg.Hasher); err != nil {
		return nil, fmt.Errorf("make a hub: %w", err)
	}
	if h.passwords, err = newPasswords(cfg.Hasher, cfg.Limits.LoginsPerName); err != nil {
		return nil, fmt.Errorf("make a hub: %w", err)
	}
	h.leases.byAddr = make(map[netip.Addr]int)
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.metrics = newMetrics(h, cfg.Registry)
	h.passwords.slowed = func() { h.metrics.limit(limitNameLogins) }
	return h, nil
}

// Run opens the lobby, follows the journal and loads history for seats until ctx ends or the journal is closed. The
// error is nil when ctx has ended.
func (h *Hub) Run(ctx context.Context) error {
	defer h.cancel()
	var workers sync.WaitGroup
	defer workers.Wait()
	defer h.catchups.close()
	for range catchupWorkers {
		workers.Go(h.catchups.work)
	}
	tidyCtx, stopTidying := context.WithCancel(ctx)
	defer stopTidying()
	workers.Go(func() { h.tidy(tidyCtx, h.releaseMemory) })
	workers.Go(func() { h.reads.run(tidyCtx) })
	workers.Go(func() { h.watchers.run(tidyCtx) })
	h.openRoom(&protocol.Event{Room: protocol.RoomLobby, At: h.now().UnixMilli()})
	err := h.journal.Follow(ctx, h.from, h.dispatch)
	if ctx.Err() != nil {
		err = nil
	}
	h.mu.Lock()
	h.followed = errors.Join(errors.New("the journal is no longer followed"), err)
	h.mu.Unlock()
	return err
}

// dispatch shows a batch of committed events. It is called by the follower only, so the order is the journal's.
func (h *Hub) dispatch(batch []protocol.Event) {
	start := time.Now()
	for i := range batch {
		e := &batch[i]
		if e.Room == protocol.RoomServer {
			h.observe(e)
			continue
		}
		if e.Kind == protocol.KindDeletion {
			h.tellDeleted(e)
		}
		h.forgetTaken(e)
		if e.Kind == protocol.KindMessage {
			h.watchers.said(e)
		}
		h.mu.Lock()
		r := h.rooms[e.Room]
		h.mu.Unlock()
		if r == nil {
			continue
		}
		r.mu.Lock()
		r.dispatchLocked(e)
		r.mu.Unlock()
	}
	h.metrics.fanout.Observe(time.Since(start).Seconds())
}

// forgetTaken drops from the caches what the event took away. Blocks that hold the text before an edit are not asked for
// again, which is enough as long as it may be seen.
func (h *Hub) forgetTaken(e *protocol.Event) {
	if e.Kind == protocol.KindDeletion {
		h.blocks.forget(e.Room)
	}
	if h.forget != nil && (e.Kind == protocol.KindDeletion || e.Taken != "") {
		h.forget(e.Taken)
	}
}

func (h *Hub) sessionsOf(m protocol.MemberID) []*Session {
	h.mu.Lock()
	defer h.mu.Unlock()
	var sessions []*Session
	for s := h.byMember[m]; s != nil; s = s.sibling {
		sessions = append(sessions, s)
	}
	return sessions
}

// register counts the session in, unless the hub is stopping or its member has too many.
func (h *Hub) register(s *Session) *protocol.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		return protocol.Errorf(protocol.CodeUnavailable, "the server is stopping")
	}
	if bad := h.checkSessionsLocked(s.who.ID); bad != nil {
		return bad
	}
	h.sessions[s] = struct{}{}
	h.addMemberLocked(s, s.who.ID)
	return nil
}

func (h *Hub) addMemberLocked(s *Session, m protocol.MemberID) {
	s.sibling = h.byMember[m]
	h.byMember[m] = s
}

func (h *Hub) dropMemberLocked(s *Session, m protocol.MemberID) {
	first := h.byMember[m]
	for at := &first; *at != nil; at = &(*at).sibling {
		if *at == s {
			*at, s.sibling = s.sibling, nil
			break
		}
	}
	if first == nil {
		delete(h.byMember, m)
	} else {
		h.byMember[m] = first
	}
}

func (h *Hub) unregister(s *Session, m protocol.MemberID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, s)
	h.dropMemberLocked(s, m)
	if len(h.sessions) == 0 && h.empty != nil {
		close(h.empty)
		h.empty = nil
	}
}

// replace makes s a session of m and ends m's others that are not logins.
func (h *Hub) replace(s *Session, m Member) {
	was := s.member().ID
	others := h.sessionsOf(m.ID)
	h.mu.Lock()
	if _, ok := h.sessions[s]; ok {
		h.dropMemberLocked(s, was)
		h.addMemberLocked(s, m.ID)
	}
	h.mu.Unlock()
	for _, o := range others {
		if o != s && o.member().Proof != ByLogin {
			o.end(protocol.CloseGoingAway, reasonReplaced)
		}
	}
}

// Online is how many members are connected.
func (h *Hub) Online() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.byMember)
}

func (h *Hub) isStopping() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stopping
}

// restartRate is how many clients a second may come back after a restart.
const restartRate = 2000

// Stop makes the hub not ready, ends every session with 1012 once its appends are answered, and returns when all have
// gone or ctx ends.
func (h *Hub) Stop(ctx context.Context) error {
	h.mu.Lock()
	h.stopping = true
	empty := make(chan struct{})
	sessions := make([]*Session, 0, len(h.sessions))
	for s := range h.sessions {
		sessions = append(sessions, s)
	}
	if len(sessions) == 0 {
		close(empty)
	} else {
		h.empty = empty
	}
	h.mu.Unlock()
	spread := max(time.Second, time.Duration(len(sessions))*time.Second/restartRate)
	for _, s := range sessions {
		s.endWhen(protocol.CloseRestart, protocol.RestartReason(spread), true)
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the hub: sessions are left: %w", ctx.Err())
	}
}
