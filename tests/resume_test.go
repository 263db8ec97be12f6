package tests

import (
	"fmt"
	"testing"
)

// A client that goes on with the number and id of its last event gets everything after it, once and in order.
func TestResumeContinuesAfterTheLastEvent(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		writer := s.joined("Иван")
		ids := make([]string, 41)
		for i := 1; i <= 20; i++ {
			ids[i] = fmt.Sprintf("m-%d", i)
			writer.say(ids[i], fmt.Sprintf("text %d", i))
			writer.answer(ids[i])
		}
		writer.where("number 20", func(f frame) bool { return f.Type == "message" && f.Seq == 20 })
		reader := s.json("Пётр", "")
		reader.send(map[string]any{"type": "hello", "rooms": map[string]any{"lobby": map[string]any{"after": 15, "id": ids[15]}}})
		if j := reader.frame("joined"); j.After != 15 || j.Last != 20 {
			t.Errorf("joined = %s", j.raw)
		}
		for i := 21; i <= 40; i++ {
			ids[i] = fmt.Sprintf("m-%d", i)
			writer.say(ids[i], fmt.Sprintf("text %d", i))
		}
		for want := int64(16); want <= 40; want++ {
			if m := reader.message(); m.Seq != want || m.ID != ids[want] || m.Text != fmt.Sprintf("text %d", want) {
				t.Fatalf("message = %s, want number %d", m.raw, want)
			}
		}
	}, "--no-limits")
}

// A client that has what the store has not is told so, and gets what there is.
func TestResetWhenTheClientCannotGoOn(t *testing.T) {
	t.Parallel()
	s := start(t)
	writer := s.joined("Иван")
	for i := 1; i <= 3; i++ {
		writer.say(fmt.Sprintf("m-%d", i), "text")
		writer.answer(fmt.Sprintf("m-%d", i))
	}
	writer.where("number 3", func(f frame) bool { return f.Type == "message" && f.Seq == 3 })
	for _, tt := range []struct {
		name, reason string
		resume       map[string]any
	}{
		{"a number from the future", "ahead", map[string]any{"after": 4711, "id": "m-4711"}},
		{"a number from the future without an id", "ahead", map[string]any{"after": 4}},
		{"another event at the number", "mismatch", map[string]any{"after": 2, "id": "other"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.json("", "")
			c.send(map[string]any{"type": "hello", "rooms": map[string]any{"lobby": tt.resume}})
			if r := c.frame("reset"); r.Reason != tt.reason || r.Room != "lobby" || r.After != 0 || r.Last != 3 {
				t.Errorf("reset = %s, want the reason %q and everything again", r.raw, tt.reason)
			}
			for want := int64(1); want <= 3; want++ {
				if m := c.message(); m.Seq != want {
					t.Fatalf("message = %s, want number %d", m.raw, want)
				}
			}
		})
	}
	for name, resume := range map[string]map[string]any{
		"the last event":       {"after": 3, "id": "m-3"},
		"without an id":        {"after": 2},
		"from the beginning":   {"after": 0},
		"the right number, id": {"after": 1, "id": "m-1"},
	} {
		t.Run("no reset for "+name, func(t *testing.T) {
			c := s.json("", "")
			c.send(map[string]any{"type": "hello", "rooms": map[string]any{"lobby": resume}})
			if f := c.where("joined or reset", func(f frame) bool { return f.Type == "joined" || f.Type == "reset" }); f.Type != "joined" {
				t.Errorf("got %s", f.raw)
			}
		})
	}
}

// What is said between the connection and the first command is not missed: the server holds the seat meanwhile.
func TestNothingIsMissedBeforeTheFirstCommand(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		writer := s.joined("Иван")
		late := s.json("Пётр", "") // says nothing yet
		writer.say("m-1", "early")
		writer.answer("m-1")
		if m := late.message(); m.ID != "m-1" {
			t.Errorf("message = %s", m.raw)
		}
		late2 := s.json("Мария", "")
		writer.say("m-2", "again")
		writer.answer("m-2")
		late2.send(map[string]any{"type": "ping"})
		if m := late2.message(); m.ID != "m-2" {
			t.Errorf("message = %s", m.raw)
		}
	})
}

func TestTokenReplacesTheOldSessionAndKeepsTheName(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		old := s.joined("Иван")
		old.say("m-1", "раз")
		old.answer("m-1")
		fresh := s.json("Иван", "")
		if fresh.welcome.Name == "Иван" {
			t.Fatal("the name was given twice")
		}
		fresh.send(map[string]any{"type": "hello", "token": old.welcome.Token, "rooms": map[string]any{"lobby": map[string]any{"after": 1, "id": "m-1"}}})
		w := fresh.frame("welcome")
		if w.Name != "Иван" || w.Member != old.welcome.Member || w.Token == "" {
			t.Errorf("the second welcome = %s, want Иван and the member %s", w.raw, old.welcome.Member)
		}
		fresh.frame("joined")
		if code, reason := old.ended(); code != 1001 {
			t.Errorf("the old connection ended with %d %q, want 1001", code, reason)
		}
		// The retry of something that was stored by the old connection.
		fresh.say("m-1", "раз")
		if a := fresh.answer("m-1"); a.Type != "ack" || !a.Duplicate || a.Seq != 1 {
			t.Errorf("the answer to a retry = %s", a.raw)
		}
		fresh.say("m-2", "два")
		if a := fresh.answer("m-2"); a.Seq != 2 || a.Duplicate {
			t.Errorf("the answer to the next = %s", a.raw)
		}
		if m := fresh.message(); m.ID != "m-2" || m.From != "Иван" {
			t.Errorf("message = %s, want only the second", m.raw)
		}

		bad := s.json("Пётр", "")
		bad.send(map[string]any{"type": "hello", "token": old.welcome.Token[:len(old.welcome.Token)-2] + "xx"})
		if e := bad.frame("error"); e.Code != "bad_token" {
			t.Errorf("a forged token: %s", e.raw)
		}
		bad.frame("joined")
		bad.say("b-1", "text")
		if a := bad.answer("b-1"); a.Type != "ack" {
			t.Errorf("after a forged token the connection goes on as a guest: %s", a.raw)
		}
		if m := bad.message(); m.From != "Пётр" {
			t.Errorf("message = %s", m.raw)
		}
	})
}

func TestIDsAreUsedOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.json("Робот", "")
	c.send(map[string]any{"type": "hello", "rooms": map[string]any{"lobby": map[string]any{}, "other": map[string]any{}}})
	c.say("m-1", "раз")
	c.answer("m-1")
	c.say("m-1", "раз")
	if a := c.answer("m-1"); a.Type != "ack" || !a.Duplicate || a.Seq != 1 {
		t.Errorf("a retry: %s", a.raw)
	}
	c.say("m-1", "два")
	if a := c.answer("m-1"); a.Type != "error" || a.Code != "id_reused" {
		t.Errorf("another text with the id: %s", a.raw)
	}
	c.send(map[string]any{"type": "send", "id": "m-1", "room": "other", "text": "раз"})
	if a := c.answer("m-1"); a.Type != "error" || a.Code != "id_reused" {
		t.Errorf("another room with the id: %s", a.raw)
	}
	d := s.joined("Другой")
	d.say("m-1", "моё")
	if a := d.answer("m-1"); a.Type != "ack" || a.Duplicate || a.Seq != 2 {
		t.Errorf("another member's same id: %s", a.raw)
	}
	// Without an id the server makes one; the receipt names it.
	d.send(map[string]any{"type": "send", "text": "без номера"})
	if a := d.frame("ack"); a.ID == "" || a.Seq != 3 {
		t.Errorf("a send without an id: %s", a.raw)
	}
}

// A receipt may come before the message is shown. Who goes on after the number of a receipt does not get that message.
func TestResumeAfterAReceiptRepeatsNothing(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		writer := s.joined("Иван")
		reader := s.json("Пётр", "other")
		for i := range 300 {
			id := fmt.Sprintf("m-%d", i)
			writer.say(id, "text")
			a := writer.answer(id)
			reader.send(map[string]any{"type": "join", "room": "lobby", "after": a.Seq, "id": id})
			reader.where("joined", func(f frame) bool { return f.Type == "joined" && f.Room == "lobby" })
			writer.say(id+"-next", "text")
			if m := reader.message(); m.Seq != a.Seq+1 || m.ID != id+"-next" {
				t.Fatalf("after number %d comes %s", a.Seq, m.raw)
			}
			reader.send(map[string]any{"type": "leave", "room": "lobby"})
			reader.frame("left")
			writer.answer(id + "-next")
		}
	}, "--no-limits")
}
