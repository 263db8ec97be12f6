package hub

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"govor/hub/hasher"
	"govor/hub/protocol"
)

// Bounds of the work with passwords.
const (
	maxHashing      = 2                      // hashes at once; half of the processors if that is fewer
	maxHashWaiting  = 32                     // who waits for one; more are sent away
	hashPatience    = 5 * time.Second        // and waits no longer than this
	restPerHash     = 3                      // times as long as a hash took nobody makes one in its place
	maxRest         = 100 * time.Millisecond // but no longer than this, for what took long may have waited itself
	attemptsAll     = 5                      // all addresses together may try at one name so many times what one may at once
	attemptsAllRate = 3                      // and at so many times the rate, so that nobody locks a name out who has one or two
	maxAttemptNames = 1 << 14                // names, and names with addresses, whose tries are counted; the least recently tried go first
	maxProved       = 1024                   // passwords that need not be hashed again
)

// noHash is compared with where there is no password, so that this takes as long. Nobody knows of which password it is.
const noHash = "$argon2id$v=19$m=19456,t=2,p=1$QxMA7ZTIYop5BXzPkdNLfA$pt4w1X4/sdz+bfEYA/qqSp6BGFRfOtBCYRx7gxGqgkA"

// passwords hashes and compares them, a few at once: 19 MiB and a processor each would be a way to take the chat down.
type passwords struct {
	hasher   *hasher.Hasher
	slowed   func()  // told of each try that came too soon
	perName  float64 // tries a minute from one address, and as many at once; 0 = no limit
	slots    chan struct{}
	later    func(time.Duration, func()) // calls the function after that time
	waiting  atomic.Int32
	attempts *lru.Cache[attempt, *rate.Limiter]
	key      [sha256.Size]byte // of this process, for proved
	proved   *lru.Cache[string, [sha256.Size]byte]
}

func newPasswords(hashing *hasher.Hasher, perName float64) (*passwords, error) {
	p := &passwords{
		hasher: hashing, perName: perName, slowed: func() {},
		slots: make(chan struct{}, min(maxHashing, max(1, runtime.GOMAXPROCS(0)/2))),
		later: func(d time.Duration, f func()) { time.AfterFunc(d, f) },
	}
	_, _ = rand.Read(p.key[:])
	var err error
	if p.attempts, err = lru.New[attempt, *rate.Limiter](maxAttemptNames); err != nil {
		return nil, fmt.Errorf("make limits of passwords: %w", err)
	}
	if p.proved, err = lru.New[string, [sha256.Size]byte](maxProved); err != nil {
		return nil, fmt.Errorf("make memory of passwords: %w", err)
	}
	return p, nil
}

// acquire waits for a slot, which the caller gives back. The error is too_fast: nobody has looked at the password.
func (p *passwords) acquire(ctx context.Context) error {
	busy := &protocol.Error{Code: protocol.CodeTooFast, Message: "too many people log in right now", RetryAfter: hashPatience}
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > maxHashWaiting {
		return busy
	}
	ctx, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return busy
	}
}

func (p *passwords) release() { <-p.slots }

// rest gives a slot back that has been used since began, some time after: beside who hashes without a pause, others wait for a
// processor now and then, however much the hashing gives way, and whoever has to wait for a hash hardly sees the rest.
func (p *passwords) rest(began time.Time) { p.later(restAfter(time.Since(began)), p.release) }

func restAfter(hashed time.Duration) time.Duration { return min(restPerHash*hashed, maxRest) }

// hash makes the hash of a password that protocol.CheckPassword has let pass.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	if err := p.acquire(ctx); err != nil {
		return "", err
	}
	defer p.rest(time.Now())
	h, err := p.hasher.Hash(password)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return h, nil
}

// check tells whether the password of en is that of hash; "" is no password's, which takes as long to find out. key, with
// en.From, is what tries are counted by. A *protocol.Error too_fast means that nobody has looked. A password that was right
// before is so at any time: whoever tries wrong ones keeps nobody out who has been in.
func (p *passwords) check(ctx context.Context, key, hash string, en Entry, now time.Time) (bool, error) {
	password := en.Password
	if word, bad := protocol.CheckPassword(password); bad == nil {
		password = word
	}
	mac := p.mac(password)
	if p.wasRight(hash, mac) {
		return true, nil
	}
	if en.Try != nil {
		if err := en.Try(); err != nil {
			return false, err
		}
	}
	if wait := p.delay(key, en.From, now); wait > 0 {
		p.slowed()
		return false, &protocol.Error{Code: protocol.CodeTooFast, Message: "too many tries at this name's password", RetryAfter: wait}
	}
	if err := p.acquire(ctx); err != nil {
		return false, err
	}
	defer p.rest(time.Now())
	// Who gave up waiting has tried again, and the first try has succeeded meanwhile: another hash would take as long.
	if p.wasRight(hash, mac) {
		return true, nil
	}
	against := hash
	if against == "" {
		against = noHash
	}
	same, err := p.hasher.Same(password, against)
	if err != nil {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	if same = same && hash != ""; same {
		p.proved.Add(hash, mac)
	}
	return same, nil
}

// wasRight tells whether the password with that mac has been compared with hash before, and was right.
func (p *passwords) wasRight(hash string, mac [sha256.Size]byte) bool {
	before, ok := p.proved.Get(hash)
	return ok && hash != "" && hmac.Equal(before[:], mac[:])
}

// mac is by what a password that was right is recognised. Its key is gone with the process.
func (p *passwords) mac(password string) (sum [sha256.Size]byte) {
	m := hmac.New(sha256.New, p.key[:])
	m.Write([]byte(password))
	m.Sum(sum[:0])
	return sum
}

// attempt is what tries are counted by: a name, and where they come from. Those from everywhere have a key with a colon,
// which no name has.
type attempt struct {
	key  string
	from netip.Addr
}

// delay counts one try at a name's password; over 0 it may not be made before that time.
func (p *passwords) delay(key string, from netip.Addr, now time.Time) time.Duration {
	if p.perName <= 0 {
		return 0
	}
	atOnce := max(1, int(p.perName))
	own := p.limiter(attempt{key, Counted(from)}, p.perName, atOnce).ReserveN(now, 1)
	all := p.limiter(attempt{key: "all:" + key}, attemptsAllRate*p.perName, attemptsAll*atOnce).ReserveN(now, 1)
	wait := max(own.DelayFrom(now), all.DelayFrom(now))
	if wait > 0 {
		own.CancelAt(now)
		all.CancelAt(now)
	}
	return wait
}

func (p *passwords) limiter(a attempt, perMinute float64, atOnce int) *rate.Limiter {
	if l, ok := p.attempts.Get(a); ok {
		return l
	}
	l := rate.NewLimiter(rate.Limit(perMinute/60), atOnce)
	if first, had, _ := p.attempts.PeekOrAdd(a, l); had {
		return first
	}
	return l
}
