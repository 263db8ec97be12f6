package tests

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// One id that goes to two rooms at once, over many connections, is stored in one of them, once.
func TestOneIDInTwoRoomsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	rooms := []string{"lobby", "other"}
	for round := range 20 {
		c := s.json("", "")
		token, key := c.welcome.Token, fmt.Sprint("key-", round)
		answers := make([]response, 16)
		var asking sync.WaitGroup
		for i := range answers {
			asking.Go(func() {
				answers[i] = s.curl("/r/"+rooms[i%2]+"/messages", "the same", "Content-Type", "text/plain", "Authorization", "Bearer "+token, "Idempotency-Key", key)
			})
		}
		asking.Wait()
		stored := map[int]int{}
		won := -1
		for i, r := range answers {
			if stored[r.status]++; r.status == http.StatusCreated {
				won = i % 2
			}
		}
		if stored[http.StatusCreated] != 1 || stored[http.StatusOK] != 7 || stored[http.StatusConflict] != 8 {
			t.Fatalf("round %d is answered %v, want one stored, seven duplicates and eight conflicts", round, stored)
		}
		for i, r := range answers {
			if want := i%2 == won; want != (r.status != http.StatusConflict) || !want && !strings.Contains(r.body, "id_reused") {
				t.Errorf("round %d: the room %s answers %d %s", round, rooms[i%2], r.status, r.body)
			}
		}
	}
}

// Somebody who sends and reads no answer is read no further, until he reads; then nothing is missing. The others notice
// nothing.
func TestSenderWhoReadsNoAnswer(t *testing.T) {
	const n = 10_000
	eachDriver(t, func(t *testing.T, s *server) {
		other := s.joined("Анна")
		c := s.stallJSON()
		var written, seen int
		var mu sync.Mutex
		go func() { // ends with the connection
			for i := range n {
				frame := maskedText(fmt.Sprintf(`{"type":"send","room":"lobby","id":"m-%d","text":"%d %s"}`, i, i, strings.Repeat("x", 300)))
				if _, err := c.Write(frame); err != nil {
					return
				}
				mu.Lock()
				written++
				mu.Unlock()
			}
		}()
		last := -1
		for stuck := 0; stuck < 5 && last < n; { // until nothing more is taken for half a second
			<-time.After(100 * time.Millisecond)
			mu.Lock()
			if stuck++; written != last {
				stuck = 0
			}
			last = written
			mu.Unlock()
		}
		if last == n {
			t.Error("everything was taken without an answer being read: this test tests nothing")
		}
		other.say("o", "а я пишу")
		if a := other.answer("o"); a.Type != "ack" {
			t.Errorf("the other is answered %s", a.raw)
		}
		for r := s.frames(c); seen < n; {
			f := r(t)
			if f.Type == "error" {
				t.Fatalf("refused: %s", f.raw)
			}
			if f.Type != "ack" {
				continue
			}
			if want := fmt.Sprintf("m-%d", seen); f.ID != want {
				t.Fatalf("the receipt of %s comes, want %s", f.ID, want)
			}
			seen++
		}
		t.Logf("%d of %d were taken before the first answer was read", last, n)
	}, "--no-limits")
}

// After an older file was restored, whoever has seen more than it holds is told so, whatever was said since.
func TestResumeWithARestoredFile(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	writer := s.joined("Иван")
	writer.fill("old", 30, "до копии")
	file := filepath.Join(t.TempDir(), "copy.zst")
	must(t, "backup", file, "--data-dir", s.dir)
	writer.fill("lost", 20, "после копии")
	reader := s.json("Анна", "")
	reader.send(map[string]any{"type": "hello", "rooms": map[string]any{"lobby": map[string]any{"after": 0}}})
	var seen frame
	for seen.Seq < 50 {
		seen = reader.message()
	}
	s.stop()
	must(t, "restore", file, "--force", "--data-dir", s.dir)
	s = s.again()
	resume := func(reason string, after int64, want ...string) {
		t.Helper()
		c := s.json("", "")
		c.send(map[string]any{"type": "hello", "token": reader.welcome.Token, "rooms": map[string]any{"lobby": map[string]any{"after": seen.Seq, "id": seen.ID}}})
		f := c.frame("reset")
		if f.Reason != reason || f.After != after {
			t.Errorf("resuming after %d: %s, want %s and after %d", seen.Seq, f.raw, reason, after)
		}
		for _, id := range want {
			c.where(id, func(f frame) bool { return f.ID == id })
		}
	}
	resume("ahead", 0, "old-0", "old-29")
	again := s.joined("Иван")
	again.fill("new", 25, "сказано заново") // number 50 is another one now
	resume("mismatch", 5, "old-5", "new-24")
}

// stallJSON opens a connection of govor.v1.json, of which nothing is read after the handshake.
func (s *server) stallJSON() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	_ = c.(*net.TCPConn).SetReadBuffer(4096)
	_ = c.(*net.TCPConn).SetWriteBuffer(16 << 10) // what the server does not read, we notice
	fmt.Fprintf(c, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: govor.v1.json\r\n\r\n", s.addr)
	var head []byte // read byte by byte: what follows it stays in the socket
	for b := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, b[0]) {
		if _, err := c.Read(b); err != nil {
			s.t.Fatalf("the handshake: %v after %q", err, head)
		}
	}
	return c
}

// frames returns what reads the next frame of a connection of govor.v1.json.
func (s *server) frames(c net.Conn) func(t *testing.T) frame {
	_ = c.(*net.TCPConn).SetReadBuffer(1 << 20)
	r := bufio.NewReaderSize(c, 1<<16)
	return func(t *testing.T) (f frame) {
		t.Helper()
		_ = c.SetReadDeadline(time.Now().Add(patience))
		payload, err := readServerFrame(r)
		if err != nil {
			t.Fatalf("no frame: %v", err)
		}
		if payload == "" || json.Unmarshal([]byte(payload), &f) != nil {
			return frame{} // a ping
		}
		f.raw = payload
		return f
	}
}
