package hub

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"govor/hub/protocol"
)

// Pace is so much a second of one member or address; burstSeconds' worth may come at once. 0 is no limit.
type Pace struct {
	Messages float64
	Bytes    float64 // of text
}

// burstSeconds is how many seconds' worth may come at once where no burst is set.
const burstSeconds = 4

// Names of limits: those of their flags, and the label of chat_limited_total.
const (
	limitRate            = "rate"
	limitByteRate        = "byte-rate"
	limitMemberRate      = "rate-per-member"
	limitMemberByteRate  = "byte-rate-per-member"
	limitAddrRate        = "rate-per-ip"
	limitAddrByteRate    = "byte-rate-per-ip"
	limitFrameRate       = "frame-rate"
	limitAddrFrameRate   = "frame-rate-per-ip"
	limitControlRate     = "control-rate"
	limitConnections     = "max-connections"
	limitAddrConnections = "max-connections-per-ip"
	limitRooms           = "max-rooms"
	limitNewRooms        = "new-rooms-per-hour"
	limitRenames         = "name-changes-per-hour"

	limitMemberConnections = "max-connections-per-member"
	limitNameLogins        = "logins-per-name"
)

// Limits that are kept before the hub; Limited counts what they do.
const (
	LimitRequests    = "requests-per-ip"
	LimitPages       = "pages-per-member"
	LimitConnects    = "connects-per-ip"
	LimitLogins      = "logins-per-ip"
	LimitConnections = limitAddrConnections
	LimitRequestTime = "request-timeout"
)

// Limited counts that one of them has slowed somebody down or refused something.
func (h *Hub) Limited(limit string) { h.metrics.limit(limit) }

// limitNames are all of them.
var limitNames = []string{
	limitRate, limitByteRate, limitMemberRate, limitMemberByteRate, limitAddrRate, limitAddrByteRate, limitFrameRate, limitAddrFrameRate,
	limitControlRate,
	limitConnections, limitAddrConnections, limitMemberConnections, limitRooms, limitNewRooms, limitRenames, limitNameLogins,
	LimitRequests, LimitPages, LimitConnects, LimitLogins, LimitRequestTime,
}

// bucket is one limit of one session, member or address.
type bucket struct {
	limit   string
	perByte bool // it counts bytes, or of commands what they cost
	crowd   bool // it is shared by people who cannot help each other's haste
	*rate.Limiter
}

// message is what is over, in words.
func (b bucket) message() string {
	what := "messages"
	if b.perByte {
		what = "bytes"
	}
	switch b.limit {
	case limitAddrRate, limitAddrByteRate:
		return fmt.Sprintf("more than %g %s a second from your address", float64(b.Limit()), what)
	case limitAddrFrameRate:
		return fmt.Sprintf("more than %g commands a second from your address", float64(b.Limit()))
	case limitFrameRate:
		return fmt.Sprintf("more than %g commands a second", float64(b.Limit()))
	}
	return fmt.Sprintf("more than %g %s a second", float64(b.Limit()), what)
}

// newBucket returns no bucket for a limit of 0. burst <= 0 is burstSeconds' worth.
func newBucket(list []bucket, limit string, perSecond float64, burst int, perByte, crowd bool) []bucket {
	if perSecond <= 0 {
		return list
	}
	if burst <= 0 {
		burst = int(min(math.Ceil(burstSeconds*perSecond), math.MaxInt32))
	}
	return append(list, bucket{limit, perByte, crowd, rate.NewLimiter(rate.Limit(perSecond), burst)})
}

// maxPaced bounds the members and addresses whose paces are remembered; those unused the longest go first.
const maxPaced = 1 << 16

// sessionBuckets are those of one session, or of who sends without one.
func (h *Hub) sessionBuckets() []bucket {
	l := newBucket(nil, limitRate, h.limits.Rate, max(1, h.limits.Burst), false, false)
	return newBucket(l, limitByteRate, h.limits.ByteRate, h.byteBurst(h.limits.ByteRate), true, false)
}

func (h *Hub) memberBuckets(m protocol.MemberID) []bucket {
	if h.limits.PerMember == (Pace{}) {
		return nil
	}
	return h.shared("member "+m.String(), func() []bucket {
		p := h.limits.PerMember
		l := newBucket(nil, limitMemberRate, p.Messages, 0, false, false)
		return newBucket(l, limitMemberByteRate, p.Bytes, h.byteBurst(p.Bytes), true, false)
	})
}

// addrBuckets are none where the address is not known.
func (h *Hub) addrBuckets(from netip.Addr) []bucket {
	if !from.IsValid() || h.limits.PerAddr == (Pace{}) {
		return nil
	}
	return h.shared("addr "+from.Unmap().String(), func() []bucket {
		p := h.limits.PerAddr
		l := newBucket(nil, limitAddrRate, p.Messages, 0, false, true)
		return newBucket(l, limitAddrByteRate, p.Bytes, h.byteBurst(p.Bytes), true, true)
	})
}

// frameBuckets are those of commands that store nothing: of one session, and of all from its address.
func (h *Hub) frameBuckets(from netip.Addr) []bucket {
	l := newBucket(nil, limitFrameRate, h.limits.FrameRate, 0, true, false)
	if !from.IsValid() || h.limits.FrameRatePerAddr <= 0 {
		return l
	}
	return append(l, h.shared("frames "+from.Unmap().String(), func() []bucket {
		return newBucket(nil, limitAddrFrameRate, h.limits.FrameRatePerAddr, 0, true, true)
	})...)
}

// byteBurst lets the longest message through at once.
func (h *Hub) byteBurst(perSecond float64) int {
	return int(max(min(burstSeconds*perSecond, math.MaxInt32), float64(4*h.maxText())))
}

// shared returns what is remembered under the key, or remembers what fresh makes.
func (h *Hub) shared(key string, fresh func() []bucket) []bucket {
	if l, ok := h.paces.Get(key); ok {
		return l
	}
	l := fresh()
	if first, had, _ := h.paces.PeekOrAdd(key, l); had {
		return first
	}
	return l
}

// reservation is what a message takes of its buckets.
type reservation struct {
	taken []*rate.Reservation
	delay time.Duration
	own   time.Duration // what of delay is the sender's own doing
	limit bucket        // the one that asks for delay
}

func reserve(now time.Time, bytes int, lists ...[]bucket) reservation {
	var r reservation
	for _, list := range lists {
		for _, b := range list {
			n := 1
			if b.perByte {
				n = min(bytes, b.Burst())
			}
			taken := b.ReserveN(now, n)
			r.taken = append(r.taken, taken)
			delay := taken.DelayFrom(now)
			if delay > r.delay {
				r.delay, r.limit = delay, b
			}
			if !b.crowd {
				r.own = max(r.own, delay)
			}
		}
	}
	return r
}

// tooFast is the error of a reservation that is not waited for.
func (r reservation) tooFast() *protocol.Error {
	e := protocol.Errorf(protocol.CodeTooFast, "%s", r.limit.message())
	e.RetryAfter = r.delay
	return e
}

// pacing is how a session's paces are kept. Owned by the reader.
type pacing struct {
	session []bucket
	addr    []bucket
	member  []bucket
	whose   protocol.MemberID // the member's
	frames  []bucket
	since   time.Time // since when the session has been too fast; zero = it is not
}

func (s *Session) paces() *pacing {
	p := s.pacing
	if p == nil {
		p = &pacing{
			session: s.hub.sessionBuckets(), addr: s.hub.addrBuckets(Counted(s.ip)),
			frames: s.hub.frameBuckets(Counted(s.ip)),
		}
		s.pacing = p
	}
	if id := s.member().ID; p.whose != id {
		p.member, p.whose = s.hub.memberBuckets(id), id
	}
	return p
}

// pace waits until one more message with a text of so many bytes is allowed: not reading slows a sender down before
// anything is refused. Only who stays over a limit of their own for RatePatience is ended. It tells whether to go on.
func (s *Session) pace(bytes int) bool {
	p, now := s.paces(), s.hub.now()
	return s.slow(now, reserve(now, bytes, p.session, p.member, p.addr))
}

// refusalCost is what an answer that refuses takes of the commands that are allowed: it is dearer to the server than most
// commands, and a client that is well needs few.
const refusalCost = 4

// joinCost is what a seat takes of them: others are told of it, and history is looked up.
const joinCost = 4

// watchCost is what each room takes of them that a watch names: it is looked up, and what was missed there is counted.
const watchCost = 2

// costOf is how many of the commands that are allowed a command takes: those that name many rooms are many in one. nil is
// what is no command.
func costOf(cmd protocol.Command) int {
	switch cmd := cmd.(type) {
	case nil:
		return refusalCost
	case protocol.Hello:
		return 1 + joinCost*len(cmd.Rooms)
	case protocol.Join:
		return joinCost
	case protocol.Watch:
		return 1 + watchCost*len(cmd.Rooms)
	default:
		return 1
	}
}

// freeCost is what the first command of a session may cost and be free: a hello that takes one seat.
const freeCost = 1 + joinCost

// paceFrame is pace for a command that stores nothing, or for what is no command. The first is free, unless it is dear: most
// sessions say hello and nothing more for long, and need no paces until they do.
func (s *Session) paceFrame(cost int) bool {
	first := !s.greeted
	s.greeted = true
	if first && cost <= freeCost || s.hub.limits.FrameRate <= 0 && s.hub.limits.FrameRatePerAddr <= 0 {
		return true
	}
	p, now := s.paces(), s.hub.now()
	return s.slow(now, reserve(now, cost, p.frames))
}

// slow waits as a reservation asks for, or ends the session.
func (s *Session) slow(now time.Time, r reservation) bool {
	if r.own == 0 {
		s.pacing.since = time.Time{}
	} else if s.pacing.since.IsZero() {
		s.pacing.since = now
	}
	if r.delay == 0 {
		return true
	}
	s.hub.metrics.limit(r.limit.limit)
	if patience := s.hub.limits.RatePatience; patience > 0 && !s.pacing.since.IsZero() && now.Sub(s.pacing.since) > patience {
		e := r.tooFast()
		e.Message += " for too long"
		s.refuse(e)
		s.end(protocol.ClosePolicy, reasonTooFast)
		return false
	}
	return s.wait(r.delay)
}

// submitPatience is how long a message that came by HTTP waits for its turn before it is refused.
const submitPatience = 2 * time.Second

// paceHTTP is pace for what came without a session: a logged-in member, or a guest's address, stands for it.
func (h *Hub) paceHTTP(ctx context.Context, m Member, from netip.Addr, bytes int) *protocol.Error {
	who := "from " + from.Unmap().String()
	if m.Proof != ByNothing {
		who = "by " + m.ID.String()
	}
	now := h.now()
	r := reserve(now, bytes, h.shared(who, h.sessionBuckets), h.memberBuckets(m.ID), h.addrBuckets(from))
	if r.delay > 0 {
		h.metrics.limit(r.limit.limit)
	}
	if r.delay > submitPatience {
		for _, t := range r.taken {
			t.CancelAt(now)
		}
		return r.tooFast()
	}
	t := time.NewTimer(r.delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return errUnavailable
	}
}
