package handlers

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	lru "github.com/hashicorp/golang-lru/v2"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"govor/hub/protocol"
)

// addrRate limits how often something happens from one address. nil is no limit.
type addrRate struct {
	// Fixed at construction.
	perSecond rate.Limit
	burst     int
	seen      *lru.Cache[netip.Addr, *seenAddr]
}

// seenAddr is an address that was seen.
type seenAddr struct {
	*rate.Limiter

	mu     sync.Mutex
	logged time.Time // when its being over the limit was last logged; guarded by mu
}

// maxAddrs bounds the addresses that are remembered; those unseen the longest go first.
const maxAddrs = 1 << 16

// newAddrRate returns nil for 0.
func newAddrRate(perSecond float64, burst int) (*addrRate, error) {
	if perSecond <= 0 {
		return nil, nil //nolint:nilnil // nil is no limit
	}
	seen, err := lru.New[netip.Addr, *seenAddr](maxAddrs)
	if err != nil {
		return nil, fmt.Errorf("make a limit: %w", err)
	}
	return &addrRate{perSecond: rate.Limit(perSecond), burst: max(1, burst), seen: seen}, nil
}

// logAgain is how long being over a limit is one thing that happens, and one line of the log.
const logAgain = time.Minute

// wait is how long the address has to wait; 0 = it need not, and this is counted. news says that it has not been over
// the limit lately. An address that is not known has no limit.
func (r *addrRate) wait(addr netip.Addr) (wait time.Duration, news bool) {
	if r == nil || !addr.IsValid() {
		return 0, false
	}
	l, ok := r.seen.Get(addr)
	if !ok {
		l = &seenAddr{Limiter: rate.NewLimiter(r.perSecond, r.burst)}
		if first, had, _ := r.seen.PeekOrAdd(addr, l); had {
			l = first
		}
	}
	now := time.Now()
	taken := l.ReserveN(now, 1)
	if wait = taken.DelayFrom(now); wait == 0 {
		return 0, false
	}
	taken.CancelAt(now)
	l.mu.Lock()
	defer l.mu.Unlock()
	if news = now.Sub(l.logged) > logAgain; news {
		l.logged = now
	}
	return wait, news
}

// paceRequests refuses requests from an address that asks for too much. Files that pages are made of do not count. The
// answer is short and the same for everybody: a page would cost what is to be saved.
func (s *Server) paceRequests(c *fiber.Ctx) error {
	if strings.HasPrefix(c.Path(), "/static/") {
		return c.Next()
	}
	wait, news := s.requests.wait(clientAddr(c))
	if wait == 0 {
		return c.Next()
	}
	s.metrics.refused("requests")
	if news {
		s.log.Warn("too many requests", zap.String("remote_addr", remoteAddr(c)), zap.Float64("per_second", float64(s.requests.perSecond)))
	}
	e := protocol.Errorf(protocol.CodeTooFast, "there are too many requests from your address; wait %s s", retryAfter(wait))
	e.RetryAfter = wait
	c.Set(fiber.HeaderRetryAfter, retryAfter(wait))
	c.Context().SetConnectionClose() // or what it sends without waiting is refused one by one, at our cost
	c.Status(fiber.StatusTooManyRequests)
	return sendFrame(c, e)
}

// loginDelay is how long an address has to wait before it may log in; 0 = it may, and this is counted.
func (s *Server) loginDelay(addr netip.Addr) time.Duration {
	wait, _ := s.logins.wait(addr)
	return wait
}
