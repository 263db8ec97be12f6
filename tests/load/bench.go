//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"govor/tests/load/generator"
)

// bench is a run of everything.
type bench struct {
	options

	lines   *json.Encoder
	cookies []string
	schema  int // how many migrations the seed has: an older one would be migrated in every round
	stopped atomic.Bool

	plan    []scenario
	results []map[subject]generator.Result // of each round
	failed  []error
}

// subject is what has a result in each round.
type subject struct{ scenario, peer string }

// line is one result in the file of results.
type line struct {
	Round      int               `json:"round"`
	Scenario   string            `json:"scenario"`
	Peer       string            `json:"peer"`
	Result     generator.Result  `json:"result"`
	Background *generator.Result `json:"background,omitempty"`
}

func (b *bench) path(name string) string { return filepath.Join(b.out, name) }
func (b *bench) dataDir() string         { return b.path("data") }
func (b *bench) seedDir() string         { return b.path(fmt.Sprintf("seed-%d-v%d", b.events, b.schema)) }

var errStopped = errors.New("interrupted")

// runAll runs everything, peers of one scenario one after the other, and each round begins with another of them.
func (b *bench) runAll() error {
	b.plan = b.chosen()
	for round := range b.rounds {
		b.results = append(b.results, map[subject]generator.Result{})
		if err := b.restore(); err != nil {
			return err
		}
		for _, s := range b.plan {
			if s.full && round > 0 {
				continue
			}
			for i := range s.peers {
				if b.stopped.Load() {
					return errStopped
				}
				peer := s.peers[(i+round)%len(s.peers)]
				fmt.Fprintf(os.Stderr, "round %d/%d  %-14s %-9s", round+1, b.rounds, s.name, peer)
				if err := b.measure(round, s, peer); err != nil {
					b.failed = append(b.failed, fmt.Errorf("%s of %s: %w", s.name, peer, err))
					fmt.Fprintln(os.Stderr, "", err)
				}
			}
		}
	}
	return nil
}

// measure runs one scenario with one peer in a process of its own.
func (b *bench) measure(round int, s scenario, peer string) error {
	srv, err := b.serve(peer)
	if err != nil {
		return err
	}
	defer srv.stop()
	l := line{Round: round, Scenario: s.name, Peer: peer}
	var behind *crowd
	if s.background != nil {
		if behind, err = b.gather(b.behind(s, peer, srv)); err != nil {
			return fmt.Errorf("in the background: %w", err)
		}
	}
	l.Result, err = b.foreground(s, peer, srv)
	if behind != nil {
		r, e := behind.result(true)
		l.Background, err = &r, errors.Join(err, e)
	}
	if err != nil {
		return err
	}
	return b.keep(l)
}

func (b *bench) behind(s scenario, peer string, srv *server) generator.Spec {
	spec := *s.background
	spec.Port, spec.Dialect = srv.port, dialect(peer)
	if s.page {
		spec.Dialect, spec.Cookies = pageDialect, b.cookies[:spec.Members]
	}
	return spec
}

func (b *bench) foreground(s scenario, peer string, srv *server) (generator.Result, error) {
	spec := s.crowd
	spec.Port, spec.PID, spec.Core, spec.Dialect = srv.port, srv.cmd.Process.Pid, b.serverCore, dialect(peer)
	if s.login {
		spec.Dialect.Origin, spec.Cookies = true, b.cookies[:spec.Members]
	}
	members, err := b.gather(spec)
	if err != nil {
		return generator.Result{}, err
	}
	return members.result(false)
}

// keep remembers a result, writes it down and shows it in a line.
func (b *bench) keep(l line) error {
	b.results[l.Round][subject{l.Scenario, l.Peer}] = l.Result
	r := l.Result
	if r.Deliveries > 0 {
		fmt.Fprintf(os.Stderr, " %7.2f us/delivery %9.0f/s  p50 %7.2f p99 %7.2f ms", r.CPU, r.PerSecond, r.Latency.P50/1e3, r.Latency.P99/1e3)
	} else {
		fmt.Fprintf(os.Stderr, " %7.2f KiB/connection %6.0f connects/s", perConnection(r), r.ConnectsPerSecond)
	}
	if bad := l.bad(); bad != "" {
		fmt.Fprint(os.Stderr, "  ", bad)
		if isGovor(l.Peer) {
			b.failed = append(b.failed, fmt.Errorf("%s of %s: %s", l.Scenario, l.Peer, bad))
		}
	}
	fmt.Fprintln(os.Stderr)
	if err := b.lines.Encode(l); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// bad says what must not have happened; empty if it did not.
func (l line) bad() string {
	all := ""
	for _, r := range []*generator.Result{&l.Result, l.Background} {
		if r == nil {
			continue
		}
		if r.Lost+r.Duplicates+r.Wrong > 0 {
			all += fmt.Sprintf("%d lost, %d twice, %d astray of %d; ", r.Lost, r.Duplicates, r.Wrong, r.Expected)
		}
		if len(r.Closed) > 0 {
			all += fmt.Sprintf("closed: %v; ", r.Closed)
		}
		if r.Stalls > 0 {
			all += fmt.Sprintf("%d stalls; ", r.Stalls)
		}
	}
	return strings.TrimSuffix(all, "; ")
}

func perConnection(r generator.Result) float64 {
	return (r.MemoryIdle - r.MemoryStart) / float64(max(r.Connected, 1))
}
