//go:build linux

package main

import (
	"fmt"
	"slices"

	"govor/tests/load/generator"
)

// metric reads one figure out of a result.
type metric struct {
	name string
	of   func(generator.Result) float64
}

var (
	cpu         = metric{"CPU us per delivery", func(r generator.Result) float64 { return r.CPU }}
	throughput  = metric{"deliveries/s", func(r generator.Result) float64 { return r.PerSecond }}
	p99         = metric{"p99 ms", func(r generator.Result) float64 { return r.Latency.P99 / 1e3 }}
	idleMemory  = metric{"KiB per connection", perConnection}
	connects    = metric{"connects/s", func(r generator.Result) float64 { return r.ConnectsPerSecond }}
	residentMiB = metric{"MiB resident", func(r generator.Result) float64 { return r.MemoryEnd / 1024 }}
	held        = metric{"KiB resident and TCP", func(r generator.Result) float64 { return r.MemoryEnd + r.TCPEnd }}
	missed      = metric{"lost, twice or astray", func(r generator.Result) float64 { return float64(r.Lost + r.Duplicates + r.Wrong) }}
	ended       = metric{"connections ended", func(r generator.Result) float64 {
		n := 0
		for _, c := range r.Closed {
			n += c
		}
		return float64(n)
	}}
	behindBy = metric{"messages behind after it", func(r generator.Result) float64 { return float64(r.SlowLag) }}
)

// bar is a promise: of a scenario of Govor, alone or as a ratio to another figure of the same round.
type bar struct {
	what     string
	metric   metric
	scenario string
	against  subject // the zero one: the value itself counts
	extra    float64 // not the ratio: the difference to against, by this many
	limit    float64
	atLeast  bool
	shown    bool // no bar, only to be shown
}

var bars = []bar{
	{what: "one room of 1,000, one message in flight", metric: cpu, scenario: single, against: subject{single, peerFloor}, limit: 1.25},
	{what: "", metric: cpu, scenario: single, against: subject{single, peerGorilla}, limit: .65},
	{what: "", metric: cpu, scenario: single, against: subject{single, peerGws}, shown: true},
	{what: "one room of 1,000, 32 in flight", metric: cpu, scenario: saturated, against: subject{saturated, peerGorilla}, limit: .08},
	{what: "", metric: p99, scenario: saturated, against: subject{saturated, peerGorilla}, limit: .25},
	{what: "", metric: cpu, scenario: saturated, against: subject{saturated, peerGws}, shown: true},
	{what: "", metric: throughput, scenario: saturated, against: subject{saturated, peerGorilla}, shown: true},
	{what: "500 rooms of 3", metric: cpu, scenario: smallRooms, against: subject{smallRooms, peerGorilla}, limit: 1.2},
	{what: "", metric: cpu, scenario: smallRooms, against: subject{smallRooms, peerGws}, shown: true},
	{what: "1,000 members, 50 messages/s", metric: p99, scenario: steady, against: subject{steady, peerGorilla}, limit: .8},
	{what: "", metric: p99, scenario: steady, against: subject{steady, peerGws}, shown: true},
	{what: "10,000 idle, guests", metric: idleMemory, scenario: idleGuests, limit: 2},
	{what: "", metric: idleMemory, scenario: idleGuests, against: subject{idleGuests, peerGorilla}, shown: true},
	{what: "", metric: idleMemory, scenario: idleGuests, against: subject{idleGuests, peerGws}, shown: true},
	{what: "", metric: connects, scenario: idleGuests, against: subject{idleGuests, peerGorilla}, limit: 1, atLeast: true},
	{what: "10,000 idle, logged in", metric: idleMemory, scenario: idleLogins, limit: 2},
	{what: "", metric: connects, scenario: idleLogins, against: subject{idleGuests, peerGorilla}, limit: 1, atLeast: true},
	{what: "18,000 idle and 1,000 at 20/s", metric: missed, scenario: activeIdle},
	{what: "", metric: residentMiB, scenario: activeIdle, limit: 80},
	{what: "", metric: p99, scenario: activeIdle, against: subject{active, peerGovor}, limit: 1.3},
	{what: "20 % of 1,000 stalled", metric: p99, scenario: withStalled, against: subject{eightHundred, peerGovor}, limit: 1.15},
	{what: "", metric: held, scenario: withStalled, against: subject{eightHundred, peerGovor}, extra: stalledMembers, limit: 192},
	{what: "hostile Markdown beside it", metric: p99, scenario: activeWild, against: subject{active, peerGovor}, limit: 1.15},
	{what: "a room of two beside a flood in one of 10,000", metric: p99, scenario: pairFlood, against: subject{pair, peerGovor}, shown: true},
	{what: "1 kB/s in a room of 1 MB/s for 60 s", metric: ended, scenario: slowReader},
	{what: "", metric: missed, scenario: slowReader},
	{what: "", metric: behindBy, scenario: slowReader, limit: 1, atLeast: true},
}

// figures are the values of one bar over the rounds.
type figures struct{ ours, theirs, ratio []float64 }

func (b *bench) figures(c bar, peer string) figures {
	var f figures
	against := c.against
	if against.peer == peerGovor {
		against.peer = peer // the driver is compared with itself
	}
	for _, round := range b.results {
		ours, ok := round[subject{c.scenario, peer}]
		if !ok {
			continue
		}
		value := c.metric.of(ours)
		if c.against == (subject{}) {
			f.ours, f.ratio = append(f.ours, value), append(f.ratio, value)
			continue
		}
		theirs, ok := round[against]
		if !ok {
			continue
		}
		other := c.metric.of(theirs)
		f.ours, f.theirs = append(f.ours, value), append(f.theirs, other)
		switch {
		case c.extra > 0:
			f.ratio = append(f.ratio, (value-other)/c.extra)
		case other > 0:
			f.ratio = append(f.ratio, value/other)
		}
	}
	return f
}

// verdict is one row of the table of ratios, as it stands in the file of results.
type verdict struct {
	What    string  `json:"what"`
	Metric  string  `json:"metric"`
	Peer    string  `json:"peer"`
	Against string  `json:"against,omitempty"`
	Ours    float64 `json:"ours"`
	Theirs  float64 `json:"theirs"`
	Ratio   float64 `json:"ratio"`
	Least   float64 `json:"least"`
	Most    float64 `json:"most"`
	Bar     string  `json:"bar"`
	OK      string  `json:"ok"`
}

func (c bar) verdict(f figures) verdict {
	v := verdict{
		Metric: c.metric.name, Ours: median(f.ours), Theirs: median(f.theirs), Ratio: median(f.ratio),
		Least: slices.Min(f.ratio), Most: slices.Max(f.ratio),
	}
	switch {
	case c.against == (subject{}):
	case c.against.peer == peerGovor:
		v.Against = c.against.scenario
	default:
		v.Against = c.against.peer
	}
	if c.extra > 0 {
		v.Against += fmt.Sprintf(", for each of %.0f", c.extra)
	}
	if c.shown {
		return v
	}
	v.Bar, v.OK = "≤ "+format(c.limit), "ok"
	if c.atLeast {
		v.Bar = "≥ " + format(c.limit)
	}
	if c.atLeast && v.Ratio < c.limit || !c.atLeast && v.Ratio > c.limit {
		v.OK = "MISSED"
	}
	return v
}
