package socket

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestLongCloseReasonIsCutAtACharacter(t *testing.T) {
	b := appendClose(nil, 1008, strings.Repeat("ы", 100))
	if len(b) > 2+maxControlPayload || !strings.HasSuffix(string(b), "ыы") {
		t.Errorf("%d bytes, ending in %q", len(b), b[len(b)-4:])
	}
}

func FuzzReader(f *testing.F) {
	f.Add(frame(0x81, "привет"))
	f.Add(join(frame(0x01, "a"), frame(0x89, "x"), frame(0x80, "b")))
	f.Add([]byte{0x81, 0xFF, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		client, server := net.Pipe()
		p := newFakePeer()
		done := make(chan struct{})
		go func() {
			defer close(done)
			serve(server, server, nil, p, Limits{MaxFrame: 4096}, nil)
		}()
		go func() { _, _ = io.Copy(io.Discard, client) }()
		_ = client.SetWriteDeadline(time.Now().Add(2 * time.Second))
		_, _ = client.Write(data)
		_ = client.Close()
		<-done
		for _, text := range p.texts() {
			if len(text) > 4096 {
				t.Errorf("a message of %d bytes came through", len(text))
			}
		}
	})
}

// A TLS connection is broken by a write that timed out, so it is written in small pieces; a pipe stands for it here.
func TestConnectionWhoseWritesCannotGoOn(t *testing.T) {
	text := strings.Repeat("t", 100_000)
	for name, reads := range map[string]bool{"read slowly": true, "stalled": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := net.Pipe()
			p := newFakePeer()
			p.send(text)
			done := make(chan struct{})
			go func() {
				defer close(done)
				serve(server, server, nil, p, Limits{StallTimeout: time.Second}, nil)
			}()
			tick := time.NewTicker(200 * time.Millisecond)
			defer tick.Stop()
			var got []byte
			for want := serverFrame(text); reads && len(got) < len(want); <-tick.C { // longer than the stall timeout
				part := make([]byte, min(tlsChunk, len(want)-len(got)))
				n, err := io.ReadFull(client, part)
				if err != nil {
					t.Fatalf("after %d bytes: %v", len(got)+n, err)
				}
				if got = append(got, part...); !bytes.HasPrefix(want, got) {
					t.Fatalf("the bytes are not what was pending, at %d", len(got))
				}
			}
			if reads {
				_ = client.Close()
			}
			<-done
			if v := <-p.ended; v.code == 1013 == reads {
				t.Errorf("ended with %d %q", v.code, v.reason)
			}
			_ = client.Close()
		})
	}
}
