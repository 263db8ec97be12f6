// Command flood measures what a flood from one address does to everybody else: twenty people at other addresses talk in a
// room, with the flood and without it, in interleaved pairs, and the 99th percentile of their messages' way is compared.
// The server has its default limits.
//
//	go run ./tests/flood [--flood pings,logins] [--pairs 5] [--duration 16s] [--max-ratio 1.15]
//
// What is measured is what the server spends on a flood, not what its making costs on the same machine. So the server has
// one core for itself and for what the kernel does for it (see steer), those who talk and the flood share the other one, and
// those who talk come first there (see hurry).
// A run has some 1,400 messages, so its 99th percentile is that of the fourteenth slowest; with half as many, the medians of the
// same flood are 0.9 one time and 1.2 another. Beside the times stands the processor time of the server, which other programs
// hardly change.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// options are what the command is told.
type options struct {
	names    []string
	pairs    int
	duration time.Duration // of one run
	settle   time.Duration // of the flood, before it
	limit    float64
	profile  string // where profiles of the server go; "" = nowhere
}

func main() {
	var o options
	pflag.StringSliceVar(&o.names, "flood", floodNames(), "which floods")
	pflag.IntVar(&o.pairs, "pairs", 5, "pairs of runs for each")
	pflag.DurationVar(&o.duration, "duration", 16*time.Second, "of one run")
	pflag.DurationVar(&o.settle, "settle", 0, "how long a flood has lasted when a run begins")
	pflag.Float64Var(&o.limit, "max-ratio", 1.15, "fail if the median of the pairs is above it; 0 = never")
	pflag.StringVar(&o.profile, "profile", "", "directory for a profile of the server under each flood")
	be := pflag.String("be", "", "be this flood, against --addr")
	addr := pflag.String("addr", "", "of the server")
	pflag.Parse()
	var err error
	if *be != "" {
		err = flood(context.Background(), *be, *addr)
	} else {
		err = measure(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "flood:", err)
		os.Exit(1)
	}
}

// measure runs everything and prints a line for each flood.
func measure(o options) error {
	dir, err := os.MkdirTemp("", "govor-flood")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "govor")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	if err := pinTo(talkCore); err != nil {
		return err
	}
	if err := hurry(); err != nil {
		fmt.Fprintln(os.Stderr, "flood: those who talk wait for the flood on their core, so times say little (run this as root):", err)
	}
	undo, err := steer(serverCore, talkCore)
	if err != nil {
		fmt.Fprintln(os.Stderr, "flood: the server's disk waits for the flood, so times say little (run this as root):", err)
	} else {
		defer undo()
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
		go func() { // ends with the program
			<-interrupted
			undo()
			os.Exit(1)
		}()
	}
	var over []string
	fmt.Printf("%-16s %9s %9s %6s %7s   %9s %9s   ratios of %d pairs\n", "flood", "p99 calm", "flooded", "ratio", "median", "CPU calm", "flooded", o.pairs)
	for _, name := range o.names {
		median, err := o.pairsOf(binary, dir, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if o.limit > 0 && median > o.limit {
			over = append(over, name)
		}
	}
	if len(over) > 0 {
		return fmt.Errorf("more than %.2f times as slow under: %s", o.limit, strings.Join(over, ", "))
	}
	return nil
}

// pairsOf measures one flood and prints its line: the percentiles of all runs together and the median of the pairs. CPU is
// what the server takes of its core.
func (o options) pairsOf(binary, dir, name string) (median float64, err error) {
	var ratios []float64
	var calm, flooded []result
	for range o.pairs {
		without, with, err := o.pair(binary, dir, name)
		if err != nil {
			return 0, err
		}
		calm, flooded = append(calm, without), append(flooded, with)
		ratios = append(ratios, float64(p99(with.took))/float64(p99(without.took)))
	}
	shown := strings.Trim(fmt.Sprintf("%.2f", ratios), "[]")
	slices.Sort(ratios)
	median = ratios[len(ratios)/2]
	a, b := all(calm), all(flooded)
	fmt.Printf("%-16s %9v %9v %6.2f %7.2f   %8.1f%% %8.1f%%   %s\n", name, p99(a.took).Round(10*time.Microsecond), p99(b.took).Round(10*time.Microsecond),
		float64(p99(b.took))/float64(p99(a.took)), median, 100*a.load, 100*b.load, shown)
	return median, nil
}

// pair measures two servers that are both new: one that has served for a while is not as quick, and the kernel holds what a
// flood has sent, which is read no faster when the flood is over.
func (o options) pair(binary, dir, name string) (without, with result, err error) {
	without, err = onNew(binary, dir, func(s *server) (result, error) {
		return s.watch(func() ([]time.Duration, error) { return talk(s.addr, o.duration) })
	})
	if err == nil {
		with, err = onNew(binary, dir, func(s *server) (result, error) { return o.talkUnder(s, name) })
	}
	return without, with, err
}

// onNew runs something with a new server.
func onNew(binary, dir string, run func(*server) (result, error)) (result, error) {
	data, err := os.MkdirTemp(dir, "data")
	if err != nil {
		return result{}, err
	}
	s, err := startServer(binary, data)
	if err != nil {
		return result{}, err
	}
	defer s.stop()
	return run(s)
}

// result is what runs show.
type result struct {
	took []time.Duration
	load float64 // of the server's core
}

// all is what runs show together: a machine that stands still now and then makes the 99th percentile of a single one a
// matter of luck.
func all(runs []result) (r result) {
	for _, run := range runs {
		r.took = append(r.took, run.took...)
		r.load += run.load / float64(len(runs))
	}
	return r
}

// watch measures what the server takes of its core meanwhile.
func (s *server) watch(run func() ([]time.Duration, error)) (result, error) {
	before, began := cpuOf(s.cmd.Process.Pid), time.Now()
	took, err := run()
	return result{took, float64(cpuOf(s.cmd.Process.Pid)-before) / float64(time.Since(began))}, err
}

// talkUnder is talk while a process floods the server.
func (o options) talkUnder(s *server, name string) (result, error) {
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	cmd := exec.Command(self, "--be", name, "--addr", s.addr)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	<-time.After(o.settle)
	if o.profile != "" {
		go s.profile(filepath.Join(o.profile, strings.ReplaceAll(name, " ", "-")+".pprof"), o.duration)
	}
	return s.watch(func() ([]time.Duration, error) { return talk(s.addr, o.duration) })
}
