//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// flat is how far the server's memory may stray from its middle after the first fifth of a soak.
const flat = 0.05

// soak is the long form: nobody is hurt, but there are many. Every delivery is counted and must be the next one.
func soak(ctx context.Context, o options, idle, crowd, rate int) error {
	fmt.Printf("soak: %d idle and %d in a room of %d messages a second, for %v\n", idle, crowd, rate, o.duration)
	return inPeace(ctx, o, "1M", nil, func(ctx context.Context, w *world, p *process) error {
		return (&sitting{world: w}).sit(ctx, p, idle, crowd, rate)
	})
}

// sit fills the rooms, speaks, and looks at what became of it.
func (s *sitting) sit(ctx context.Context, p *process, idle, crowd, rate int) error {
	w := s.world
	if err := s.seat(ctx, idle, "idle"); err != nil {
		return err
	}
	if err := s.seat(ctx, crowd, "lobby"); err != nil {
		return err
	}
	if err := s.warm(ctx); err != nil {
		return err
	}
	fmt.Printf("%d connections are open, the server has %.1f MiB\n", idle+crowd, mebibytes(p.pid))
	said, memory, err := s.speak(ctx, p, rate, w.o.duration)
	if err == nil {
		err = s.finish(ctx, p, int64(said)*int64(crowd))
	}
	if err != nil {
		return err
	}
	if err := p.terminate(w.log.tail); err != nil {
		return err
	}
	if err := w.look(ctx, true); err != nil {
		return err
	}
	fmt.Printf("%d messages, %d deliveries, none lost, doubled or out of order\n", said, s.deliveries.Load())
	return judge(memory)
}

// sitting is the crowd of a soak.
type sitting struct {
	world      *world
	deliveries atomic.Int64
}

// seat opens n connections in a room.
func (s *sitting) seat(ctx context.Context, n int, room string) error {
	const dialers = 32
	var left atomic.Int64
	left.Store(int64(n))
	var dialing sync.WaitGroup
	failed := make(chan error, dialers)
	for range dialers {
		dialing.Go(func() {
			for left.Add(-1) >= 0 {
				ws, err := s.world.websocket(ctx, wireFault{}, "govor.v1.json", "", url.Values{"room": {room}})
				if err == nil {
					err = ws.Write(ctx, websocket.MessageText, []byte(`{"type":"hello","rooms":{"`+room+`":{"after":0}}}`))
				}
				if err != nil {
					failed <- fmt.Errorf("open a connection: %w", err)
					return
				}
				s.world.running.Go(func() { s.read(ctx, ws, room) })
			}
		})
	}
	dialing.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// read counts what comes. Only the number is looked at: the file says what belongs to it.
func (s *sitting) read(ctx context.Context, ws *websocket.Conn, room string) {
	defer func() { _ = ws.CloseNow() }()
	last := 0
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			if ctx.Err() == nil && !s.world.calm.Load() {
				s.world.ledger.breaks(slowReader, "a connection in %s ended: %v", room, err)
			}
			return
		}
		if !bytes.HasPrefix(data, []byte(`{"type":"message"`)) {
			continue
		}
		_, rest, _ := bytes.Cut(data, []byte(`"seq":`))
		digits, _, _ := bytes.Cut(rest, []byte(","))
		seq, err := strconv.Atoi(string(digits))
		if err != nil || seq != last+1 {
			s.world.ledger.breaks(noGap, "after number %d comes %q", last, data)
			return
		}
		last = seq
		s.deliveries.Add(1)
	}
}

// warm stores as much as the server's database keeps in memory, and somewhat more: what is flat is seen after that.
func (s *sitting) warm(ctx context.Context) error {
	const messages, size = 6000, 8000
	ws, member, err := s.speaker(ctx, "warm")
	if err != nil {
		return err
	}
	defer func() { _ = ws.CloseNow() }()
	acked := make(chan struct{}, maxUnacknowledged)
	s.world.running.Go(func() { s.receipts(ctx, ws, member, acked) })
	for n := 1; n <= messages+maxUnacknowledged; n++ {
		if n > maxUnacknowledged {
			select {
			case <-acked:
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(patience):
				return errors.New("nothing is stored")
			}
		}
		if n <= messages {
			if err := s.say(ctx, ws, member, "warm", n, fmt.Sprintf("warm %d ~ %s", n, strings.Repeat("x", size-20))); err != nil {
				return err
			}
		}
	}
	return nil
}

// speaker opens a connection that only sends.
func (s *sitting) speaker(ctx context.Context, room string) (ws *websocket.Conn, member string, err error) {
	ws, err = s.world.websocket(ctx, wireFault{}, "govor.v1.json", "", url.Values{"name": {"speaker"}, "room": {room}})
	if err != nil {
		return nil, "", err
	}
	_, data, err := ws.Read(ctx)
	if err != nil {
		return nil, "", err
	}
	welcome, err := parseJSON(data)
	if err != nil {
		return nil, "", err
	}
	return ws, welcome[0].Member, nil
}

// say sends one message.
func (s *sitting) say(ctx context.Context, ws *websocket.Conn, member, room string, n int, text string) error {
	m := &said{key: key{member, fmt.Sprintf("%s-%d", room, n)}, kind: saySend, author: "speaker in " + room, n: n, room: room, text: text}
	s.world.ledger.say(m)
	b, err := json.Marshal(map[string]string{"type": "send", "id": m.id, "text": m.text})
	if err != nil {
		return err
	}
	return ws.Write(ctx, websocket.MessageText, b)
}

// speak says something rate times a second, and samples the server's memory in MiB every second.
func (s *sitting) speak(ctx context.Context, p *process, rate int, d time.Duration) (count int, memory []float64, err error) {
	ws, member, err := s.speaker(ctx, "lobby")
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = ws.CloseNow() }()
	s.world.running.Go(func() { s.receipts(ctx, ws, member, nil) })
	rng := stream(s.world.o.seed, "speaker")
	tick, sample, began := time.NewTicker(time.Second/time.Duration(rate)), time.NewTicker(time.Second), time.Now()
	defer tick.Stop()
	defer sample.Stop()
	for count < int(d.Seconds()*float64(rate)) {
		select {
		case <-ctx.Done():
			return count, memory, context.Cause(ctx)
		case <-p.exited:
			return count, memory, errors.New("the server has ended")
		case <-sample.C:
			memory = append(memory, mebibytes(p.pid))
			if len(memory)%30 == 0 {
				fmt.Printf("%3d s: %d deliveries, %.1f MiB\n", len(memory), s.deliveries.Load(), memory[len(memory)-1])
			}
		case <-tick.C:
			for due := int(time.Since(began).Seconds() * float64(rate)); count < due; { // a busy machine loses ticks
				count++
				if err := s.say(ctx, ws, member, "lobby", count, text(rng, "speaker", count)); err != nil {
					return count, memory, err
				}
			}
		}
	}
	return count, memory, nil
}

// receipts notes what a speaker is told, and says so on acked if that is not nil.
func (s *sitting) receipts(ctx context.Context, ws *websocket.Conn, member string, acked chan<- struct{}) {
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return
		}
		if frames, err := parseJSON(data); err == nil && frames[0].Type == "ack" {
			s.world.ledger.ack(key{member, frames[0].ID}, frames[0].Room, frames[0].Seq, frames[0].Duplicate)
			if acked != nil {
				acked <- struct{}{}
			}
		}
	}
}

// finish waits until everybody has everything.
func (s *sitting) finish(ctx context.Context, p *process, want int64) error {
	for deadline := time.Now().Add(patience); s.deliveries.Load() < want; {
		if time.Now().After(deadline) {
			return &violation{noGap, fmt.Sprintf("%d deliveries, %d are missing", s.deliveries.Load(), want-s.deliveries.Load())}
		}
		if err := s.world.wait(ctx, p, 20*time.Millisecond); err != nil {
			return err
		}
	}
	s.world.calm.Store(true)
	return nil
}

// judge says whether the memory was flat after the first fifth.
func judge(memory []float64) error {
	late := slices.Clone(memory[len(memory)/5:])
	if len(late) == 0 {
		return nil
	}
	low, high := slices.Min(late), slices.Max(late)
	middle := (low + high) / 2
	fmt.Printf("memory of the server after the first fifth: %.1f to %.1f MiB, ±%.1f %%\n", low, high, 100*(high-middle)/middle)
	if (high-middle)/middle > flat {
		return errors.New("the server's memory is not flat within ±5 %")
	}
	return nil
}

// mebibytes is the resident memory of a process.
func mebibytes(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseFloat(fields[0], 64)
	return kib / 1024
}
