package socket

import (
	"sync"
	"sync/atomic"
)

// maxWaiting is how many messages wait for a peer before nothing more is read for it.
const maxWaiting = 8

// intake hands messages to a peer, one at a time and in order, from a goroutine that exists while there are any:
// Receive may block, and a loop must not.
type intake struct {
	link *link // fixed at construction

	mu      sync.Mutex // guards the fields below
	waiting []message
	bytes   int
	running bool
	full    bool     // the loop has been told not to read on
	failed  bool     // Receive has panicked
	ended   *verdict // the socket is closed: Ended is called after the last message
}

// hand gives the peer a message and tells whether it has enough to do now.
func (l *loop) hand(k *link, m message) (full bool) {
	in := k.in
	if in == nil {
		in = &intake{link: k}
		k.in = in
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.failed {
		return false
	}
	in.waiting = append(in.waiting, m)
	in.bytes += len(m.data)
	in.full = in.fullLocked()
	if !in.running {
		in.running = true
		l.owner.crew.give(in)
	}
	return in.full
}

func (in *intake) fullLocked() bool {
	return len(in.waiting) >= maxWaiting || int64(in.bytes) > in.link.loop.owner.limits.MaxFrame
}

// isFull tells whether the peer has enough to do.
func (in *intake) isFull() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.full = in.fullLocked()
	return in.full
}

func (in *intake) hasFailed() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.failed
}

// over tells whether the peer has nothing to do.
func (in *intake) over() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return !in.running && !in.failed
}

// endWith makes Ended follow the last message; false when there is none on its way.
func (in *intake) endWith(v verdict) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ended = &v
	return in.running
}

// run hands messages on until there are none.
func (in *intake) run() {
	k := in.link
	for {
		m, ended := in.take()
		if ended != nil {
			k.loop.graves.add(k, *ended)
		}
		if m == nil {
			return
		}
		in.receive(*m)
	}
}

// take returns the next message; nil when there is none, and then how the link has ended, if it has.
func (in *intake) take() (*message, *verdict) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.waiting) == 0 {
		in.running = false
		return nil, in.ended
	}
	m := in.waiting[0]
	in.waiting[0] = message{}
	in.waiting = in.waiting[1:]
	if len(in.waiting) == 0 {
		in.waiting = nil
	}
	in.bytes -= len(m.data)
	if in.full && !in.fullLocked() {
		in.full = false
		in.link.Wake(false) // to read on
	}
	return &m, nil
}

func (in *intake) receive(m message) {
	defer func() {
		if v := recover(); v != nil {
			in.link.loop.panicked(v)
			in.mu.Lock()
			in.failed, in.waiting, in.bytes = true, nil, 0
			in.mu.Unlock()
			in.link.Wake(false)
		}
	}()
	m.handTo(in.link.peer)
}

// maxIdleHands is how many goroutines stay to wait for the next intake: a new one would first have to grow its stack.
const maxIdleHands = 32

// crew runs intakes, each in a goroutine of its own.
type crew struct {
	running *sync.WaitGroup // fixed at construction
	next    chan *intake    // capacity 0: somebody waits, or nobody does
	quit    chan struct{}   // closed when nobody needs to wait any more
	idle    atomic.Int32
}

func newCrew(running *sync.WaitGroup) *crew {
	return &crew{running: running, next: make(chan *intake), quit: make(chan struct{})}
}

// give has the intake run. It does not block.
func (c *crew) give(in *intake) {
	select {
	case c.next <- in:
	default:
		c.running.Go(func() { c.work(in) })
	}
}

// work runs one intake and those that come after it, while there are not too many who wait.
func (c *crew) work(in *intake) {
	for {
		in.run()
		if c.idle.Add(1) > maxIdleHands {
			c.idle.Add(-1)
			return
		}
		select {
		case in = <-c.next:
			c.idle.Add(-1)
		case <-c.quit:
			return
		}
	}
}

// graves tells peers that their connection is gone, one after the other, from a goroutine that exists while there are
// any: Ended takes locks and writes a log.
type graves struct {
	loops *Loops // fixed at construction

	mu      sync.Mutex // guards the fields below
	waiting []grave
	running bool
}

type grave struct {
	link    *link
	verdict verdict
}

func (g *graves) add(k *link, v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, grave{k, v})
	if !g.running {
		g.running = true
		g.loops.running.Go(g.run)
	}
}

func (g *graves) run() {
	for {
		g.mu.Lock()
		batch := g.waiting
		g.waiting = nil
		g.running = len(batch) > 0
		g.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, b := range batch {
			b.link.tell(b.verdict)
		}
	}
}

// tell is the last that happens to a link.
func (k *link) tell(v verdict) {
	defer func() {
		if p := recover(); p != nil {
			k.loop.panicked(p)
		}
		if k.done != nil {
			k.done()
		}
	}()
	k.peer.Ended(v.code, v.reason)
}
