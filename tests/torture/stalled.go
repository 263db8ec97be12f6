//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// A measurement of what stalled sockets cost the others.
const (
	readers     = 200
	stalledPart = 5 // every fifth of them takes nothing
	perSecond   = 50
	textSize    = 2000 // so that a socket that takes nothing is full soon
	messages    = 250  // of a measurement
	costAtMost  = 1.15 // p99 of the others, with stalled sockets, divided by that without
)

// stalled measures how long messages take to readers, with a fifth of the sockets of the room stalled and without, in
// interleaved pairs. Who was stalled reads on afterwards, and must get everything.
func stalled(ctx context.Context, o options, pairs int) error {
	fmt.Printf("%d pairs: %d readers of %d messages a second, all well, and with %d of them stalled\n", pairs, readers, perSecond, readers/stalledPart)
	return inPeace(ctx, o, "256k", nil, func(ctx context.Context, w *world, p *process) error { return w.compare(ctx, p, pairs) })
}

// compare measures so many pairs.
func (w *world) compare(ctx context.Context, p *process, pairs int) (err error) {
	var ratios []float64
	for n := range pairs {
		var p99 [2]time.Duration // well, stalled
		for _, k := range [2]int{n % 2, 1 - n%2} {
			h := &hall{world: w, room: fmt.Sprintf("hall%d-%d", n, k), stalls: k == 1}
			if p99[k], err = h.measure(ctx, p); err != nil {
				return err
			}
		}
		ratios = append(ratios, float64(p99[1])/float64(p99[0]))
		fmt.Printf("pair %d: p99 %v without and %v with stalled sockets: ×%.2f\n", n+1, p99[0].Round(10*time.Microsecond), p99[1].Round(10*time.Microsecond), ratios[n])
	}
	if err := p.terminate(w.log.tail); err != nil {
		return err
	}
	slices.Sort(ratios)
	median := ratios[len(ratios)/2]
	fmt.Printf("the others' p99 with stalled sockets is ×%.2f (median; at most %.2f); all that were stalled got everything\n", median, costAtMost)
	if median > costAtMost {
		return &violation{slowReader, fmt.Sprintf("the others' p99 is ×%.2f with stalled sockets", median)}
	}
	return nil
}

// hall is a room full of readers.
type hall struct {
	world  *world
	room   string
	stalls bool // a fifth of them takes nothing
	gate   chan struct{}

	mu   sync.Mutex // guards the fields below
	took []time.Duration
}

// measure fills the hall, speaks, and returns the p99 of how long a message took to those who read.
func (h *hall) measure(ctx context.Context, p *process) (time.Duration, error) {
	ctx, leave := context.WithCancel(ctx)
	var reading, ready sync.WaitGroup
	defer reading.Wait()
	defer leave()
	h.gate = make(chan struct{})
	open := sync.OnceFunc(func() { close(h.gate) })
	defer open()
	for i := range readers {
		ready.Add(1)
		reading.Go(func() { h.read(ctx, i%stalledPart == 0, sync.OnceFunc(ready.Done)) })
	}
	ready.Wait()
	if err := h.speak(ctx, p); err != nil {
		return 0, err
	}
	open()
	done := make(chan struct{})
	go func() { // ends when everybody has everything, or with ctx
		reading.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		return 0, &violation{slowReader, fmt.Sprintf("%v after they could read again, some have not got everything", patience)}
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	slices.Sort(h.took)
	return h.took[len(h.took)*99/100], nil
}

// read reads the room from its beginning until it has everything. One that stalls takes nothing until the gate opens. Only
// the others' times count, and the same ones in both halls.
func (h *hall) read(ctx context.Context, mayStall bool, ready func()) {
	defer ready()
	r := &reader{hall: h, counts: !mayStall, stalls: mayStall && h.stalls, ready: ready}
	for ctx.Err() == nil && r.seq < messages {
		conn, err := h.world.dial(ctx, wireFault{small: r.stalls})
		if err != nil {
			return
		}
		ws, err := h.world.upgrade(ctx, conn, "govor.v1.json", "", url.Values{"room": {h.room}})
		if err != nil {
			h.world.ledger.breaks(slowReader, "a reader was refused: %v", err)
			return
		}
		r.talk(ctx, ws)
		_ = ws.CloseNow()
	}
}

// reader is one of the hall's.
type reader struct {
	*hall
	counts bool // its times do
	stalls bool
	ready  func()
	seq    int64
	id     string
}

// talk goes on after the last message that it has, until the connection ends or it has everything.
func (r *reader) talk(ctx context.Context, ws *websocket.Conn) {
	hello := fmt.Sprintf(`{"type":"hello","rooms":{%q:{"after":%d,"id":%q}}}`, r.room, r.seq, r.id)
	_ = ws.Write(ctx, websocket.MessageText, []byte(hello))
	if r.stalls {
		r.ready()
		select {
		case <-r.gate:
		case <-ctx.Done():
		}
	}
	for r.seq < messages {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return
		}
		var f frame
		if json.Unmarshal(data, &f) != nil {
			r.world.ledger.breaks(noGap, "a frame is not JSON: %s", data)
		}
		switch {
		case f.Type == "joined":
			r.ready()
		case f.Type == "reset" || f.Type == "message" && f.Seq != r.seq+1:
			r.world.ledger.breaks(noGap, "a reader of %s has %d and gets %.200s", r.room, r.seq, data)
		case f.Type == "message":
			r.seq, r.id = f.Seq, f.ID
			if r.counts {
				r.note(f.Text)
			}
		}
	}
}

// note takes the time that a message took.
func (h *hall) note(text string) {
	stamp, _, _ := strings.Cut(text, " ")
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.took = append(h.took, time.Since(time.Unix(0, at)))
}

// speak says something again and again. The room is new, so the last message has the number messages.
func (h *hall) speak(ctx context.Context, p *process) error {
	ws, err := h.world.websocket(ctx, wireFault{}, "govor.v1.json", "", url.Values{"room": {h.room}})
	if err != nil {
		return err
	}
	defer func() { _ = ws.CloseNow() }()
	receipts := make(chan struct{}, 64)
	h.world.running.Go(func() { // ends with the connection
		defer close(receipts)
		for {
			_, data, err := ws.Read(ctx)
			if err != nil {
				return
			}
			var f frame
			if json.Unmarshal(data, &f) == nil && f.Type == "ack" {
				receipts <- struct{}{}
			}
		}
	})
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	filler := strings.Repeat("x", textSize)
	for n, acked := 0, 0; acked < messages; {
		select {
		case <-tick.C:
			if n == messages {
				continue
			}
			n++
			text := fmt.Sprintf(`{"type":"send","text":"%d %s"}`, time.Now().UnixNano(), filler)
			if err := ws.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
				return err
			}
		case _, ok := <-receipts:
			if !ok {
				return errors.New("the speaker was cut")
			}
			acked++
		case <-p.exited:
			return errors.New("the server has ended")
		}
	}
	return nil
}
