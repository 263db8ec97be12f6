//go:build linux

package generator

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	handshakesAtOnce = 128
	connectTimeout   = 60 * time.Second
	settleQuiet      = 300 * time.Millisecond // so long without traffic after the joins
	settleTimeout    = 15 * time.Second
	readSize         = 1 << 19
	stallAfter       = time.Second
)

// generator is all of a run. One goroutine owns it.
type generator struct {
	// Fixed at construction.
	spec  Spec
	epoll int
	start time.Time
	run   string // tells this run's markers from another's
	stop  *atomic.Bool

	conns      []*conn
	byFD       []*conn
	events     []unix.EpollEvent
	buf        []byte
	publishers []*publisher
	ofRoom     [][]*publisher
	members    []int // that count, in each room
	ids        idSource

	connecting, connected     int
	measuring                 bool
	join, latency, completion histogram
	reads, frames             uint64
	completed                 uint64
	result                    Result
}

// Run does what spec says. It calls ready when everybody is connected, and ends a run in the background once stop is
// set.
func Run(spec Spec, ready func(), stop *atomic.Bool) (Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	debug.SetGCPercent(400)
	if spec.Members < 1 || spec.Rooms < 1 || spec.Stuck+spec.Slow > spec.Members/2 {
		return Result{}, fmt.Errorf("a crowd of %d members in %d rooms, %d stuck, %d slow", spec.Members, spec.Rooms, spec.Stuck, spec.Slow)
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return Result{}, fmt.Errorf("create epoll set: %w", err)
	}
	g := &generator{
		spec: spec, epoll: epoll, start: time.Now(), stop: stop,
		run:     fmt.Sprintf("%x", time.Now().UnixNano()&0xffffffffff),
		conns:   make([]*conn, spec.Members),
		events:  make([]unix.EpollEvent, 1024),
		buf:     make([]byte, readSize),
		members: make([]int, spec.Rooms),
		ofRoom:  make([][]*publisher, spec.Rooms),
		ids:     newIDSource(),
	}
	g.result.Closed = map[string]int{}
	defer g.closeAll()
	if err := g.connect(); err != nil {
		return g.result, err
	}
	ready()
	g.idle()
	if spec.Publishers > 0 && (spec.Measure > 0 || spec.Background) {
		g.talk()
		g.drain()
		g.verify()
	} else if spec.Background {
		for !g.stop.Load() {
			g.poll(100 * time.Millisecond)
		}
	}
	g.result.MemoryEnd, g.result.TCPEnd = resident(spec.PID), tcpMemory()
	return g.result, nil
}

// now is the time since the start, in nanoseconds.
func (g *generator) now() int64 { return int64(time.Since(g.start)) }

// connect opens all connections and waits until the joins have died down.
func (g *generator) connect() error {
	r := &g.result
	r.MemoryStart, r.TCPStart = resident(g.spec.PID), tcpMemory()
	cpu, begin := processCPU(g.spec.PID), time.Now()
	for next := 0; g.connected+r.ConnectErrors < g.spec.Members; {
		for g.connecting < handshakesAtOnce && next < g.spec.Members {
			if err := g.dial(next); err != nil {
				return err
			}
			next++
		}
		g.poll(100 * time.Millisecond)
		if time.Since(begin) > connectTimeout {
			return fmt.Errorf("connect: %d of %d after %s; %v", g.connected, g.spec.Members, connectTimeout, r.Closed)
		}
	}
	r.Connected = g.connected
	r.ConnectsPerSecond = float64(g.connected) / time.Since(begin).Seconds()
	quiet, settling := time.Now(), time.Now()
	for seen := g.reads; time.Since(quiet) < settleQuiet && time.Since(settling) < settleTimeout; {
		g.poll(50 * time.Millisecond)
		if g.reads != seen {
			seen, quiet = g.reads, time.Now()
		}
	}
	if g.connected == 0 {
		return fmt.Errorf("connect: nobody got in; %v", r.Closed)
	}
	r.Join = g.join.quantiles()
	r.ConnectCPU = micros(processCPU(g.spec.PID)-cpu) / float64(g.connected)
	return nil
}

// idle keeps silent and samples memory then.
func (g *generator) idle() {
	for end := time.Now().Add(g.spec.Idle); time.Now().Before(end); {
		g.poll(100 * time.Millisecond)
	}
	g.result.MemoryIdle, g.result.TCPIdle = resident(g.spec.PID), tcpMemory()
}

// poll handles what the sockets have, and waits at most d for it.
func (g *generator) poll(d time.Duration) {
	n, err := unix.EpollWait(g.epoll, g.events, 0)
	if n == 0 && err == nil && d > 0 {
		// ppoll because it takes nanoseconds: the times of a schedule are met without spinning.
		ts := unix.NsecToTimespec(int64(d))
		if _, err = unix.Ppoll([]unix.PollFd{{Fd: int32(g.epoll), Events: unix.POLLIN}}, &ts, nil); err == nil {
			n, err = unix.EpollWait(g.epoll, g.events, 0)
		}
	}
	if err != nil {
		return // interrupted; the next turn sees what there is
	}
	for i := range n {
		c := g.byFD[g.events[i].Fd]
		if c == nil {
			continue
		}
		if g.events[i].Events&unix.EPOLLOUT != 0 {
			g.writable(c)
		}
		if c.state != dead && g.events[i].Events&^unix.EPOLLOUT != 0 {
			g.read(c, len(g.buf))
		}
	}
}

func (g *generator) closeAll() {
	for _, c := range g.conns {
		if c != nil && c.state != dead {
			_ = unix.Close(c.fd)
		}
	}
	_ = unix.Close(g.epoll)
}

// fail ends a connection and remembers why.
func (g *generator) fail(c *conn, why string) {
	switch c.state {
	case dead:
		return
	case ready:
		if c.role == ordinary {
			g.members[c.room]--
		}
	default:
		g.result.ConnectErrors++
		g.connecting--
	}
	c.state = dead
	g.result.Closed[why]++
	g.byFD[c.fd] = nil
	_ = unix.Close(c.fd)
}

// again tells whether a system call on a socket is only to be repeated later.
func again(err error) bool { return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) }

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
