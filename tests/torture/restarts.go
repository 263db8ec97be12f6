//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// Bounds of a restart in place.
const (
	exitWithin    = 10 * time.Second        // from SIGUSR2 or TERM to the end of the process
	ackedWithin   = 10 * time.Second        // from when something was said to its receipt, whatever restarts in between
	answerWithin  = 1500 * time.Millisecond // of a page that is asked for while there is no process
	roomOf        = 20                      // clients in a room
	sayEvery      = 2 * time.Second         // of each client, on average
	settledBefore = 500 * time.Millisecond  // after everybody is back, until the next restart
)

// restartAgain restarts the server in place, again and again, under the load of many clients of whom nothing goes wrong:
// nobody is refused, nothing that is said is refused, and everything has its receipt soon.
func restartAgain(ctx context.Context, o options, restarts, clients, events int) error {
	fmt.Printf("%d restarts under the load of %d clients, with %d messages in the file\n", restarts, clients, events)
	fill := func(ctx context.Context, w *world) error { return w.seed(ctx, events) }
	return inPeace(ctx, o, "256k", fill, func(ctx context.Context, w *world, p *process) error {
		return w.restartUnder(ctx, p, restarts, clients)
	})
}

// restartUnder restarts under the load of clients, and judges how long pages and receipts took.
func (w *world) restartUnder(ctx context.Context, p *process, restarts, clients int) error {
	w.crowd(ctx, clients)
	probing, stopProbe := context.WithCancel(ctx)
	defer stopProbe()
	longest := make(chan time.Duration, 1)
	w.running.Go(func() { longest <- w.probe(probing) })
	for n := range restarts {
		if err := w.restartOnce(ctx, p, n+1); err != nil {
			return err
		}
	}
	stopProbe()
	wait := <-longest
	if err := w.finish(ctx, p); err != nil {
		return err
	}
	fmt.Printf("a page waited for at most %v, a receipt for %v\n", wait.Round(time.Millisecond), w.ledger.slow.Round(time.Millisecond))
	switch {
	case wait > answerWithin:
		return &violation{restart, fmt.Sprintf("a page took %v, more than %v", wait, answerWithin)}
	case w.ledger.slow > ackedWithin:
		return &violation{restart, fmt.Sprintf("something was acknowledged after %v, more than %v", w.ledger.slow, ackedWithin)}
	}
	fmt.Printf("%d messages, %d receipts of which %d after a retry, %d shown; nobody was refused, every promise held\n",
		len(w.ledger.byKey), w.ledger.receipts.Load(), w.ledger.duplicates.Load(), w.ledger.deliveries.Load())
	return nil
}

// seed fills the data directory with messages.
func (w *world) seed(ctx context.Context, events int) error {
	if events == 0 {
		return nil
	}
	w.seeded = true
	out, err := exec.CommandContext(ctx, "go", "run", "govor/tests/seed", "--dir", w.data, "--events", strconv.Itoa(events)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("fill the data directory: %w\n%s", err, out)
	}
	return nil
}

// crowd starts clients of whom nothing goes wrong: programs, and a page for every twenty of them.
func (w *world) crowd(ctx context.Context, clients int) {
	ctx, w.stop = context.WithCancel(ctx)
	for i := range clients {
		w.add(ctx, &client{
			name: fmt.Sprintf("c%d", i), html: i%roomOf == 0, rooms: []string{fmt.Sprintf("crowd%d", i/roomOf)}, pace: sayEvery, well: true,
		})
	}
}

// restartOnce waits until everybody is there, and restarts.
func (w *world) restartOnce(ctx context.Context, p *process, n int) error {
	for begun := time.Now(); w.absent() > 0; {
		if err := w.wait(ctx, p, 10*time.Millisecond); err != nil {
			return err
		}
		if time.Since(begun) > patience {
			return &violation{restart, fmt.Sprintf("%d clients are not back after %v", w.absent(), patience)}
		}
	}
	if err := w.wait(ctx, p, settledBefore); err != nil {
		return err
	}
	for _, c := range w.clients {
		c.back.Store(false)
	}
	receipts, begun := w.ledger.receipts.Load(), time.Now()
	if err := w.replace(ctx, p); err != nil {
		return err
	}
	took := time.Since(begun)
	fmt.Printf("restart %d: ready again after %v\n", n, took.Round(time.Millisecond))
	if took > exitWithin {
		return &violation{restart, fmt.Sprintf("a restart took %v, more than %v", took, exitWithin)}
	}
	for w.ledger.receipts.Load() == receipts {
		if err := w.wait(ctx, p, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// absent is how many clients have not joined their room since the last restart.
func (w *world) absent() (n int) {
	for _, c := range w.clients {
		if !c.back.Load() {
			n++
		}
	}
	return n
}

// finish lets everything be answered and ends the server.
func (w *world) finish(ctx context.Context, p *process) error {
	w.calm.Store(true)
	if err := w.settle(ctx, p); err != nil {
		return err
	}
	w.over.Store(true)
	begun := time.Now()
	if err := p.terminate(w.log.tail); err != nil {
		return err
	}
	took := time.Since(begun)
	fmt.Printf("ended by TERM after %v\n", took.Round(time.Millisecond))
	w.stop()
	w.running.Wait()
	if took > exitWithin {
		return &violation{restart, fmt.Sprintf("the end took %v, more than %v", took, exitWithin)}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(w.log.check(), w.look(ctx, true))
}

// probe asks for a page over a new connection each time, until ctx ends, and returns the longest wait.
func (w *world) probe(ctx context.Context) (longest time.Duration) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	for ctx.Err() == nil {
		begun := time.Now()
		req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, "http://"+w.addr+"/healthz", nil)
		if err != nil {
			panic(err) // the address is ours
		}
		resp, err := client.Do(req)
		if err != nil {
			w.ledger.breaks(restart, "a page could not be had: %v", err)
			return longest
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			w.ledger.breaks(restart, "a page was answered with %s", resp.Status)
		}
		longest = max(longest, time.Since(begun))
		pause(ctx, 10*time.Millisecond)
	}
	return longest
}

// replace has the program replace itself under load.
func (w *world) replace(ctx context.Context, p *process) error {
	before := w.log.starts()
	w.listening.Store(int64(before) + 1)
	defer w.listening.Store(0)
	if err := syscall.Kill(p.pid, syscall.SIGUSR2); err != nil {
		return err
	}
	return w.awaitReady(ctx, p, before)
}
