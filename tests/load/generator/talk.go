//go:build linux

package generator

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Messages of a publisher whose times are remembered: powers of two.
const (
	scheduledRing = 1 << 14
	windowRing    = 1 << 10
)

// publisher is a member who talks.
type publisher struct {
	c           *conn
	id          int
	index       int // in its room
	next        uint32
	done        uint32    // everything before has come back to everybody, or is given up
	template    [3]string // before the id, between it and the text, after
	withID      bool
	sent        []int64
	missing     []int32 // members who do not have it yet
	lastAdvance int64
}

// talk speaks for Warm and Measure, or until it is stopped.
func (g *generator) talk() {
	g.choosePublishers()
	begin := g.now()
	warm := begin + int64(g.spec.Warm)
	end := warm + int64(g.spec.Measure)
	period := int64(0)
	if g.spec.Rate > 0 {
		period = int64(float64(time.Second) / g.spec.Rate)
	}
	due, turn := begin+int64(time.Millisecond), 0
	var first snapshot
	for _, p := range g.publishers {
		p.lastAdvance = begin
	}
	for {
		now := g.now()
		if g.spec.Background {
			if g.stop.Load() {
				return
			}
		} else if now >= end {
			break
		} else if !g.measuring && now >= warm {
			first, g.measuring = g.snapshot(), true
		}
		g.readSlow(now)
		wait := 10 * time.Millisecond
		if period == 0 {
			g.fillWindows(now)
		} else {
			for ; due <= now; due += period {
				g.publish(g.publishers[turn%len(g.publishers)], 1, due)
				turn++
				now = g.now()
			}
			wait = min(wait, time.Duration(due-g.now()))
		}
		g.poll(wait)
	}
	g.measured(first, g.snapshot())
	g.measuring = false
}

func (g *generator) choosePublishers() {
	size := windowRing
	if g.spec.Rate > 0 {
		size = scheduledRing
	}
	for _, c := range g.conns {
		if c.state != ready || c.role != ordinary || len(g.ofRoom[c.room]) >= g.spec.Publishers {
			continue
		}
		before, after, _ := strings.Cut(g.fill(g.spec.Dialect.Publish, c), "{text}")
		p := &publisher{
			c: c, id: len(g.publishers), index: len(g.ofRoom[c.room]),
			sent: make([]int64, size), missing: make([]int32, size),
		}
		p.template[0], p.template[1], p.withID = strings.Cut(before, "{id}")
		p.template[2] = after
		g.publishers = append(g.publishers, p)
		g.ofRoom[c.room] = append(g.ofRoom[c.room], p)
	}
}

// fillWindows gives every publisher its messages in flight.
func (g *generator) fillWindows(now int64) {
	for _, p := range g.publishers {
		if p.next > p.done && now-p.lastAdvance > int64(stallAfter) {
			p.done = p.next // a lost message must not stop the run
			g.result.Stalls++
		}
		if n := g.spec.Window - int(p.next-p.done); n > 0 {
			if p.next == p.done {
				p.lastAdvance = now
			}
			g.publish(p, n, now)
		}
	}
}

// publish says n messages in one write. at is when they should have been said.
func (g *generator) publish(p *publisher, n int, at int64) {
	if p.c.state != ready || p.next-p.done >= uint32(len(p.sent)-n) {
		return
	}
	var b []byte
	for range n {
		b = g.appendMessage(b, p, at)
	}
	g.write(p.c, b)
}

func (g *generator) appendMessage(dst []byte, p *publisher, at int64) []byte {
	b := append(make([]byte, 0, 512), p.template[0]...)
	if p.withID {
		b = g.ids.appendID(b)
	}
	b = append(b, p.template[1]...)
	size := len(b) + g.spec.Size
	b = append(b, "@@"+g.run+":"...)
	b = strconv.AppendInt(b, int64(p.id), 10)
	b = append(b, ':')
	b = strconv.AppendInt(b, int64(p.next), 10)
	b = append(b, "@@"...)
	fill := filler
	if g.spec.Hostile {
		fill = hostile[p.next%uint32(len(hostile))]
	}
	for len(b) < size {
		b = append(b, fill[:min(len(fill), size-len(b))]...)
	}
	b = append(b, p.template[2]...)
	slot := p.next & uint32(len(p.sent)-1)
	p.sent[slot], p.missing[slot] = at, int32(g.members[p.c.room])
	p.next++
	return clientFrame(dst, opText, b)
}

const filler = " the quick brown fox jumps over the lazy dog and the slow server sends it to everyone again and again"

// hostile is what makes Markdown parsers slow: links and quotes that never end, emphasis that might.
var hostile = []string{"[a](", " > >", "*a_ ", "![x][", "<a<b<", "**_*_"}

// readSlow lets the slow members read their share.
func (g *generator) readSlow(now int64) {
	if g.spec.Slow == 0 {
		return
	}
	for _, c := range g.conns {
		if c.state == ready && c.role == slow {
			if allowed := now*int64(g.spec.SlowRate)/int64(time.Second) - c.took; allowed > 0 {
				g.read(c, int(allowed))
			}
		}
	}
}

// drain waits until everybody has everything, at most for Drain.
func (g *generator) drain() {
	for _, c := range g.conns {
		if c.state == ready && c.role == slow {
			g.result.SlowLag += g.missingAt(c)
			ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)}
			_ = unix.EpollCtl(g.epoll, unix.EPOLL_CTL_ADD, c.fd, &ev)
		}
	}
	for end := time.Now().Add(g.spec.Drain); time.Now().Before(end) && g.pending(); {
		next := time.Now().Add(20 * time.Millisecond)
		for time.Now().Before(next) {
			g.poll(5 * time.Millisecond)
		}
	}
}

func (g *generator) pending() bool {
	for _, c := range g.conns {
		if c.state == ready && c.role != stuck && g.missingAt(c) > 0 {
			return true
		}
	}
	return false
}

// missingAt is how many messages a member has not got at the end of what it got.
func (g *generator) missingAt(c *conn) uint64 {
	n := uint64(0)
	for i, p := range g.ofRoom[c.room] {
		n += uint64(p.next - c.next[i])
	}
	return n
}
