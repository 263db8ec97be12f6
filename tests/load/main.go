//go:build linux

// Command load measures Govor against small hubs on public libraries and against the bare write loop, all in one run.
// README.md says what it does and how to read it.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"govor/tests/load/generator"
)

func main() {
	// Everything is started from this thread: children take over its cores, and end with it.
	runtime.LockOSThread()
	var err error
	if len(os.Args) > 1 && os.Args[1] == generateCommand {
		err = generate()
	} else {
		err = run(os.Args[1:])
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// options are the settings of a run.
type options struct {
	rounds     int
	scenarios  []string
	peers      []string
	quick      bool
	seconds    time.Duration
	events     int
	serverCore int
	loadCore   int
	govor      string
	before     string
	govorFlags []string
	root, out  string
	strict     bool
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 0, "interleaved rounds; medians are shown (default 5, with -quick 1)")
	scenarios := flags.String("scenario", "", "only these, with commas: "+strings.Join(scenarioNames(), ", "))
	only := flags.String("peer", "", "only these, with commas: "+strings.Join(peerNames(), ", "))
	flags.BoolVar(&o.quick, "quick", false, "a short look: one round, a second each, without the slow reader")
	flags.DurationVar(&o.seconds, "duration", 0, "measured time of one talk (default 3s, with -quick 1s)")
	flags.IntVar(&o.events, "events", 1_000_000, "messages in Govor's file before the first run")
	flags.IntVar(&o.serverCore, "server-core", 0, "the core of the servers")
	flags.IntVar(&o.loadCore, "load-core", 1, "the core of the members")
	flags.StringVar(&o.govor, "govor", "", "a Govor that is built already (default: the checkout is built)")
	flags.StringVar(&o.before, "before", "", "another Govor that is built already, the peer before: to see what a change does")
	govorFlags := flags.String("govor-flags", "", "more flags for Govor, with spaces")
	flags.StringVar(&o.root, "root", "", "the checkout (default: two directories up)")
	flags.BoolVar(&o.strict, "strict", false, "fail if a bar is missed, not only if something is lost")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.govorFlags = strings.Fields(*govorFlags)
	if o.rounds == 0 {
		o.rounds = pick(o.quick, 1, 5)
	}
	if o.seconds == 0 {
		o.seconds = pick(o.quick, time.Second, 3*time.Second)
	}
	if o.root == "" {
		o.root = filepath.Join("..", "..")
	}
	var err error
	if o.root, err = filepath.Abs(o.root); err != nil {
		return o, fmt.Errorf("find the checkout: %w", err)
	}
	o.out = filepath.Join(o.root, "tests", "out", "load")
	if o.scenarios, err = choose(*scenarios, scenarioNames()); err != nil {
		return o, err
	}
	o.peers, err = choose(*only, peerNames())
	return o, err
}

// choose is what list names, or all.
func choose(list string, all []string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	names := strings.Split(list, ",")
	for _, n := range names {
		if !slices.Contains(all, n) {
			return nil, fmt.Errorf("%q is none of %s", n, strings.Join(all, ", "))
		}
	}
	return names, nil
}

func pick[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.serverCore == o.loadCore || max(o.serverCore, o.loadCore) >= runtime.NumCPU() {
		return fmt.Errorf("the servers on core %d and the members on core %d of %d: two cores are needed", o.serverCore, o.loadCore, runtime.NumCPU())
	}
	b := &bench{options: o}
	b.watchSignals()
	if err := b.prepare(); err != nil {
		return err
	}
	lines, err := os.Create(filepath.Join(o.root, "tests", "out", "load.jsonl"))
	if err != nil {
		return fmt.Errorf("create the results: %w", err)
	}
	defer func() { _ = lines.Close() }()
	b.lines = json.NewEncoder(lines)
	if err := b.runAll(); err != nil {
		return err
	}
	return b.report(os.Stdout)
}

// watchSignals lets an interrupt end the run between two steps; children end with this process in any case.
func (b *bench) watchSignals() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-c
		b.stopped.Store(true)
		<-c
		os.Exit(1)
	}()
}

// generateCommand makes this program the crowd: a generator.Spec on standard input, "ready" and a generator.Result on
// standard output. The end of the input ends a crowd in the background.
const generateCommand = "generate"

func generate() error {
	in := json.NewDecoder(os.Stdin)
	var spec generator.Spec
	if err := in.Decode(&spec); err != nil {
		return fmt.Errorf("read what to do: %w", err)
	}
	var stop atomic.Bool
	go func() {
		var nothing json.RawMessage
		_ = in.Decode(&nothing)
		stop.Store(true)
	}()
	result, err := generator.Run(spec, func() { fmt.Println("ready") }, &stop)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}
