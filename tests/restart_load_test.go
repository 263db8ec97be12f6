//go:build unix

package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// restart asks for a restart and waits until the process has begun anew.
func (s *server) restart() {
	s.t.Helper()
	n := s.started()
	s.askRestart()
	eventually(s.t, "the program has restarted", func() bool { return s.started() > n })
}

func (s *server) askRestart() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		s.t.Fatalf("send USR2: %v", err)
	}
}

// started is how many times the process has begun to serve.
func (s *server) started() int { return strings.Count(s.log.String(), `"msg":"started"`) }

// sender sends without a pause and never gives up: what has no receipt is sent again, in order, over the next connection.
type sender struct {
	name string

	token   string
	next    int
	waiting []string
	since   map[string]time.Time // when a message was first sent
	slowest time.Duration        // from then to its receipt
	acked   map[string]int64
	refused []error // dials that failed
}

// talk sends until stop is closed and everything has its receipt. An error means that the server said something that it
// must not say.
func (c *sender) talk(s *server, stop <-chan struct{}) error {
	for {
		done, err := c.connect(s, stop)
		if done || err != nil {
			return err
		}
	}
}

// connect talks over one connection.
func (c *sender) connect(s *server, stop <-chan struct{}) (done bool, err error) {
	conn, status, err := s.tryDial(url.Values{"name": {c.name}}, "govor.v1.json", nil)
	if err != nil {
		c.refused = append(c.refused, fmt.Errorf("status %d: %w", status, err))
		return len(c.refused) > 100, nil
	}
	defer func() { _ = conn.ws.CloseNow() }()
	hello := `{"type":"hello"}`
	if c.token != "" {
		hello = fmt.Sprintf(`{"type":"hello","token":%q}`, c.token)
	}
	if conn.tryWrite(hello) != nil {
		return false, nil
	}
	seated := false
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			select {
			case <-stop:
				if len(c.waiting) == 0 {
					return true, nil
				}
			default:
				if seated && len(c.waiting) < 16 {
					c.say(conn)
				}
			}
		case text, ok := <-conn.frames:
			if !ok {
				c.stayAway(conn.err)
				return false, nil
			}
			if err := c.frame(conn, text, &seated); err != nil {
				return false, err
			}
		}
	}
}

// stayAway waits as the server asked for with the end of the connection: a moment within the time it named.
func (c *sender) stayAway(err error) {
	var end websocket.CloseError
	var within int64
	if errors.As(err, &end) && end.Code == websocket.StatusServiceRestart {
		if _, err := fmt.Sscanf(end.Reason, "restart retry-within-ms=%d", &within); err != nil {
			c.refused = append(c.refused, fmt.Errorf("the reason %q: %w", end.Reason, err))
		}
	}
	<-time.After(rand.N(time.Duration(within)*time.Millisecond + 1))
}

func (c *sender) say(conn *conn) {
	id := fmt.Sprintf("%s-%d", c.name, c.next)
	c.next++
	c.waiting = append(c.waiting, id)
	c.since[id] = time.Now()
	_ = conn.tryWrite(sendCommand(id))
}

func sendCommand(id string) string {
	return fmt.Sprintf(`{"type":"send","id":%q,"text":%q}`, id, "text of "+id)
}

func (c *sender) frame(conn *conn, text string, seated *bool) error {
	var f frame
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return err
	}
	switch f.Type {
	case "welcome":
		if c.token == "" {
			c.token = f.Token
		}
	case "joined":
		if *seated {
			return nil
		}
		*seated = true
		for _, id := range c.waiting {
			_ = conn.tryWrite(sendCommand(id))
		}
	case "ack":
		i := slices.Index(c.waiting, f.ID)
		if i < 0 {
			return fmt.Errorf("a second receipt over one connection: %s", text)
		}
		c.waiting = slices.Delete(c.waiting, i, i+1)
		c.slowest = max(c.slowest, time.Since(c.since[f.ID]))
		c.acked[f.ID] = f.Seq
	case "error":
		if f.Code != "unavailable" {
			return fmt.Errorf("refused: %s", text)
		}
	}
	return nil
}

// probe asks over a new connection each time, until stop is closed, and returns the longest wait and what failed.
func (s *server) probe(stop <-chan struct{}) (longest time.Duration, failed []error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return longest, failed
		case <-tick.C:
		}
		begun := time.Now()
		resp, err := client.Get(s.url("/healthz"))
		if err != nil {
			failed = append(failed, err)
			continue
		}
		resp.Body.Close()
		longest = max(longest, time.Since(begun))
	}
}

// Fifty clients send while the program is restarted five times: nobody is refused, nothing is lost or doubled, and
// everything is acknowledged soon.
func TestRestartUnderLoad(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		clients, restarts := 50, 5
		if raceEnabled { // which takes ten times as long to bring everybody's messages to everybody
			clients = 15
		}
		senders, errs := make([]*sender, clients), make([]error, clients)
		stop, stopProbe := make(chan struct{}), make(chan struct{})
		var talking, probing sync.WaitGroup
		for i := range senders {
			c := &sender{name: fmt.Sprintf("w%d", i), since: map[string]time.Time{}, acked: map[string]int64{}}
			senders[i] = c
			talking.Go(func() { errs[i] = c.talk(s, stop) })
		}
		var longest time.Duration
		var failed []error
		probing.Go(func() { longest, failed = s.probe(stopProbe) })
		for range restarts {
			before := s.stored()
			eventually(t, "messages are stored", func() bool { return s.stored() > before+200 })
			s.restart()
		}
		close(stop)
		talking.Wait()
		close(stopProbe)
		probing.Wait()

		if err := errors.Join(append(errs, failed...)...); err != nil {
			t.Error(err)
		}
		checkSenders(t, s, senders)
		t.Logf("the longest wait for a page was %v", longest)
		if limit := 1500 * time.Millisecond; longest > limit && !raceEnabled {
			t.Errorf("a page took %v, want at most %v", longest, limit)
		}
		select {
		case <-s.exited:
			t.Error("the first process has ended")
		default: // it is still that one
		}
		begun := time.Now()
		s.stop()
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("stopping took %v", took)
		}
	}, "--no-limits")
}

// A socket that takes nothing does not keep those who connect waiting: it is cut, and comes back as after any cut.
func TestRestartDoesNotWaitForAStalledSocket(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		stalled := s.stall()
		silent, err := net.Dial("tcp", s.addr) // accepted, and never asks for anything, as browsers do
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		writer := s.joined("Иван")
		writer.fill("big", 300, strings.Repeat("б", 7900))
		stop := make(chan struct{})
		var probing sync.WaitGroup
		var longest time.Duration
		var failed []error
		probing.Go(func() { longest, failed = s.probe(stop) })
		s.restart()
		s.awaitReady()
		close(stop)
		probing.Wait()
		if err := errors.Join(failed...); err != nil {
			t.Error(err)
		}
		t.Logf("the longest wait for a page was %v", longest)
		if limit := 1500 * time.Millisecond; longest > limit && !raceEnabled {
			t.Errorf("a page took %v, want at most %v", longest, limit)
		}
		stalled.Close()
	}, "--no-limits", "--stall-timeout", "2m")
}

// stored is the number of the last message in the lobby, 0 if nobody tells.
func (s *server) stored() int {
	c, _, err := s.tryDial(nil, "govor.v1.json", nil)
	if err != nil {
		return 0
	}
	defer func() { _ = c.ws.CloseNow() }()
	if c.tryWrite(`{"type":"hello"}`) != nil {
		return 0
	}
	for text := range c.frames {
		var f frame
		if json.Unmarshal([]byte(text), &f) == nil && f.Type == "joined" {
			return int(f.Last)
		}
	}
	return 0
}

// checkSenders compares what the senders were told with what is stored.
func checkSenders(t *testing.T, s *server, senders []*sender) {
	t.Helper()
	stored := s.everything()
	at, next := map[string]int64{}, map[string]int{}
	for _, m := range stored {
		name, _, _ := strings.Cut(m.ID, "-")
		if want := fmt.Sprintf("%s-%d", name, next[name]); m.ID != want { // twice, lost or in another order
			t.Fatalf("number %d is %s, want %s", m.Seq, m.ID, want)
		}
		next[name]++
		at[m.ID] = m.Seq
	}
	var slowest time.Duration
	for _, c := range senders {
		slowest = max(slowest, c.slowest)
		if err := errors.Join(c.refused...); err != nil {
			t.Errorf("%s was refused: %v", c.name, err)
		}
		if len(c.acked) != c.next || next[c.name] != c.next {
			t.Errorf("%s has sent %d, has %d receipts, and %d are stored", c.name, c.next, len(c.acked), next[c.name])
		}
		for id, seq := range c.acked {
			if at[id] != seq {
				t.Fatalf("the receipt of %s said %d, it is stored as %d", id, seq, at[id])
			}
		}
	}
	t.Logf("%d messages; the slowest receipt took %v", len(stored), slowest)
	if slowest > 10*time.Second && !raceEnabled {
		t.Errorf("a message was acknowledged after %v", slowest)
	}
}
