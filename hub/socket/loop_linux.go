package socket

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Sizes of a loop's work.
const (
	loopEvents     = 128       // sockets of one look
	loopRead       = 32 << 10  // bytes of one read; the buffer is shared by all connections of a loop
	firstRead      = 4 << 10   // of a connection that has not shown that its frames are large: a buffer of tiny ones takes a millisecond
	largeFrames    = 64        // at most so many in a buffer that is full are large
	visitsPerTurn  = 64        // connections that are visited before the loop looks at its sockets again
	visitsOfCrowd  = 16        // of them, at least, for those who are many
	sharesAtOnce   = 16        // of what a feed gives
	writesPerVisit = 4         // of one connection
	bytesPerVisit  = 256 << 10 // after which another connection has its turn
)

// Times of a loop's work. As a rule a visit takes microseconds and the sizes come first; one to a connection whose other side
// has sent more than is read of it takes a hundred.
const (
	timePerTurn = 200 * time.Microsecond // of reading what is new, and as much of visits
	timeOfCrowd = 50 * time.Microsecond  // of it, at least, for those who are many
)

// loop drives its connections from one goroutine, which never waits for anything but the sockets, the inbox and the
// clock. Calls of a Peer that may block happen elsewhere, see intake.
type loop struct {
	// Fixed at construction.
	owner  *Loops
	file   *os.File // the epoll descriptor; Go's own poller waits for it, so no thread does
	raw    syscall.RawConn
	epfd   int
	start  time.Time
	onPoll func(uintptr) bool

	// Owned by the loop's goroutine.
	now    time.Duration // since start, read once per turn
	events [loopEvents]unix.EpollEvent
	ready  int    // events that were found while falling asleep
	buf    []byte // for reads
	parser parser // for links whose own parser would be idle
	links  []*link
	free   []int32      // unused places in links
	batch  []*link      // the inbox of the turn
	alone  queue[*link] // links with something to do
	crowd  queue[*link] // links that have it together with a great many others
	feeds  feeds
	wheel  wheel

	asleep  atomic.Bool // the loop waits, or is about to: who puts something into the inbox wakes it
	stopped atomic.Bool // the loop touches no link any more

	mu       sync.Mutex // guards the fields below
	inbox    []*link
	fresh    []feeding // feeds that are new
	stopping bool

	graves graves
}

func newLoop(owner *Loops) (*loop, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(epfd, true); err != nil {
		return nil, errors.Join(err, unix.Close(epfd))
	}
	l := &loop{
		owner: owner, file: os.NewFile(uintptr(epfd), "epoll"), epfd: epfd, start: time.Now(), buf: make([]byte, loopRead),
	}
	l.wheel.init(owner.limits)
	l.graves.loops = owner
	l.onPoll = func(uintptr) bool {
		l.ready = l.poll()
		return l.ready > 0
	}
	if l.raw, err = l.file.SyscallConn(); err == nil {
		err = l.file.SetReadDeadline(time.Time{}) // fails where the poller cannot wait for it
	}
	if err != nil {
		return nil, errors.Join(err, l.file.Close())
	}
	return l, nil
}

// run is the loop's goroutine. It ends with stop.
func (l *loop) run() {
	defer l.shut()
	for {
		l.now = l.clock()
		l.look()
		if !l.collect() {
			return
		}
		l.wheel.expire(l.now, l.check)
		if !l.work() {
			l.sleep()
			continue
		}
		runtime.Gosched() // for those who handle what was read, and for the journal
	}
}

// clock is the time since start.
func (l *loop) clock() time.Duration { return time.Since(l.start) }

// poll asks for sockets with news and does not wait.
func (l *loop) poll() int {
	return max(0, rawEpoll(l.epfd, l.events[:]))
}

// look handles news of sockets, loopEvents at most. When the time for it is over, what is left is for visits.
func (l *loop) look() {
	until := l.now + timePerTurn
	n := l.ready
	if l.ready = 0; n == 0 {
		n = l.poll()
	}
	for i := range n {
		ev := &l.events[i]
		k := l.links[ev.Fd]
		if k == nil {
			continue // closed in this turn
		}
		if ev.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			k.readable = true
			k.hup = k.hup || ev.Events&^(unix.EPOLLIN|unix.EPOLLOUT) != 0
			if l.clock() < until {
				l.guard(k, l.read)
			} else {
				l.enqueue(k)
			}
		}
		if ev.Events&unix.EPOLLOUT != 0 && k.parked {
			k.parked = false
			l.resume(k)
		}
	}
}

// collect takes the inbox and tells whether to go on.
func (l *loop) collect() bool {
	l.mu.Lock()
	l.inbox, l.batch = l.batch[:0], l.inbox
	l.feeds.take(&l.fresh)
	stopping := l.stopping
	l.mu.Unlock()
	for i, k := range l.batch {
		l.batch[i] = nil
		if k.slot < 0 && !k.closed {
			l.register(k)
		}
		if k.woken.Load() == wokenInCrowd {
			l.enqueueInCrowd(k)
		} else {
			l.enqueue(k)
		}
	}
	return !stopping
}

// register makes the link one of the loop's.
func (l *loop) register(k *link) {
	if n := len(l.free); n > 0 {
		k.slot, l.free = l.free[n-1], l.free[:n-1]
		l.links[k.slot] = k
	} else {
		k.slot = int32(len(l.links)) //nolint:gosec // there are fewer descriptors
		l.links = append(l.links, k)
	}
	k.pulse.heard = l.now
	// By edges: a socket that is written all the time is never asked about, and parking costs no call.
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: k.slot}
	if err := unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, int(k.fd), &ev); err != nil {
		l.finish(k, verdict{code: closeLost, reason: "connection lost"})
		return
	}
	l.wheel.set(k, l.deadline(k))
	if len(k.out) > 0 {
		l.guard(k, l.begin)
	}
}

// enqueue gives the link a turn, before the crowd.
func (l *loop) enqueue(k *link) {
	if k.queued != queuedAlone && !k.closed {
		k.queued = queuedAlone // should it be in the crowd, too, it is passed over there
		l.alone.push(k)
	}
}

// enqueueInCrowd gives the link a turn.
func (l *loop) enqueueInCrowd(k *link) {
	if k.queued == notQueued && !k.closed {
		k.queued = queuedInCrowd
		l.crowd.push(k)
	}
}

// resume gives the link another turn with what it is writing: those who are many stay behind those who are few.
func (l *loop) resume(k *link) {
	if k.many {
		l.enqueueInCrowd(k)
	} else {
		l.enqueue(k)
	}
}

// work visits links that have something to do and feeds those that are fed, visitsPerTurn at most and for timePerTurn, and
// tells whether there was anything. So a room of ten thousand does not keep one of two waiting; and of every turn the crowd
// has a part.
func (l *loop) work() bool {
	const few = visitsPerTurn - visitsOfCrowd
	until := l.clock() + timePerTurn // however long was read
	did := l.visitAll(&l.alone, queuedAlone, few, until)
	did += l.share(&l.feeds.alone, few-did, until, false)
	if did > 0 {
		until = max(until, l.clock()+timeOfCrowd)
	}
	links := visitsPerTurn - did
	if !l.feeds.crowd.empty() {
		links /= 2
	}
	did += l.visitAll(&l.crowd, queuedInCrowd, links, until)
	did += l.share(&l.feeds.crowd, visitsPerTurn-did, until, true)
	return did > 0
}

// visitAll visits the links of a queue, limit at most, and none after a time but the first. It returns how many there were.
func (l *loop) visitAll(q *queue[*link], as queuedAs, limit int, until time.Duration) (n int) {
	for n < limit {
		k, ok := q.pop()
		if !ok {
			return n
		}
		if k.queued != as {
			continue
		}
		k.queued, k.many = notQueued, as == queuedInCrowd
		l.guard(k, l.visit)
		if n++; l.clock() >= until {
			return n
		}
	}
	return n
}

// sleep waits for news, for something in the inbox or for the wheel.
func (l *loop) sleep() {
	var until time.Time
	if due, ok := l.wheel.next(); ok {
		until = l.start.Add(due)
	}
	// Before asleep, so that it never undoes a rouse that has seen it: such a rouse may be late, what it came for may be done,
	// and with asleep gone nobody else would wake the loop.
	_ = l.file.SetReadDeadline(until)
	l.asleep.Store(true)
	// Whoever filled the inbox before it saw the loop asleep did not wake it.
	l.mu.Lock()
	idle := len(l.inbox)+len(l.fresh) == 0 && !l.stopping
	l.mu.Unlock()
	if idle {
		_ = l.raw.Read(l.onPoll) // an error is the deadline, ours or rouse's
	}
	l.asleep.Store(false)
}

// rouse wakes the loop if it waits. It may be called with locks held.
func (l *loop) rouse() {
	if l.asleep.Load() && l.asleep.CompareAndSwap(true, false) {
		_ = l.file.SetReadDeadline(longAgo()) // ends the wait without a system call
	}
}

// stop makes run return.
func (l *loop) stop() {
	l.mu.Lock()
	l.stopping = true
	l.mu.Unlock()
	l.rouse()
}

// shut ends what is left.
func (l *loop) shut() {
	for _, k := range l.links {
		if k != nil {
			l.finish(k, verdict{code: closeGoingAway, reason: reasonStopping})
		}
	}
	l.stopped.Store(true)
	l.turnAway()
	_ = l.file.Close()
}

const reasonStopping = "the server is stopping"

// turnAway ends links that came too late, in the caller's goroutine. The loop does not touch them any more.
func (l *loop) turnAway() {
	l.mu.Lock()
	late := l.inbox
	l.inbox = nil
	l.mu.Unlock()
	for _, k := range late {
		if k.slot < 0 && !k.closed {
			_ = unix.Close(int(k.fd))
			k.tell(verdict{code: closeGoingAway, reason: reasonStopping})
		}
	}
}
