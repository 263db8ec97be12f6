package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// talkers are as many as two addresses may have talk at this pace.
const (
	talkers = 20
	pace    = 220 * time.Millisecond // of one talker's messages, more or less
)

// talk has people talk and returns the times from sending to seeing, of all who see.
func talk(addr string, duration time.Duration) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), duration+20*time.Second)
	defer cancel()
	c := &conversation{}
	defer func() {
		for _, ws := range c.conns {
			_ = ws.CloseNow()
		}
	}()
	for i := range talkers {
		ws, err := c.join(ctx, addr, i)
		if err != nil {
			return nil, fmt.Errorf("somebody cannot come in: %w", err)
		}
		c.conns = append(c.conns, ws)
	}
	c.start = time.Now()
	until, stop := context.WithTimeout(ctx, duration)
	defer stop()
	var all sync.WaitGroup
	for _, ws := range c.conns {
		all.Go(func() { c.say(ctx, until, ws) })
		all.Go(func() { c.see(until, ws) })
	}
	all.Wait()
	if c.failed != nil {
		return nil, fmt.Errorf("somebody was cut: %w", c.failed)
	}
	if len(c.took) < 100 {
		return nil, fmt.Errorf("only %d messages were seen", len(c.took))
	}
	return c.took, nil
}

// p99 is the 99th percentile of times, which it sorts; there is at least one.
func p99(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)*99/100]
}

// conversation is one run.
type conversation struct {
	conns []*websocket.Conn
	start time.Time

	mu     sync.Mutex // guards the fields below
	took   []time.Duration
	failed error
}

// join comes from one of two addresses, none of which is the flood's.
func (c *conversation) join(ctx context.Context, addr string, i int) (*websocket.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(3+i%2))}}
	ws, _, err := websocket.Dial(ctx, fmt.Sprintf("ws://%s/ws?room=calm&name=talker%d", addr, i), &websocket.DialOptions{ //nolint:bodyclose // the library closes it
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}},
	})
	return ws, err
}

// say sends the time until then; ctx bounds it. Nobody keeps step with the others.
func (c *conversation) say(ctx, until context.Context, ws *websocket.Conn) {
	for {
		select {
		case <-until.Done():
			return
		case <-time.After(pace/2 + rand.N(pace)):
		}
		if err := ws.Write(ctx, websocket.MessageText, fmt.Appendf(nil, "@%d", time.Since(c.start))); err != nil {
			if until.Err() == nil { // or the reader has closed it
				c.fail(err)
			}
			return
		}
	}
}

func (c *conversation) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = errors.Join(c.failed, err)
}

// see takes the time of what is seen until then.
func (c *conversation) see(until context.Context, ws *websocket.Conn) {
	for {
		_, line, err := ws.Read(until)
		if err != nil {
			return
		}
		var sent time.Duration
		_, text, _ := strings.Cut(string(line), "@")
		if n, _ := fmt.Sscanf(text, "%d", &sent); n == 1 {
			c.mu.Lock()
			c.took = append(c.took, time.Since(c.start)-sent)
			c.mu.Unlock()
		}
	}
}
