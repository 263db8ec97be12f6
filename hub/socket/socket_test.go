package socket

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"time"
)

// TestConformance is what every driver promises.
func TestConformance(t *testing.T) {
	tests := []struct {
		name string
		run  func(*testing.T, dialer)
	}{
		{"FramesThatAreNotAllowedEndTheConnection", testFramesThatAreNotAllowedEndTheConnection},
		{"FramesThatAreAllowedArrive", testFramesThatAreAllowedArrive},
		{"CloseOfTheClientIsEchoedAndTheConnectionClosed", testCloseOfTheClientIsEchoedAndTheConnectionClosed},
		{"PingIsAnsweredWithItsPayload", testPingIsAnsweredWithItsPayload},
		{"PingFloodIsEnded", testPingFloodIsEnded},
		{"TinyFragmentsAreEnded", testTinyFragmentsAreEnded},
		{"PendingIsWrittenInOrder", testPendingIsWrittenInOrder},
		{"EndOfThePeerComesAfterWhatIsPending", testEndOfThePeerComesAfterWhatIsPending},
		{"EndDoesNotWaitForAClientThatDoesNotAnswer", testEndDoesNotWaitForAClientThatDoesNotAnswer},
		{"SilentConnectionIsPingedAndEnded", testSilentConnectionIsPingedAndEnded},
		{"NobodyIsEndedUnasked", testNobodyIsEndedUnasked},
		{"PongsKeepAConnection", testPongsKeepAConnection},
		{"MessageThatNeverEndsIsEndedThoughPingsCome", testMessageThatNeverEndsIsEndedThoughPingsCome},
		{"StalledClientIsEndedAndSlowOneIsNot", testStalledClientIsEndedAndSlowOneIsNot},
		{"PongComesBetweenFramesOfASlowReader", testPongComesBetweenFramesOfASlowReader},
		{"LostConnections", testLostConnections},
		{"PanicOfThePeerEndsItsConnectionOnly", testPanicOfThePeerEndsItsConnectionOnly},
		{"ReceiveThatBlocksIsBackPressureAndNotSilence", testReceiveThatBlocksIsBackPressureAndNotSilence},
		{"EveryByteInItsOwnWrite", testEveryByteInItsOwnWrite},
		{"ManyMessagesAtOnceKeepTheirOrder", testManyMessagesAtOnceKeepTheirOrder},
		{"PeerIsToldOfTheEndAfterItsLastMessage", testPeerIsToldOfTheEndAfterItsLastMessage},
		{"EndIsToldToWhoHasGoneOnAndStopped", testEndIsToldToWhoHasGoneOnAndStopped},
		{"FloodAfterTheEndIsNotRead", testFloodAfterTheEndIsNotRead},
		{"HalfClosedConnectionIsGone", testHalfClosedConnectionIsGone},
	}
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			for _, tt := range tests {
				t.Run(tt.name, func(t *testing.T) {
					t.Parallel()
					tt.run(t, d.dial)
				})
			}
		})
	}
}

func testFramesThatAreNotAllowedEndTheConnection(t *testing.T, dial dialer) {
	long := strings.Repeat("x", 5000)
	tests := []struct {
		name  string
		bytes []byte
		code  int
	}{
		{"unmasked", []byte{0x81, 0x01, 'a'}, 1002},
		{"reserved bit 1", frame(0xC1, "a"), 1002},
		{"reserved bit 2", frame(0xA1, "a"), 1002},
		{"reserved bit 3", frame(0x91, "a"), 1002},
		{"opcode 3", frame(0x83, "a"), 1002},
		{"opcode 7", frame(0x87, "a"), 1002},
		{"opcode B", frame(0x8B, "a"), 1002},
		{"opcode F", frame(0x8F, "a"), 1002},
		{"fragmented ping", frame(0x09, "a"), 1002},
		{"ping of 126 bytes", frame(0x89, strings.Repeat("p", 126)), 1002},
		{"continuation of nothing", frame(0x80, "a"), 1002},
		{"text inside a message", join(frame(0x01, "a"), frame(0x81, "b")), 1002},
		{"close of one byte", frame(0x88, "a"), 1002},
		{"close 999", frame(0x88, closePayload(999, "")), 1002},
		{"close 1004", frame(0x88, closePayload(1004, "")), 1002},
		{"close 1005", frame(0x88, closePayload(1005, "")), 1002},
		{"close 1006", frame(0x88, closePayload(1006, "")), 1002},
		{"close 1015", frame(0x88, closePayload(1015, "")), 1002},
		{"close 1016", frame(0x88, closePayload(1016, "")), 1002},
		{"close 2999", frame(0x88, closePayload(2999, "")), 1002},
		{"close 5000", frame(0x88, closePayload(5000, "")), 1002},
		{"close with a reason that is not UTF-8", frame(0x88, closePayload(1000, "\xff")), 1002},
		{"length with the first bit set", []byte{0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, 1002},
		{"length 5 in two bytes", []byte{0x81, 0xFE, 0, 5, 0, 0, 0, 0}, 1002},
		{"length 300 in eight bytes", []byte{0x81, 0xFF, 0, 0, 0, 0, 0, 0, 1, 44, 0, 0, 0, 0}, 1002},
		{"binary", frame(0x82, "a"), 1003},
		{"not UTF-8", frame(0x81, "\xc3\x28"), 1007},
		{"half a character", frame(0x81, "\xd0"), 1007},
		{"not UTF-8 over two fragments", join(frame(0x01, "a\xd0"), frame(0x80, "(")), 1007},
		{"5000 bytes", frame(0x81, long), 1009},
		{"5000 bytes in fragments", join(frame(0x01, long[:2500]), frame(0x80, long[2500:])), 1009},
		{"length 2^63-1", []byte{0x81, 0xFF, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, 1009},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := dial(t, Limits{MaxFrame: 4096}, nil)
			s.raw(tt.bytes...)
			if reason := s.wantClose(tt.code); reason == "" {
				t.Error("no reason is given")
			}
			s.raw(frame(0x88, closePayload(tt.code, ""))...)
			_ = s.conn.CloseWrite()
			s.wantEnded(tt.code)
			if len(s.peer.texts()) != 0 {
				t.Errorf("the peer received %q", s.peer.texts())
			}
		})
	}
}

func testFramesThatAreAllowedArrive(t *testing.T, dial dialer) {
	tests := []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"empty", frame(0x81, ""), ""},
		{"text", frame(0x81, "привет"), "привет"},
		{"zero byte", frame(0x81, "a\x00b"), "a\x00b"},
		{"125 bytes", frame(0x81, strings.Repeat("a", 125)), strings.Repeat("a", 125)},
		{"126 bytes", frame(0x81, strings.Repeat("b", 126)), strings.Repeat("b", 126)},
		{"the limit", frame(0x81, strings.Repeat("c", 4096)), strings.Repeat("c", 4096)},
		{"fragments", join(frame(0x01, "при"), frame(0x00, ""), frame(0x00, "в"), frame(0x80, "ет")), "привет"},
		{"a character in two fragments", join(frame(0x01, "\xd0"), frame(0x80, "\xbf")), "п"},
		{"ping between fragments", join(frame(0x01, "a"), frame(0x89, "x"), frame(0x80, "b")), "ab"},
		{"pong that nobody asked for", join(frame(0x8A, "x"), frame(0x81, "a")), "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := dial(t, Limits{MaxFrame: 4096}, nil)
			s.raw(tt.bytes...)
			s.raw(frame(0x88, closePayload(1000, ""))...)
			s.wantClose(1000)
			s.wantEnded(1000)
			if got := s.peer.texts(); len(got) != 1 || got[0] != tt.want {
				t.Errorf("received %.80q, want one %.80q", got, tt.want)
			}
		})
	}
}

func testCloseOfTheClientIsEchoedAndTheConnectionClosed(t *testing.T, dial dialer) {
	for _, code := range []int{1000, 1001, 1012, 3000, 4999, closeNoStatus} {
		s := dial(t, Limits{}, nil)
		payload := ""
		if code != closeNoStatus {
			payload = closePayload(code, "bye")
		}
		s.raw(frame(0x88, payload)...)
		s.wantClose(code)
		if _, err := s.in.ReadByte(); err != io.EOF {
			t.Errorf("after the close frame: %v, want EOF", err)
		}
		s.wantEnded(code)
	}
}

func testPingIsAnsweredWithItsPayload(t *testing.T, dial dialer) {
	s := dial(t, Limits{}, nil)
	for _, payload := range []string{"", "x", strings.Repeat("p", 125)} {
		s.raw(frame(0x89, payload)...)
		if op, got := s.read(); op != opPong || got != payload {
			t.Errorf("answer to ping %.20q: opcode %d %.20q", payload, op, got)
		}
	}
}

func testPingFloodIsEnded(t *testing.T, dial dialer) {
	s := dial(t, Limits{}, nil)
	go func() {
		flood := bytes.Repeat(frame(0x89, "x"), 1000)
		for range 20 {
			if _, err := s.conn.Write(flood); err != nil {
				return
			}
		}
	}()
	s.wantClose(1008)
}

func testTinyFragmentsAreEnded(t *testing.T, dial dialer) {
	for _, tiny := range []string{"", "x", strings.Repeat("x", tinyFragment-1)} {
		s := dial(t, Limits{MaxFrame: 1 << 20}, nil)
		s.raw(join(frame(0x01, tiny), bytes.Repeat(frame(0x00, tiny), 3000))...)
		s.wantClose(1008)
	}
	s := dial(t, Limits{MaxFrame: 1 << 20}, nil)
	small := strings.Repeat("x", tinyFragment)
	s.raw(join(frame(0x01, small), bytes.Repeat(frame(0x00, small), 3000), frame(0x80, "."))...)
	few := join(frame(0x01, "x"), bytes.Repeat(frame(0x00, "x"), freeTiny-1), frame(0x80, "."))
	s.raw(bytes.Repeat(few, 50)...)
	s.raw(frame(0x88, closePayload(1000, ""))...)
	s.wantClose(1000)
	s.wantEnded(1000)
	if got := s.peer.texts(); len(got) != 51 || got[0] != strings.Repeat(small, 3001)+"." || got[50] != strings.Repeat("x", freeTiny)+"." {
		t.Errorf("received %d messages, %.80q", len(got), got)
	}
}

func testPendingIsWrittenInOrder(t *testing.T, dial dialer) {
	s := dial(t, Limits{}, nil)
	s.peer.send("one", strings.Repeat("2", 200), strings.Repeat("3", 70000))
	s.wantText("one")
	s.wantText(strings.Repeat("2", 200))
	s.wantText(strings.Repeat("3", 70000))
	s.peer.send("four")
	s.wantText("four")
}

func testEndOfThePeerComesAfterWhatIsPending(t *testing.T, dial dialer) {
	s := dial(t, Limits{}, func(p *fakePeer) {
		p.send("last")
		p.end(1012, "restart")
	})
	s.wantText("last")
	if reason := s.wantClose(1012); reason != "restart" {
		t.Errorf("reason %q, want restart", reason)
	}
	began := time.Now()
	s.raw(frame(0x88, closePayload(1012, ""))...)
	s.wantEnded(1012)
	if d := time.Since(began); d > time.Second {
		t.Errorf("the end took %s after the client's answer", d)
	}
}

func testEndDoesNotWaitForAClientThatDoesNotAnswer(t *testing.T, dial dialer) {
	s := dial(t, Limits{}, func(p *fakePeer) { p.end(1001, "bye") })
	s.wantClose(1001)
	began := time.Now()
	s.wantEnded(1001)
	if d := time.Since(began); d < closeTimeout/2 || d > 3*closeTimeout {
		t.Errorf("waited %s for the answer, want about %s", d, closeTimeout)
	}
}

func testSilentConnectionIsPingedAndEnded(t *testing.T, dial dialer) {
	s := dial(t, Limits{PingInterval: 50 * time.Millisecond, IdleTimeout: 400 * time.Millisecond}, nil)
	if op, _ := s.read(); op != opPing {
		t.Fatalf("opcode %d, want a ping", op)
	}
	s.wantClose(1001)
	s.raw(frame(0x88, closePayload(1001, ""))...)
	s.wantEnded(1001)
}

// A ping comes before the end even if the program was held up for longer than both times.
func testNobodyIsEndedUnasked(t *testing.T, dial dialer) {
	s := dial(t, Limits{PingInterval: 20 * time.Millisecond, IdleTimeout: 20 * time.Millisecond}, nil)
	if op, _ := s.read(); op != opPing {
		t.Fatalf("opcode %d, want a ping", op)
	}
	s.wantClose(1001)
}

func testPongsKeepAConnection(t *testing.T, dial dialer) {
	s := dial(t, Limits{PingInterval: 50 * time.Millisecond, IdleTimeout: time.Second}, nil)
	for began := time.Now(); time.Since(began) < 2*time.Second; {
		if op, _ := s.read(); op != opPing {
			t.Fatalf("opcode %d, want a ping", op)
		}
		s.raw(frame(0x8A, "")...)
	}
}

func testMessageThatNeverEndsIsEndedThoughPingsCome(t *testing.T, dial dialer) {
	s := dial(t, Limits{PingInterval: 20 * time.Millisecond, IdleTimeout: 300 * time.Millisecond}, nil)
	s.raw(frame(0x01, "a")...)
	for {
		op, payload := s.read()
		if op == opClose {
			if code := int(binary.BigEndian.Uint16([]byte(payload))); code != 1008 {
				t.Fatalf("close %d, want 1008", code)
			}
			return
		}
		s.raw(frame(0x8A, "")...)
	}
}

func testStalledClientIsEndedAndSlowOneIsNot(t *testing.T, dial dialer) {
	limits := Limits{StallTimeout: 600 * time.Millisecond, PingInterval: time.Minute, IdleTimeout: 2 * time.Minute}
	shorter := Limits{StallTimeout: 1500 * time.Millisecond, PingInterval: 400 * time.Millisecond, IdleTimeout: 1500 * time.Millisecond}
	text := strings.Repeat("s", 100_000)
	fill := func(p *fakePeer) {
		for range 200 { // 20 MB: more than the kernel takes
			p.send(text)
		}
	}
	t.Run("stalled", func(t *testing.T) {
		t.Parallel()
		s := dial(t, limits, fill)
		began := time.Now()
		if reason := s.wantEnded(1013); reason != "slow consumer" {
			t.Errorf("reason %q", reason)
		}
		if d := time.Since(began); d < limits.StallTimeout {
			t.Errorf("ended after %s, before the stall timeout", d)
		}
	})
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		s := dial(t, shorter, fill) // it answers no ping: it has not come to them
		tick := time.NewTicker(25 * time.Millisecond)
		defer tick.Stop()
		for range 200 { // three times the timeouts, though nothing is lost
			<-tick.C
			op, payload := s.read()
			for op == opPing {
				op, payload = s.read()
			}
			if op != opText || payload != text {
				t.Fatalf("opcode %d and %d bytes, want the text", op, len(payload))
			}
		}
	})
}

func testPongComesBetweenFramesOfASlowReader(t *testing.T, dial dialer) {
	text := strings.Repeat("s", 50_000)
	s := dial(t, Limits{StallTimeout: 10 * time.Second}, func(p *fakePeer) {
		for range 400 {
			p.send(text)
		}
	})
	s.raw(frame(0x89, "now")...)
	waitFor(t, func() bool { s.peer.mu.Lock(); defer s.peer.mu.Unlock(); return s.peer.wrote > 0 })
	pong := -1
	for i := range 401 {
		op, payload := s.read()
		switch {
		case op == opPong && payload == "now":
			pong = i
		case op != opText || payload != text:
			t.Fatalf("frame %d is broken: opcode %d, %d bytes", i, op, len(payload))
		}
	}
	if pong < 0 || pong == 400 {
		t.Errorf("the pong came as frame %d of 401", pong)
	}
}

func testLostConnections(t *testing.T, dial dialer) {
	t.Run("closed", func(t *testing.T) {
		s := dial(t, Limits{}, nil)
		_ = s.conn.Close()
		s.wantEnded(1006)
	})
	t.Run("reset", func(t *testing.T) {
		s := dial(t, Limits{}, nil)
		_ = s.conn.SetLinger(0)
		_ = s.conn.Close()
		s.wantEnded(1006)
	})
	t.Run("half closed", func(t *testing.T) {
		s := dial(t, Limits{}, nil)
		_ = s.conn.CloseWrite()
		s.wantEnded(1006)
	})
	t.Run("in the middle of a frame", func(t *testing.T) {
		s := dial(t, Limits{}, nil)
		s.raw(frame(0x81, "abc")[:5]...)
		_ = s.conn.Close()
		s.wantEnded(1006)
	})
	t.Run("while the writer hangs", func(t *testing.T) {
		s := dial(t, Limits{StallTimeout: 5 * time.Second}, func(p *fakePeer) { p.send(strings.Repeat("x", 20_000_000)) })
		waitFor(t, func() bool { s.peer.mu.Lock(); defer s.peer.mu.Unlock(); return s.peer.wrote > 0 })
		_ = s.conn.SetLinger(0)
		_ = s.conn.Close()
		s.wantEnded(1006)
	})
}

func testPanicOfThePeerEndsItsConnectionOnly(t *testing.T, dial dialer) {
	s := dial(t, Limits{}, func(p *fakePeer) { p.receive = func(string) { panic("secret") } })
	s.raw(frame(0x81, "boom")...)
	if reason := s.wantClose(1011); strings.Contains(reason, "secret") {
		t.Errorf("the reason tells of the panic: %q", reason)
	}
	s.raw(frame(0x88, closePayload(1011, ""))...)
	s.wantEnded(1011)
}

func testReceiveThatBlocksIsBackPressureAndNotSilence(t *testing.T, dial dialer) {
	release := make(chan struct{})
	s := dial(t, Limits{PingInterval: 20 * time.Millisecond, IdleTimeout: 100 * time.Millisecond}, func(p *fakePeer) {
		p.receive = func(text string) {
			if text == "block" {
				<-release
			}
		}
	})
	s.raw(join(frame(0x81, "block"), frame(0x81, "next"))...)
	waitFor(t, func() bool { return len(s.peer.texts()) == 1 })
	timer := time.NewTimer(400 * time.Millisecond) // four times the idle timeout
	<-timer.C
	if got := s.peer.texts(); len(got) != 1 {
		t.Fatalf("received %q while the first was being handled", got)
	}
	close(release)
	waitFor(t, func() bool { return len(s.peer.texts()) == 2 })
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		if ok() {
			return
		}
		<-tick.C
	}
	t.Fatal("waited too long")
}
