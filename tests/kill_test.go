package tests

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// exactlyOnce is a client as the specification wants it: it keeps what has no answer, and sends it again with the same
// ids, in the same order, after every reconnect.
type exactlyOnce struct {
	t       *testing.T
	token   string
	next    int            // number of the next message to say
	waiting []string       // ids without an answer, in order
	acked   map[string]int // id → number in the room
}

// connect dials, shows the token and sends again what waits.
func (e *exactlyOnce) connect(s *server) *jsonConn {
	e.t.Helper()
	c := s.json("Иван", "")
	hello := map[string]any{"type": "hello"}
	if e.token != "" {
		hello["token"] = e.token
	}
	c.send(hello)
	known, joined := e.token == "", false
	c.where("a seat, under the old name", func(f frame) bool { // a hello that takes long finds the seat taken
		known, joined = known || f.Type == "welcome", joined || f.Type == "joined"
		return known && joined
	})
	if e.token == "" {
		e.token = c.welcome.Token
	}
	for _, id := range e.waiting {
		c.say(id, "text of "+id)
	}
	return c
}

// run talks until n more answers have come, or the connection is gone.
func (e *exactlyOnce) run(c *jsonConn, n int) {
	e.t.Helper()
	for n > 0 {
		for len(e.waiting) < 16 {
			id := fmt.Sprintf("m-%d", e.next)
			e.next++
			e.waiting = append(e.waiting, id)
			if c.tryWrite(fmt.Sprintf(`{"type":"send","id":%q,"text":"text of %s"}`, id, id)) != nil {
				break
			}
		}
		f, ok := <-c.frames
		if !ok {
			return
		}
		e.take(c.parse(f))
		if c.parse(f).Type == "ack" {
			n--
		}
	}
}

func (e *exactlyOnce) take(f frame) {
	e.t.Helper()
	switch f.Type {
	case "ack":
		if i := slices.Index(e.waiting, f.ID); i >= 0 {
			e.waiting = slices.Delete(e.waiting, i, i+1)
		}
		if before, ok := e.acked[f.ID]; ok && before != int(f.Seq) {
			e.t.Errorf("%s was acknowledged as %d and as %d", f.ID, before, f.Seq)
		}
		e.acked[f.ID] = int(f.Seq)
	case "error":
		if f.Code != "unavailable" {
			e.t.Errorf("a send was refused: %s", f.raw)
		}
	}
}

// kill -9 in the middle of everything, again and again: whatever was acknowledged is there, once, at its number, and a
// reader that goes on where it was sees every number once.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		writer := &exactlyOnce{t: t, acked: map[string]int{}}
		var last frame // of the reader
		seen := 0
		const kills = 6
		for round := range kills + 1 {
			c := writer.connect(s)
			reader := s.json("Пётр", "")
			resume := map[string]any{"after": last.Seq}
			if last.ID != "" {
				resume["id"] = last.ID
			}
			reader.send(map[string]any{"type": "hello", "rooms": map[string]any{"lobby": resume}})
			writer.run(c, 50+rand.IntN(200))
			if round < kills {
				s.kill()
			} else {
				writer.finish(c)
			}
			end := len(writer.acked)
			for f := range reader.frames {
				m := reader.parse(f)
				if m.Type == "reset" {
					t.Fatalf("the reader cannot go on after a kill: %s", m.raw)
				}
				if m.Type == "message" {
					if m.Seq != last.Seq+1 {
						t.Fatalf("round %d: after number %d comes %d", round, last.Seq, m.Seq)
					}
					last = m
					seen++
				}
				if round == kills && seen >= end {
					break
				}
			}
			if round < kills {
				s = s.again()
			}
		}
		stored := s.everything()
		if len(stored) != len(writer.acked) {
			t.Errorf("%d messages are stored, %d were acknowledged", len(stored), len(writer.acked))
		}
		for id, seq := range writer.acked {
			if seq > len(stored) || stored[seq-1].ID != id || stored[seq-1].Text != "text of "+id {
				t.Fatalf("%s was acknowledged as %d and is not there", id, seq)
			}
		}
		// One sender's messages keep their order through all retries.
		for i, m := range stored {
			if m.ID != fmt.Sprintf("m-%d", i) {
				t.Fatalf("number %d is %s: the order of the sender is lost", i+1, m.ID)
			}
		}
	}, "--no-limits")
}

// finish waits for an answer to everything.
func (e *exactlyOnce) finish(c *jsonConn) {
	e.t.Helper()
	for len(e.waiting) > 0 {
		e.take(c.parse(c.next("the last answers")))
	}
}
