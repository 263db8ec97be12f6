//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// life is one process of the server, from its start to its end.
type life struct {
	n      int
	driver string        // portable, loop
	disk   string        // what the disk does, see the diskX
	ring   string        // --ring-bytes: with little, who stalls is soon fed from the store
	stall  string        // --stall-timeout
	clock  time.Duration // how far it is from the right time after half of the life
	length time.Duration
	end    string // how it ends, see the endX
	lost   float64
}

// What the disk does in a life.
const (
	diskWell   = "the disk is well"
	diskTraced = "the disk is watched"   // strace notes writes and syncs
	diskSlow   = "the disk is slow"      // each write and sync takes 3 ms longer
	diskSick   = "some syncs fail"       // the system says EIO
	diskDead   = "soon every sync fails" // and goes on failing
	diskFull   = "the disk gets full"    // for a second
	diskLocked = "the disk is read-only for a while"
	endKill    = "kill -9"               //
	endTerm    = "TERM"                  // and exit code 0
	endPower   = "power cut"             // kill -9, and what was not synced is lost
	endRestart = "SIGUSR2, then kill -9" // the program replaces itself; nobody is refused
)

// What the clock does in a life: it jumps half-way through, and stays there.
var jumps = []time.Duration{-400 * 24 * time.Hour, -time.Hour, -3 * time.Second, 0, 0, 2 * time.Second, time.Hour, 30 * 24 * time.Hour}

func (l life) String() string {
	s := fmt.Sprintf("life %d: %s driver, rings of %s, %s, the clock jumps to %v, %v, then %s", l.n, l.driver, l.ring, l.disk, l.clock, l.length.Round(time.Millisecond), l.end)
	if l.end == endPower {
		s += fmt.Sprintf(" (each unsynced write is lost with probability %.1f)", l.lost)
	}
	return s
}

// abilities are what this machine lets us do.
type abilities struct {
	trace   bool // strace works
	full    bool // the data lies on a small tmpfs of ours
	restart bool // the program knows SIGUSR2
}

// plan draws lives from the seed. Faults come from a bag, so that every kind has been in any ten lives.
type plan struct {
	rng    *rand.Rand
	can    abilities
	driver string
	bag    []life
	n      int
}

func newPlan(seed uint64, can abilities, driver string) *plan {
	return &plan{rng: stream(seed, "plan"), can: can, driver: driver}
}

func (p *plan) fill() {
	p.bag = []life{
		{disk: diskTraced, end: endPower, lost: 1},
		{disk: diskSlow, end: endKill},
		{disk: diskSick, end: pick(p.rng, endPower, endKill), lost: 1},
		{disk: diskDead, end: endPower, lost: 1},
		{disk: diskFull, end: pick(p.rng, endTerm, endKill)},
		{disk: diskLocked, end: pick(p.rng, endPower, endKill), lost: 1},
		{disk: diskWell, end: endKill},
		{disk: diskWell, end: endTerm},
		{disk: diskWell, end: endRestart},
		{disk: diskTraced, end: endPower, lost: 0.5},
	}
	p.bag = slices.DeleteFunc(p.bag, func(l life) bool {
		traced := l.disk == diskTraced || l.disk == diskSlow || l.disk == diskSick || l.disk == diskDead || l.disk == diskLocked
		return traced && !p.can.trace || l.disk == diskFull && !p.can.full || l.end == endRestart && !p.can.restart
	})
	p.rng.Shuffle(len(p.bag), func(i, j int) { p.bag[i], p.bag[j] = p.bag[j], p.bag[i] })
	if p.n == 0 { // the file is made in the first life: a program that cannot make it does not start
		i := slices.IndexFunc(p.bag, func(l life) bool { return l.disk == diskWell })
		p.bag[0], p.bag[i] = p.bag[i], p.bag[0]
	}
}

func (p *plan) next() life {
	if len(p.bag) == 0 {
		p.fill()
	}
	l := p.bag[0]
	p.bag = p.bag[1:]
	p.n++
	l.n = p.n
	l.driver = p.driver
	if drivers := []string{"portable", "loop"}; l.driver == "" {
		l.driver = drivers[p.rng.IntN(len(drivers))]
	}
	l.ring = pick(p.rng, "64k", "256k")
	l.stall = "3s"
	l.clock = pick(p.rng, jumps...)
	l.length = between(p.rng, 1200*time.Millisecond, 3200*time.Millisecond)
	return l
}

// stream is a source of randomness of its own for each purpose, so that one does not shift the others.
func stream(seed uint64, purpose string) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, b := range []byte(purpose) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h))
}

func pick[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)))
}
