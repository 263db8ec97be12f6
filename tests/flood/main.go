// Command flood measures what a flood from one address does to everybody else: ten people at another address talk in a
// room, with the flood and without it, in interleaved pairs, and the 99th percentile of their messages' way is compared.
// The server has its default limits.
//
//	go run ./tests/flood [--flood pings,logins] [--pairs 5] [--duration 4s] [--max-ratio 1.15]
//
// The flood is a process of its own with the lowest priority: what is measured is what the server spends on it, not what
// its making costs on the same machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/spf13/pflag"
)

func main() {
	names := pflag.StringSlice("flood", floodNames(), "which floods")
	pairs := pflag.Int("pairs", 5, "pairs of runs for each")
	duration := pflag.Duration("duration", 4*time.Second, "of one run")
	limit := pflag.Float64("max-ratio", 1.15, "fail if the median of the pairs is above it; 0 = never")
	be := pflag.String("be", "", "be this flood, against --addr")
	addr := pflag.String("addr", "", "of the server")
	pflag.Parse()
	var err error
	if *be != "" {
		err = flood(context.Background(), *be, *addr)
	} else {
		err = measure(*names, *pairs, *duration, *limit)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "flood:", err)
		os.Exit(1)
	}
}

// measure runs everything and prints a line for each flood.
func measure(names []string, pairs int, duration time.Duration, limit float64) error {
	dir, err := os.MkdirTemp("", "govor-flood")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "govor")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	s, err := startServer(binary, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer s.stop()
	var over []string
	fmt.Printf("%-16s %10s %10s %7s   ratios of %d pairs\n", "flood", "p99 calm", "p99 flood", "median", pairs)
	for _, name := range names {
		var ratios []float64
		var calm, flooded time.Duration
		for range pairs {
			if calm, err = talk(s.addr, duration); err != nil {
				return err
			}
			if flooded, err = talkUnder(name, s.addr, duration); err != nil {
				return err
			}
			ratios = append(ratios, float64(flooded)/float64(calm))
		}
		shown := strings.Trim(fmt.Sprintf("%.2f", ratios), "[]")
		slices.Sort(ratios)
		median := ratios[len(ratios)/2]
		fmt.Printf("%-16s %10v %10v %7.2f   %s\n", name, calm.Round(10*time.Microsecond), flooded.Round(10*time.Microsecond), median, shown)
		if limit > 0 && median > limit {
			over = append(over, name)
		}
	}
	if len(over) > 0 {
		return fmt.Errorf("more than %.2f times as slow under: %s", limit, strings.Join(over, ", "))
	}
	return nil
}

// talkUnder is talk while a process floods the server.
func talkUnder(name, addr string, duration time.Duration) (time.Duration, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command("nice", "-n", "19", self, "--be", name, "--addr", addr)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	p99, err := talk(addr, duration)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return p99, err
}

// talkers are as many as an address may have talk at this pace.
const (
	talkers = 10
	pace    = 250 * time.Millisecond // of one talker's messages
)

// talk has people talk and returns the 99th percentile of the time from sending to seeing, over all who see.
func talk(addr string, duration time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), duration+20*time.Second)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	start := time.Now()
	until, stop := context.WithTimeout(ctx, duration)
	defer stop()
	var conns []*websocket.Conn
	defer func() {
		for _, ws := range conns {
			_ = ws.CloseNow()
		}
	}()
	for i := range talkers {
		ws, _, err := websocket.Dial(ctx, fmt.Sprintf("ws://%s/ws?room=calm&name=talker%d", addr, i), nil)
		if err != nil {
			return 0, fmt.Errorf("somebody cannot come in: %w", err)
		}
		conns = append(conns, ws)
		all.Go(func() { // ends with until
			for n := 0; ; n++ {
				select {
				case <-until.Done():
					return
				case <-time.After(pace):
				}
				if err := ws.Write(ctx, websocket.MessageText, fmt.Appendf(nil, "@%d", time.Since(start))); err != nil {
					if until.Err() != nil { // the reader has closed it
						return
					}
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
					return
				}
			}
		})
		all.Go(func() { // the same
			for {
				_, line, err := ws.Read(until)
				if err != nil {
					return
				}
				var sent time.Duration
				_, text, _ := strings.Cut(string(line), "@")
				if n, _ := fmt.Sscanf(text, "%d", &sent); n == 1 {
					mu.Lock()
					took = append(took, time.Since(start)-sent)
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if failed != nil {
		return 0, fmt.Errorf("somebody was cut: %w", failed)
	}
	if len(took) < 100 {
		return 0, fmt.Errorf("only %d messages were seen", len(took))
	}
	slices.Sort(took)
	return took[len(took)*99/100], nil
}
