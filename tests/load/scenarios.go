//go:build linux

package main

import (
	"slices"
	"syscall"
	"time"

	"govor/tests/load/generator"
)

// scenario is one thing that is measured, with each of its peers.
type scenario struct {
	name  string
	about string
	peers []string
	full  bool // in one round of a full run only: it takes long

	crowd      generator.Spec
	login      bool // every member has a login cookie
	background *generator.Spec
	page       bool // those in the background are pages
}

// The names of the scenarios, where others speak of them.
const (
	single       = "S1u"
	saturated    = "S1"
	smallRooms   = "S2"
	steady       = "S3"
	idleGuests   = "S4"
	idleLogins   = "S4-login"
	active       = "active"
	activeIdle   = "active+idle"
	activeWild   = "active+hostile"
	eightHundred = "others"
	withStalled  = "others+stalled"
	pair         = "pair"
	pairFlood    = "pair+flood"
	slowReader   = "slow"
)

// stalledMembers is 20 % of 1,000.
const stalledMembers = 200

// scenarios are all there are, in the order in which they run. d is the measured time of a talk.
func scenarios(d time.Duration, quick bool) []scenario {
	hubs := []string{peerGorilla, peerGws, peerGovor}
	ours := []string{peerGovor}
	warm := min(d, time.Second)
	longer := pick(quick, 2*d, d+7*time.Second) // for latencies of few messages: a 99th percentile is to be more than the slowest one
	talk := func(s generator.Spec) generator.Spec {
		s.RoomPrefix, s.NamePrefix, s.Drain = "room-", "u", 10*time.Second
		if s.Size == 0 {
			s.Size = 100
		}
		if s.Measure == 0 {
			s.Measure, s.Warm = d, warm
		}
		return s
	}
	quiet := func(n, rooms int) generator.Spec {
		return generator.Spec{Members: n, Rooms: rooms, RoomPrefix: "room-", NamePrefix: "u", Idle: pick(quick, 2*time.Second, 3*time.Second)}
	}
	behind := func(s generator.Spec) *generator.Spec {
		s.RoomPrefix, s.NamePrefix, s.Background = "other-", "b", true
		s.Drain = 20 * time.Second
		return &s
	}
	thousand := talk(generator.Spec{Members: 1000, Rooms: 1, Publishers: 5, Rate: 20, Warm: warm, Measure: longer})
	two := talk(generator.Spec{Members: 2, Rooms: 1, Publishers: 1, Rate: 100, Warm: warm, Measure: longer})
	large := talk(generator.Spec{Members: 1000 - stalledMembers, Rooms: 1, Publishers: 5, Rate: 50, Size: 2000, Warm: 3 * time.Second, Measure: longer})
	stalled := large
	stalled.Members, stalled.Stuck = 1000, stalledMembers
	slow := talk(generator.Spec{
		Members: 20, Rooms: 1, Publishers: 2, Rate: 250, Size: 4000, Slow: 1, SlowRate: 1000,
		Warm: time.Second, Measure: 60 * time.Second,
	})
	slow.Drain = 60 * time.Second
	return []scenario{
		{name: single, about: "one room of 1,000, one message in flight", peers: append([]string{peerFloor}, hubs...), crowd: talk(generator.Spec{Members: 1000, Rooms: 1, Publishers: 1, Window: 1})},
		{name: saturated, about: "one room of 1,000, 4 publishers with 8 in flight each", peers: hubs, crowd: talk(generator.Spec{Members: 1000, Rooms: 1, Publishers: 4, Window: 8})},
		{name: smallRooms, about: "500 rooms of 3, one publisher each with 2 in flight", peers: hubs, crowd: talk(generator.Spec{Members: 1500, Rooms: 500, Publishers: 1, Window: 2})},
		{name: steady, about: "one room of 1,000, 50 messages a second from 5 publishers", peers: hubs, crowd: talk(generator.Spec{Members: 1000, Rooms: 1, Publishers: 5, Rate: 50, Warm: warm, Measure: longer})},
		{name: idleGuests, about: "10,000 idle in 1,000 rooms, guests", peers: hubs, crowd: quiet(10_000, 1000)},
		{name: idleLogins, about: "10,000 idle in 1,000 rooms, each with a login", peers: ours, crowd: quiet(10_000, 1000), login: true},
		{name: active, about: "one room of 1,000 at 20 messages a second", peers: ours, crowd: thousand},
		{name: activeIdle, about: "the same beside 18,000 idle members", peers: ours, crowd: thousand, background: behind(generator.Spec{Members: idleMembers(), Rooms: 1000})},
		{name: activeWild, about: "the same beside a room with 50 hostile texts of 8 KB a second", peers: ours, crowd: thousand, page: true, background: behind(generator.Spec{Members: 2, Rooms: 1, Publishers: 1, Rate: 50, Size: 8000, Hostile: true})},
		{name: eightHundred, about: "one room of 800, 50 messages of 2 KB a second", peers: ours, crowd: large},
		{name: withStalled, about: "the same with 200 more, who never read", peers: ours, crowd: stalled},
		{name: pair, about: "a room of two, 100 messages a second", peers: ours, crowd: two},
		{name: pairFlood, about: "the same beside a flood in a room of 10,000", peers: ours, crowd: two, background: behind(generator.Spec{Members: 10_000, Rooms: 1, Publishers: 4, Window: 8, Size: 100})},
		{name: slowReader, about: "one of 20 reads 1 kB a second of 1 MB a second, for a minute", peers: ours, full: true, crowd: slow},
	}
}

// idleMembers is 18,000, or what the limit of open files leaves room for.
func idleMembers() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1000
	}
	return int(min(18_000, max(limit.Max, 2500)-1500))
}

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios(time.Second, true) {
		names = append(names, s.name)
	}
	return names
}

// chosen are the scenarios and peers of a run.
func (b *bench) chosen() []scenario {
	var list []scenario
	for _, s := range scenarios(b.seconds, b.quick) {
		if b.scenarios != nil && !slices.Contains(b.scenarios, s.name) || b.quick && s.full && b.scenarios == nil {
			continue
		}
		if b.peers != nil {
			s.peers = slices.DeleteFunc(s.able(), func(p string) bool { return !slices.Contains(b.peers, p) })
		}
		if len(s.peers) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// able are those who could run a scenario: variants of its peers run if they are asked for by name only.
func (s scenario) able() []string {
	all := slices.Clone(s.peers)
	for variant, peer := range map[string]string{peerPortable: peerGovor, peerBefore: peerGovor, peerJoining: peerGorilla} {
		if slices.Contains(s.peers, peer) {
			all = append(all, variant)
		}
	}
	return all
}
