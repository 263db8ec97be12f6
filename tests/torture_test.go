package tests

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// stall opens a plain WebSocket that never reads.
func (s *server) stall() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	_ = c.(*net.TCPConn).SetReadBuffer(4096)
	fmt.Fprintf(c, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", s.addr)
	var head []byte // read byte by byte: what follows it stays in the socket
	for b := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, b[0]) {
		if _, err := c.Read(b); err != nil {
			s.t.Fatalf("the handshake of the stalled socket: %v after %q", err, head)
		}
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		s.t.Fatalf("the handshake of the stalled socket: %q", head)
	}
	return c
}

// fill sends n messages as fast as they are taken, and returns when all are acknowledged.
func (c *jsonConn) fill(prefix string, n int, text string) {
	c.t.Helper()
	go func() {
		for i := range n {
			if c.tryWrite(fmt.Sprintf(`{"type":"send","id":"%s-%d","text":"%s %d"}`, prefix, i, text, i)) != nil {
				return
			}
		}
	}()
	for acked := 0; acked < n; {
		if f := c.parse(c.next("an ack")); f.Type == "ack" {
			acked++
		} else if f.Type == "error" {
			c.t.Fatalf("refused: %s", f.raw)
		}
	}
}

// steady sends one message every interval until stop is called, which returns the number of the last.
func (c *jsonConn) steady(interval time.Duration) (stop func() int64) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	sent := 0
	wg.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if c.tryWrite(fmt.Sprintf(`{"type":"send","id":"live-%d","text":"live %d"}`, sent, sent)) != nil {
					return
				}
				sent++
			}
		}
	})
	return func() int64 {
		cancel()
		wg.Wait()
		var last int64
		for i := 0; i < sent; {
			if f := c.parse(c.next("an ack")); f.Type == "ack" {
				last = f.Seq
				i++
			}
		}
		return last
	}
}

// A client misses 5,001 events and goes on while 200 a second keep coming: it gets each once, in order, in every format.
func TestResumeWhileTheRoomIsBusy(t *testing.T) {
	const missed = 5001
	eachDriver(t, func(t *testing.T, s *server) {
		writer := s.joined("Иван")
		writer.say("first", "первое")
		writer.answer("first")
		writer.fill("m", missed, "пропущено")
		stop := writer.steady(5 * time.Millisecond)
		resume := `{"type":"hello","rooms":{"lobby":{"after":1,"id":"first"}}}`

		program := s.json("Робот", "")
		program.write(resume)
		page := s.html("Анна")
		page.write(resume)
		text := s.dial(url.Values{"name": {"Пётр"}, "history": {"1000"}}, "", nil)

		next := int64(2)
		read := func() {
			m := program.message()
			if m.Seq != next {
				t.Fatalf("JSON: number %d comes, want %d", m.Seq, next)
			}
			next++
		}
		for next <= missed+100 { // well into the live stream
			read()
		}
		last := stop()
		for next <= last {
			read()
		}
		for want := int64(2); want <= last; want++ {
			if seq, _, _ := page.message(); seq != fmt.Sprint(want) {
				t.Fatalf("HTML: number %s comes, want %d", seq, want)
			}
		}
		// Plain text has no numbers; its texts count.
		want, ok := "", false
		for want != fmt.Sprintf("live %d", last-missed-2) {
			for line := range strings.SplitSeq(text.next("plain text"), "\n") {
				got, mine := strings.CutPrefix(line, "Иван: ")
				if !mine {
					continue
				}
				if ok && got != want {
					t.Fatalf("text: %q comes, want %q", got, want)
				}
				ok = true
				var n int
				if _, err := fmt.Sscanf(got, "пропущено %d", &n); err == nil && n+1 < missed {
					want = fmt.Sprintf("пропущено %d", n+1)
				} else if err == nil {
					want = "live 0"
				} else if _, err := fmt.Sscanf(got, "live %d", &n); err == nil {
					if int64(n) == last-missed-2 {
						return
					}
					want = fmt.Sprintf("live %d", n+1)
				}
			}
		}
	}, "--no-limits")
}

// A socket that does not read costs the others nothing: they get everything at once. When it reads again it gets
// everything too, out of the store, because the room's ring has long moved on.
func TestStalledSocketHoldsNobodyUpAndMissesNothing(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		const n, size = 4000, 1500
		stalled := s.stall()
		writer := s.joined("Иван")
		reader := s.joined("Робот")
		writer.fill("m", n, strings.Repeat("x", size))
		for want := int64(1); want <= n; want++ {
			if m := reader.message(); m.Seq != want {
				t.Fatalf("the reader gets number %d, want %d", m.Seq, want)
			}
		}
		got := 0
		_ = stalled.(*net.TCPConn).SetReadBuffer(1 << 20) // from now on it reads as fast as it can
		br := bufio.NewReaderSize(stalled, 1<<18)
		_ = stalled.SetReadDeadline(time.Now().Add(patience))
		for got < n {
			payload, err := readServerFrame(br)
			if err != nil {
				t.Fatalf("the stalled socket after %d messages: %v", got, err)
			}
			text, ok := strings.CutPrefix(payload, "Иван: ")
			if !ok {
				continue
			}
			if want := fmt.Sprintf(" %d", got); !strings.HasSuffix(text, want) {
				t.Fatalf("the stalled socket gets …%s, want …%s", tail(text, 10), want)
			}
			got++
		}
		if s.metric("chat_slow_consumers_total") == 0 {
			t.Error("the slow consumer was not counted: the socket took everything, this test proves nothing")
		}
	}, "--no-limits", "--ring-bytes", "256k", "--stall-timeout", "10m", "--idle-timeout", "10m") // however slow the machine
}

// readServerFrame reads one unmasked frame (RFC 6455 §5.2) and returns its payload.
func readServerFrame(r *bufio.Reader) (string, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", err
	}
	n := int(head[1] & 0x7f)
	extra := map[int]int{126: 2, 127: 8}[n]
	if extra > 0 {
		n = 0
		for range extra {
			b, err := r.ReadByte()
			if err != nil {
				return "", err
			}
			n = n<<8 | int(b)
		}
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(r, payload)
	if head[0] != 0x81 {
		return "", err // a ping or the like
	}
	return string(payload), err
}

// A socket that takes no byte for the stall timeout is ended and counted; the others notice nothing.
func TestStalledSocketIsEnded(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		s.stall()
		writer := s.joined("Иван")
		writer.fill("m", 4000, strings.Repeat("x", 1500))
		eventually(t, "the stalled socket has been ended", func() bool {
			return s.metric(`chat_sessions_ended_total{reason="slow consumer"}`) == 1
		})
		writer.say("after", "дальше")
		writer.answer("after")
	}, "--no-limits", "--stall-timeout", "1s", "--ring-bytes", "256k")
}

// Over the rate one is slowed down and not refused; who stays over it is told, and ended. The others go on.
func TestRateSlowsDownBeforeItRefuses(t *testing.T) {
	t.Parallel()
	t.Run("slower", func(t *testing.T) {
		t.Parallel()
		s := start(t, "--rate", "20", "--burst", "5")
		c := s.joined("Иван")
		begun := time.Now()
		for i := range 25 {
			c.say(fmt.Sprintf("m-%d", i), "text")
		}
		for i := range 25 {
			if a := c.answer(fmt.Sprintf("m-%d", i)); a.Type != "ack" || a.Seq != int64(i+1) {
				t.Fatalf("answer %d = %s", i, a.raw)
			}
		}
		if took := time.Since(begun); took < 900*time.Millisecond {
			t.Errorf("25 messages at 20/s after 5 took %v, want about 1s", took)
		}
	})
	t.Run("ended", func(t *testing.T) {
		t.Parallel()
		s := start(t, "--rate", "5", "--burst", "2", "--rate-patience", "1s")
		flood := s.joined("Иван")
		other := s.joined("Мария")
		go func() {
			for i := range 200 {
				if flood.tryWrite(fmt.Sprintf(`{"type":"send","id":"m-%d","text":"text"}`, i)) != nil {
					return
				}
			}
		}()
		other.say("o-1", "я жду своей очереди?")
		if a := other.answer("o-1"); a.Type != "ack" {
			t.Errorf("the other's answer: %s", a.raw)
		}
		if e := flood.frame("error"); e.Code != "too_fast" || e.RetryAfter <= 0 {
			t.Errorf("the flood is told %s", e.raw)
		}
		if code, reason := flood.ended(); code != 1008 {
			t.Errorf("the flood ended with %d %q, want 1008", code, reason)
		}
		other.say("o-2", "и снова я")
		if a := other.answer("o-2"); a.Type != "ack" {
			t.Errorf("the other's answer: %s", a.raw)
		}
	})
}

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		var conns []*jsonConn
		for range 3 {
			conns = append(conns, s.joined(""))
		}
		if c, status, err := s.tryDial(nil, "", nil); err == nil {
			c.close()
			t.Error("a fourth connection is allowed")
		} else if status != http.StatusTooManyRequests {
			t.Errorf("a fourth connection: %d, %v, want 429", status, err)
		}
		conns[0].close()
		eventually(t, "the place is free again", func() bool {
			c, _, err := s.tryDial(nil, "", nil)
			if err == nil {
				c.close()
			}
			return err == nil
		})
	}, "--max-connections-per-ip", "3")
}
