//go:build linux

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
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

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// report prints both tables. It fails if something was lost or did not run, and with -strict if a bar was missed.
func (b *bench) report(w io.Writer) error {
	b.absolute(w)
	missed := 0
	for _, peer := range []string{peerGovor, peerPortable} {
		missed += b.ratios(w, peer)
	}
	if missed > 0 && b.strict {
		b.failed = append(b.failed, fmt.Errorf("%d bars missed", missed))
	}
	return errors.Join(b.failed...)
}

// absolute prints what was measured, medians of the rounds.
func (b *bench) absolute(w io.Writer) {
	fmt.Fprintf(w, "\nMedians of %d rounds.\n\n", len(b.results))
	fmt.Fprintln(w, "| scenario | peer | CPU us/delivery | deliveries/s | p50 ms | p99 ms | frames per read | server, load: share of a core | KiB/connection | connects/s | lost, twice, astray | ended |")
	fmt.Fprintln(w, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, s := range b.plan {
		for _, peer := range s.peers {
			of := func(f func(generator.Result) float64) float64 {
				var all []float64
				for _, round := range b.results {
					if r, ok := round[subject{s.name, peer}]; ok {
						all = append(all, f(r))
					}
				}
				return median(all)
			}
			talk := []any{"", "", "", "", "", ""}
			if s.crowd.Publishers > 0 {
				talk = []any{
					format(of(cpu.of)), format(of(throughput.of)), format(of(func(r generator.Result) float64 { return r.Latency.P50 / 1e3 })),
					format(of(p99.of)), format(of(func(r generator.Result) float64 { return r.FramesPerRead })),
					format(of(func(r generator.Result) float64 { return r.ServerShare })) + ", " + format(of(func(r generator.Result) float64 { return r.LoadShare })),
				}
			}
			memory := ""
			if s.crowd.Idle > 0 {
				memory = format(of(perConnection))
			}
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", append(append([]any{s.name, peer}, talk...),
				memory, format(of(connects.of)), format(of(missed.of)), format(of(ended.of)))...)
		}
	}
	fmt.Fprintln(w)
	for _, s := range b.plan {
		fmt.Fprintf(w, "- %s: %s\n", s.name, s.about)
	}
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

// ratios prints the bars of one of our drivers and returns how many were missed.
func (b *bench) ratios(w io.Writer, peer string) int {
	missed, what := 0, ""
	head := fmt.Sprintf("\n| scenario | figure | %s | against | its figure | ratio (least–most) | bar | |\n|---|---|--:|---|--:|--:|--:|---|", peer)
	for _, c := range bars {
		what = cmp.Or(c.what, what)
		f := b.figures(c, peer)
		if len(f.ratio) == 0 {
			continue
		}
		v := c.verdict(f)
		v.What, v.Peer = what, peer
		if v.OK == "MISSED" {
			missed++
		}
		if head != "" {
			fmt.Fprintln(w, head)
			head = ""
		}
		theirs := ""
		if v.Against != "" {
			theirs = format(v.Theirs)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | **%s** (%s–%s) | %s | %s |\n", what, v.Metric, format(v.Ours), v.Against, theirs,
			format(v.Ratio), format(v.Least), format(v.Most), v.Bar, v.OK)
		if err := b.lines.Encode(v); err != nil {
			b.failed = append(b.failed, fmt.Errorf("write results: %w", err))
		}
	}
	return missed
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

// format shows three digits that count.
func format(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	case v >= .1 || v <= -.1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}
