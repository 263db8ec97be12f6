package hub

import (
	"net/netip"
	"strings"
	"testing"

	"govor/hub/protocol"
)

// A session whose room cannot be read when it joins is told to come back: it would have no seat, and wait for ever.
func TestSessionThatCannotBeSeatedIsEnded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		format protocol.Format
		hello  string
	}{
		{"text", protocol.Text{}, ""},
		{"JSON", protocol.JSON{}, `{"type":"hello","rooms":{"lobby":{"after":3,"id":"x"}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Limits{})
			w.sayMany(5)
			m, err := w.hub.Guest(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			from := netip.MustParseAddr("127.0.0.1")
			r, err := w.hub.Submit(t.Context(), m, from, protocol.Send{Room: "lobby", Text: "x"})
			if err == nil { // so that numbers are more than messages, which is found out by reading
				_, err = w.hub.Delete(t.Context(), m, from, protocol.Delete{Room: "lobby", Seq: r.Seq})
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := w.store.Close(); err != nil {
				t.Fatal(err)
			}
			c := w.open(SessionParams{Member: m, Format: tt.format, History: 2})
			if tt.hello != "" {
				c.send("%s", tt.hello)
			}
			for !strings.Contains(c.next(), "the history cannot be read now") {
			}
			if code, reason, ok := c.s.Ending(); !ok || code != protocol.CloseTryAgain || reason != reasonUnavailable {
				t.Errorf("the session ends: %t, with %d %q", ok, code, reason)
			}
		})
	}
}
