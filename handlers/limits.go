package handlers

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"govor/hub"
	"govor/hub/protocol"
)

// addrRate limits how often something happens from one address. nil is no limit.
type addrRate struct {
	// Fixed at construction.
	perSecond rate.Limit
	burst     int
	spaced    bool // what comes at once is done one after the other, spacedRate times as fast as perSecond
	seen      *lru.Cache[netip.Addr, *seenAddr]
}

// Of what may come at once, so much is done at once: the rest would keep everybody else waiting.
const (
	spacedBurst = 20
	spacedRate  = 2
)

// pacePatience is how long a limit slows somebody down before it refuses.
const pacePatience = 4 * time.Second

// What a request for a page counts as, for it is rendered and compressed; and what those of history for programs count as
// besides, for as many messages as a page has.
const (
	pageCost    = 4
	historyCost = 2
)

// seenAddr is an address that was seen.
type seenAddr struct {
	all, spaced *rate.Limiter // spaced may be nil
	pages       *rate.Limiter // refusals that are shown to somebody

	mu     sync.Mutex
	logged time.Time // when its being over the limit was last logged; guarded by mu
}

// maxAddrs bounds the addresses that are remembered; those unseen the longest go first.
const maxAddrs = 1 << 16

// newAddrRate returns nil for 0.
func newAddrRate(perSecond float64, burst int, spaced bool) (*addrRate, error) {
	if perSecond <= 0 {
		return nil, nil //nolint:nilnil // nil is no limit
	}
	seen, err := lru.New[netip.Addr, *seenAddr](maxAddrs)
	if err != nil {
		return nil, fmt.Errorf("make a limit: %w", err)
	}
	return &addrRate{perSecond: rate.Limit(perSecond), burst: max(1, burst), spaced: spaced, seen: seen}, nil
}

// shownBurst is how many refusals at once are a page: as many as somebody asks for by hand. Then it is one a second, so
// that refusing costs next to nothing.
const shownBurst = 3

// logAgain is how long being over a limit is one thing that happens, and one line of the log.
const logAgain = time.Minute

// reserve is how long the address has to wait; it need not wait longer than patience and is counted then, or it may not at
// all. news says that it has not been refused lately. An address that is not known has no limit.
func (r *addrRate) reserve(addr netip.Addr, patience time.Duration) (wait time.Duration, news bool) {
	if r == nil || !addr.IsValid() {
		return 0, false
	}
	l := r.of(addr)
	now := time.Now()
	taken := l.all.ReserveN(now, 1)
	wait = taken.DelayFrom(now)
	if l.spaced != nil && wait <= patience {
		next := l.spaced.ReserveN(now, 1)
		if wait = max(wait, next.DelayFrom(now)); wait > patience {
			next.CancelAt(now)
		}
	}
	if wait <= patience {
		return wait, false
	}
	taken.CancelAt(now)
	l.mu.Lock()
	defer l.mu.Unlock()
	if news = now.Sub(l.logged) > logAgain; news {
		l.logged = now
	}
	return wait, news
}

// charge counts more of what the address has done. It is who comes next that waits for it.
func (r *addrRate) charge(addr netip.Addr, more int) {
	if r == nil || !addr.IsValid() {
		return
	}
	l, now := r.of(addr), time.Now()
	l.all.ReserveN(now, more)
	if l.spaced != nil {
		l.spaced.ReserveN(now, more)
	}
}

func (r *addrRate) of(addr netip.Addr) *seenAddr {
	if l, ok := r.seen.Get(addr); ok {
		return l
	}
	l := &seenAddr{all: rate.NewLimiter(r.perSecond, r.burst), pages: rate.NewLimiter(1, shownBurst)}
	if r.spaced && r.burst > spacedBurst {
		l.spaced = rate.NewLimiter(spacedRate*r.perSecond, spacedBurst)
	}
	if first, had, _ := r.seen.PeekOrAdd(addr, l); had {
		return first
	}
	return l
}

// paceRequests slows requests down from an address that asks for too much, and refuses them in the end. Files that pages are
// made of are paced apart. The answer is short and the same for everybody, but for the few that a browser shows to somebody: a
// page costs what is to be saved.
func (s *Server) paceRequests(c *fiber.Ctx) error {
	if strings.HasPrefix(c.Path(), "/static/") {
		return s.paceFiles(c)
	}
	return s.paceBy(c, s.requests)
}

// paceFiles is for what costs little and is asked for often.
func (s *Server) paceFiles(c *fiber.Ctx) error { return s.paceBy(c, s.files) }

func (s *Server) paceBy(c *fiber.Ctx, r *addrRate) error {
	addr := clientAddr(c)
	wait, news := r.reserve(addr, pacePatience)
	if s.waited(wait, hub.LimitRequests) {
		return c.Next()
	}
	s.refused("requests", hub.LimitRequests)
	if news {
		s.log.Warn("too many requests", zap.String("remote_addr", remoteAddr(c)), zap.Float64("per_second", float64(r.perSecond)))
	}
	e := protocol.Errorf(protocol.CodeTooFast, "there are too many requests from your address; wait %s s", retryAfter(wait))
	return s.tooFast(c, e, wait, r.of(addr).pages.Allow)
}

// pacePages slows a member down who asks for the pages of rooms too fast, from wherever. Who must not go on gets the answer,
// and next is false.
func (s *Server) pacePages(c *fiber.Ctx, m hub.Member) (next bool, err error) {
	number := netip.AddrFrom16(m.ID) // 128 bits, as an address has
	wait, news := s.pages.reserve(number, pacePatience)
	if s.waited(wait, hub.LimitPages) {
		return true, nil
	}
	s.refused("pages", hub.LimitPages)
	if news {
		s.log.Warn("too many pages", zap.Stringer("member_id", m.ID), zap.String("remote_addr", remoteAddr(c)))
	}
	e := protocol.Errorf(protocol.CodeTooFast, "you ask for too many pages; wait %s s", retryAfter(wait))
	return false, s.tooFast(c, e, wait, s.pages.of(number).pages.Allow)
}

// waited waits as long as a limit says, if that is not too long.
func (s *Server) waited(wait time.Duration, limit string) bool {
	if wait > pacePatience {
		return false
	}
	if wait > 0 {
		s.limited(limit)
		<-time.After(wait)
	}
	return true
}

// tooFast answers who is; shown tells whether somebody may see a page.
func (s *Server) tooFast(c *fiber.Ctx, e *protocol.Error, wait time.Duration, shown func() bool) error {
	e.RetryAfter = wait
	c.Set(fiber.HeaderRetryAfter, retryAfter(wait))
	c.Context().SetConnectionClose() // or what it sends without waiting is refused one by one, at our cost
	if wantsHTML(c) && c.Get("Sec-Fetch-Mode") == "navigate" && shown() {
		return s.answer(c, e)
	}
	c.Status(fiber.StatusTooManyRequests)
	return sendFrame(c, e)
}

// costs says what the request counts as.
func (s *Server) costs(c *fiber.Ctx, n int) { s.requests.charge(clientAddr(c), n-1) }

// refused counts a refusal because of a limit, which is called by its flag.
func (s *Server) refused(reason, limit string) {
	s.metrics.refused(reason)
	s.limited(limit)
}

// mayLogIn tells whether the address of a request may log in now, or try a password, which is counted. The error is a
// *protocol.Error with the time to wait.
func (s *Server) mayLogIn(c *fiber.Ctx) error {
	wait, _ := s.logins.reserve(clientAddr(c), 0)
	if wait == 0 {
		return nil
	}
	s.refused("logins", hub.LimitLogins)
	return &protocol.Error{Code: protocol.CodeTooFast, Message: "there are too many logins from your address", RetryAfter: wait}
}

// onlyMethods answers what is no method of HTTP, and hangs up: the library does so before it looks at any route, and there
// nothing would slow down who sends such requests one after the other.
func onlyMethods(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(c *fasthttp.RequestCtx) {
		if slices.Contains(fiber.DefaultMethods, string(c.Method())) {
			next(c)
			return
		}
		c.Error("this is no method of HTTP\n", fasthttp.StatusBadRequest)
		c.Response.Header.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		c.SetConnectionClose()
	}
}

// refusePacked refuses bodies that are compressed. None of ours is, and the library unpacks a form whatever its size: 58 KB
// of gzip become 60 MB of memory, before anything is known of who sends it.
func (s *Server) refusePacked(c *fiber.Ctx) error {
	for _, coding := range values(c, fiber.HeaderContentEncoding) {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return s.refuse(c, "packed", fiber.NewError(fiber.StatusUnsupportedMediaType, "bodies are not compressed here: leave Content-Encoding out"))
		}
	}
	return c.Next()
}
