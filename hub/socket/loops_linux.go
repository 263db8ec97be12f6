package socket

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Loops drives connections without a goroutine and without buffers for each: one loop per core waits for all of its
// sockets at once. A connection stays with the loop that took it; only that loop reads, writes and closes its socket.
type Loops struct {
	// Fixed at construction.
	limits  Limits
	onPanic func(value any, stack []byte)
	loops   []*loop
	crew    *crew
	takers  chan *adoption // capacity 0: a taker waits, or they all have one
	storing func() bool    // a commit is under way; nil = never
	yield   func()         // the processor, to other threads

	next    atomic.Uint32
	running sync.WaitGroup // the loops and every goroutine that they start
}

// NewLoops starts a loop for each core that the program may use. Close stops them. storing tells, from any goroutine,
// whether somebody's messages are being stored right now, for GiveWay; nil is never. onPanic is as for Serve. On systems
// other than Linux there are none, and it returns nil.
func NewLoops(limits Limits, storing func() bool, onPanic func(value any, stack []byte)) (*Loops, error) {
	ls := &Loops{limits: limits.withDefaults(), onPanic: onPanic, storing: storing, yield: yieldThread}
	ls.crew = newCrew(&ls.running)
	ls.takers = make(chan *adoption)
	for range runtime.GOMAXPROCS(0) {
		l, err := newLoop(ls)
		if err != nil {
			ls.Close()
			return nil, fmt.Errorf("start an event loop: %w", err)
		}
		ls.loops = append(ls.loops, l)
		ls.running.Go(l.run)
		ls.running.Go(ls.take)
	}
	return ls, nil
}

// GiveWay lets those who talk come before what the caller does next: a loop that waits looks for news now, and what is
// ready runs. Go asks the network only when nothing else is left to run, so on one core they would wait for the end of all
// that a new connection or a request costs. And the kernel lets this thread go on for up to its slice, some milliseconds,
// before it runs another whose fsync is done, if it is not told; but whoever yields loses the rest of his own slice, even
// to those who run when nobody else wants to (Linux 6.18), so nothing is yielded when there is nobody to yield to.
func (ls *Loops) GiveWay() {
	if ls != nil {
		if ls.storing != nil && ls.storing() {
			ls.yield()
		}
		ls.loops[int(ls.next.Load())%len(ls.loops)].rouse() // one, for on many cores somebody is asking anyway
	}
	runtime.Gosched()
}

func yieldThread() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// Close ends the connections that are left (1001, without a word to them), waits until their peers know, and stops the
// loops. Later calls of Adopt end their connection in the same way. Closing nil does nothing.
func (ls *Loops) Close() {
	if ls == nil {
		return
	}
	for _, l := range ls.loops {
		l.stop()
	}
	close(ls.crew.quit)
	ls.running.Wait()
}
