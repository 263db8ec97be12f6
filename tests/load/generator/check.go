//go:build linux

package generator

import "time"

// delivered checks one message at one member.
func (g *generator) delivered(c *conn, p *publisher, seq uint32, now int64) {
	if p.c.room != c.room || seq >= p.next {
		g.result.Wrong++
		return
	}
	switch expected := c.next[p.index]; {
	case seq < expected:
		g.result.Duplicates++
		return
	case seq > expected:
		c.gaps += uint64(seq - expected)
	}
	c.next[p.index] = seq + 1
	if c.role != ordinary || p.next-seq > uint32(len(p.sent)) {
		return
	}
	slot := seq & uint32(len(p.sent)-1)
	if g.measuring {
		g.result.Deliveries++
		g.latency.add(now - p.sent[slot])
	}
	if p.missing[slot]--; p.missing[slot] > 0 {
		return
	}
	if g.measuring {
		g.completed++
		g.completion.add(now - p.sent[slot])
	}
	for p.done < p.next && p.missing[p.done&uint32(len(p.sent)-1)] <= 0 {
		p.done++
	}
	p.lastAdvance = now
}

// snapshot is what is compared between the two ends of the measured time.
type snapshot struct {
	at            time.Time
	server, own   time.Duration
	busy          time.Duration // the server's core
	reads, frames uint64
}

func (g *generator) snapshot() snapshot {
	return snapshot{time.Now(), processCPU(g.spec.PID), ownCPU(), coreBusy(g.spec.Core), g.reads, g.frames}
}

func (g *generator) measured(a, z snapshot) {
	r := &g.result
	r.Seconds = z.at.Sub(a.at).Seconds()
	r.PerSecond = float64(r.Deliveries) / r.Seconds
	r.CPU = micros(z.server-a.server) / float64(max(r.Deliveries, 1))
	r.ServerShare = (z.server - a.server).Seconds() / r.Seconds
	r.LoadShare = (z.own - a.own).Seconds() / r.Seconds
	r.OthersShare = max(0, (z.busy-a.busy).Seconds()/r.Seconds-r.ServerShare)
	r.FramesPerRead = float64(z.frames-a.frames) / float64(max(z.reads-a.reads, 1))
	r.Latency, r.Completion = g.latency.quantiles(), g.completion.quantiles()
}

// verify counts what did not arrive. A member whose connection ended misses everything after; one that never reads
// is not asked.
func (g *generator) verify() {
	for _, c := range g.conns {
		if c.next == nil || c.role == stuck {
			continue
		}
		for _, p := range g.ofRoom[c.room] {
			g.result.Expected += uint64(p.next)
		}
		g.result.Lost += g.missingAt(c) + c.gaps
	}
}
