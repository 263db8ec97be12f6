//go:build unix

package tests

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// How connections are aborted. Everything but the last is a RST.
var aborts = []struct {
	name      string
	handshake bool   // the whole of it
	answer    bool   // is read
	then      string // sent after that
	read      int    // so many bytes of what comes are read, for half a second at most
	polite    bool   // closed by FIN
}{
	{name: "half a handshake"},
	{name: "a handshake that nobody waits for", handshake: true},
	{name: "at once", handshake: true, answer: true},
	{name: "after hello", handshake: true, answer: true, then: string(maskedText(`{"type":"hello","rooms":{"lobby":{},"other":{}}}`))},
	{name: "in the middle of a frame", handshake: true, answer: true, then: string(maskedText(`{"type":"send","text":"привет"}`)[:20])},
	{name: "in the middle of a fan-out", handshake: true, answer: true, then: string(maskedText(`{"type":"hello"}`)), read: 2000},
	{name: "after a send", handshake: true, then: string(maskedText(`{"type":"send","text":"привет"}`))},
	{name: "without a word", handshake: true, answer: true, polite: true},
}

// abort makes one connection and ends it in the n-th way.
func (s *server) abort(n int) error {
	how := aborts[n%len(aborts)]
	c, err := net.DialTimeout("tcp", s.addr, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	handshake := fmt.Sprintf("GET /ws?name=n%d HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: govor.v1.json\r\n\r\n", n, s.addr)
	if !how.handshake {
		handshake = handshake[:len(handshake)/2]
	}
	_, _ = io.WriteString(c, handshake)
	if how.answer {
		if _, err := io.ReadFull(c, make([]byte, len("HTTP/1.1 101 "))); err != nil {
			return fmt.Errorf("%s: no answer: %w", how.name, err)
		}
	}
	_, _ = io.WriteString(c, how.then)
	if how.read > 0 {
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		_, _ = io.ReadFull(c, make([]byte, how.read))
	}
	if !how.polite {
		_ = c.(*net.TCPConn).SetLinger(0)
	}
	return nil
}

// abortMany makes n connections, some at a time.
func (s *server) abortMany(n int) {
	s.t.Helper()
	var next atomic.Int64
	var working sync.WaitGroup
	for range 16 {
		working.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := s.abort(int(i)); err != nil {
					s.t.Error(err)
					return
				}
			}
		})
	}
	working.Wait()
}

// base is what the program holds when nobody is there: the least of what it says, as memory is collected now and then.
func (s *server) base() (goroutines, files, heap float64) {
	s.t.Helper()
	eventually(s.t, "everybody has gone", func() bool { return s.metric("chat_active_connections") == 1 })
	for i := range 40 {
		s.curl("/r/lobby/messages?name=ci", fmt.Sprint(rand.Int64())) // and so is something else than what was left
		g, f, h := s.metric("go_goroutines"), float64(s.descriptors()), s.metric("go_memstats_heap_alloc_bytes")
		if i == 0 {
			goroutines, files, heap = g, f, h
		}
		goroutines, files, heap = min(goroutines, g), min(files, f), min(heap, h)
	}
	return goroutines, files, heap
}

// Five thousand connections that are aborted, in every way and while others talk, leave nothing behind.
func TestAbortedConnectionsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	for _, d := range drivers {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := append(d.args, "--listen", "127.0.0.1:0", "--data-dir", dir, "--no-limits", "--presence-grace", "100ms")
			s := withEnv(t, "GOGC=10", nil, args...) // so that what is garbage is soon seen to be
			s.dir, s.addr = dir, s.log.await(t, regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`), s.exited)[1]
			s.awaitReady()
			writer := s.joined("Иван")
			stop := writer.steady(5 * time.Millisecond)
			s.abortMany(500)
			goroutines, files, heap := s.base()
			s.abortMany(5000)
			var g, f, h float64
			eventually(t, "the program holds what it held", func() bool {
				g, f, h = s.base()
				return g <= goroutines+5 && f <= files+5 && h <= heap+1<<20 || t.Failed()
			})
			t.Logf("before: %v goroutines, %v descriptors, %.1f MB; after: %v, %v, %.1f MB", goroutines, files, heap/1e6, g, f, h/1e6)
			stop()
			if runtime.GOOS == "linux" && files == 0 {
				t.Error("descriptors cannot be counted: this test tests nothing")
			}
		})
	}
}
