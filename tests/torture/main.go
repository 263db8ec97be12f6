//go:build linux

// Command torture runs a server of this program, dozens of clients and everything that can go wrong between them, and
// then compares what each client was told with what the file holds. It knows the protocol and the schema of the file
// and imports nothing of the program: one mistake is not made twice.
//
//	go run ./tests/torture --duration 30s --seed 7
//	go run ./tests/torture --mutant nosync      # must fail: a build that breaks one promise
//	go run ./tests/torture --soak --duration 5m
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// mutants are the build tags (mutant_NAME) that break a promise each, first those that take longest to be found out: the
// others are built meanwhile.
var mutants = []string{"goon", "stale", "nosync", "onepage", "keeptext", "noend", "seam", "noindex", "earlyack", "reorder"}

func main() {
	duration := flag.Duration("duration", 30*time.Second, "how long everything goes wrong; the end and the last check come on top")
	seed := flag.Uint64("seed", 0, "draws the schedule of faults; 0 = a new one, which is printed")
	mutant := flag.String("mutant", "", "build with the tag mutant_NAME: "+strings.Join(mutants, ", "))
	all := flag.Bool("mutants", false, "every mutant in turn; succeeds if each is found out")
	driver := flag.String("driver", "", "portable or loop; both by turns if not given")
	long := flag.Bool("soak", false, "no faults, but a crowd: 10,000 idle and 1,000 in a room of 50 messages a second")
	idle := flag.Int("idle", 10_000, "with --soak: idle connections")
	crowd := flag.Int("crowd", 1000, "with --soak: connections in the room")
	rate := flag.Int("rate", 50, "with --soak: messages a second")
	restarts := flag.Int("restarts", 0, "no faults, but so many restarts in place (SIGUSR2) under the load of many clients")
	clients := flag.Int("clients", 1000, "with --restarts: clients")
	events := flag.Int("events", 0, "with --restarts: messages that are in the file before")
	pairs := flag.Int("stalled", 0, "no faults, but 20 % of the readers take nothing: so many pairs of measurements, with them and without")
	binary := flag.String("binary", "", "a server that is built already")
	keep := flag.Bool("keep", false, "leave the data, the log and the trace behind, also when nothing is broken")
	flag.Parse()

	if *mutant != "" && !slices.Contains(mutants, *mutant) {
		fmt.Fprintf(os.Stderr, "There is no mutant %q; there are %s.\n", *mutant, strings.Join(mutants, ", "))
		os.Exit(2)
	}
	if *seed == 0 {
		*seed = rand.Uint64N(1_000_000) + 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{seed: *seed, duration: *duration, mutant: *mutant, driver: *driver, binary: *binary, keep: *keep}
	var err error
	switch {
	case *long:
		err = soak(ctx, o, *idle, *crowd, *rate)
	case *restarts > 0:
		err = restartAgain(ctx, o, *restarts, *clients, *events)
	case *pairs > 0:
		err = stalled(ctx, o, *pairs)
	case *all:
		err = tortureAll(ctx, o)
	default:
		err = torture(ctx, o)
	}
	var v *violation
	switch {
	case err == nil:
		return
	case errors.As(err, &v):
		fmt.Printf("BROKEN: %v\n", v)
	default:
		fmt.Fprintln(os.Stderr, "torture:", err)
	}
	stop()
	os.Exit(1)
}

type options struct {
	seed     uint64
	duration time.Duration
	mutant   string
	driver   string
	binary   string
	keep     bool
}

// torture is one run: lives of the server, each with its fault and its end, while the clients go on. The error is a
// *violation when a promise was found broken.
func torture(ctx context.Context, o options) (err error) {
	command := fmt.Sprintf("make torture DURATION=%s SEED=%d", o.duration, o.seed)
	if o.mutant != "" {
		command += " MUTANT=" + o.mutant
	}
	fmt.Printf("seed %d; again with: %s\n", o.seed, command)
	w, err := newWorld(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close(err != nil)) }()
	ctx, cancel := context.WithCancelCause(ctx)
	w.ledger.broken = cancel
	defer cancel(nil)

	began := time.Now()
	w.invite(ctx)
	lives := newPlan(o.seed, w.can, o.driver)
	for ctx.Err() == nil && time.Since(began) < o.duration {
		if err := w.live(ctx, lives.next()); err != nil {
			return first(ctx, err)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := w.last(ctx, lives); err != nil {
		return first(ctx, err)
	}
	w.report(time.Since(began))
	return nil
}

// tortureAll runs every mutant, each of which must be found out.
func tortureAll(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "govor-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(ctx)
	builds := buildAll(ctx, o, dir)
	defer func() {
		cancel()
		for range builds { // until it has ended
		}
	}()
	var through []string
	for b := range builds {
		if b.err != nil {
			return b.err
		}
		o.mutant, o.binary = b.mutant, b.binary
		began := time.Now()
		fmt.Printf("== mutant %s\n", o.mutant)
		err := torture(ctx, o)
		var v *violation
		switch {
		case errors.As(err, &v):
			fmt.Printf("== %s was found out in %v: %v\n", o.mutant, time.Since(began).Round(time.Second), v)
		case err == nil:
			through = append(through, o.mutant)
		default:
			return err
		}
	}
	if len(through) > 0 {
		return fmt.Errorf("not found out: %s", strings.Join(through, ", "))
	}
	fmt.Printf("all %d mutants were found out\n", len(mutants))
	return nil
}

// built is a mutant that is ready to run.
type built struct {
	mutant, binary string
	err            error
}

// buildAll builds the mutants in a directory, while others run. It stops after an error, and when ctx ends.
func buildAll(ctx context.Context, o options, dir string) <-chan built {
	builds := make(chan built, len(mutants))
	go func() { // ends with the last one, or with ctx
		defer close(builds)
		for _, name := range mutants {
			b := built{mutant: name}
			o.mutant = name
			in := filepath.Join(dir, name)
			if b.err = os.Mkdir(in, 0o700); b.err == nil {
				b.binary, b.err = build(ctx, o, in)
			}
			select {
			case builds <- b:
			case <-ctx.Done():
				return
			}
			if b.err != nil {
				return
			}
		}
	}()
	return builds
}

// first prefers what a client found broken to what followed from it.
func first(ctx context.Context, err error) error {
	var v *violation
	if errors.As(context.Cause(ctx), &v) {
		return v
	}
	return err
}
