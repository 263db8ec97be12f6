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

// column is a figure of the table of absolute values.
type column struct {
	metric
	when func(generator.Spec) bool
}

func talks(s generator.Spec) bool    { return s.Publishers > 0 }
func idles(s generator.Spec) bool    { return s.Idle > 0 }
func always(generator.Spec) bool     { return true }
func ms(us float64) float64          { return us / 1e3 }
func share(v float64) float64        { return 100 * v }
func p50(r generator.Result) float64 { return ms(r.Latency.P50) }

var columns = []column{
	{cpu, talks},
	{throughput, talks},
	{metric{"p50 ms", p50}, talks},
	{p99, talks},
	{metric{"all have it, p99 ms", func(r generator.Result) float64 { return ms(r.Completion.P99) }}, talks},
	{metric{"frames per read", func(r generator.Result) float64 { return r.FramesPerRead }}, talks},
	{metric{"server's core %", func(r generator.Result) float64 { return share(r.ServerShare) }}, talks},
	{metric{"others on it %", func(r generator.Result) float64 { return share(r.OthersShare) }}, talks},
	{metric{"members' core %", func(r generator.Result) float64 { return share(r.LoadShare) }}, talks},
	{idleMemory, idles},
	{connects, always},
	{metric{"join p99 ms", func(r generator.Result) float64 { return ms(r.Join.P99) }}, always},
	{metric{"CPU us per connect", func(r generator.Result) float64 { return r.ConnectCPU }}, always},
	{missed, talks},
	{ended, always},
}

// absolute prints what was measured, medians of the rounds.
func (b *bench) absolute(w io.Writer) {
	head, rule := "| scenario | peer |", "|---|---|"
	for _, c := range columns {
		head, rule = head+" "+c.name+" |", rule+"--:|"
	}
	fmt.Fprintf(w, "\nMedians of the rounds: %d.\n\n%s\n%s\n", len(b.results), head, rule)
	for _, s := range b.plan {
		for _, peer := range s.peers {
			fmt.Fprintf(w, "| %s | %s |", s.name, peer)
			for _, c := range columns {
				if c.when(s.crowd) {
					fmt.Fprintf(w, " %s |", format(b.median(subject{s.name, peer}, c.of)))
				} else {
					fmt.Fprint(w, " |")
				}
			}
			fmt.Fprintln(w)
		}
	}
	if n := b.disturbance(); n > .1 {
		fmt.Fprintf(w, "\nOther programs had %.0f %% of the servers' core: rates and latencies are theirs as much as the peers'.\n", 100*n)
	}
	fmt.Fprintln(w)
	for _, s := range b.plan {
		fmt.Fprintf(w, "- %s: %s\n", s.name, s.about)
	}
}

// disturbance is the share of the servers' core that other programs had, the median of all that was measured.
func (b *bench) disturbance() float64 {
	var all []float64
	for _, round := range b.results {
		for _, r := range round {
			if r.Deliveries > 0 {
				all = append(all, r.OthersShare)
			}
		}
	}
	return median(all)
}

// median is the one of a figure over the rounds.
func (b *bench) median(s subject, of func(generator.Result) float64) float64 {
	var all []float64
	for _, round := range b.results {
		if r, ok := round[s]; ok {
			all = append(all, of(r))
		}
	}
	return median(all)
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

// format shows three digits that count.
func format(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1 || v <= -1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}
