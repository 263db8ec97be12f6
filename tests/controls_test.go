package tests

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Pings have a limit; who is over it is ended, and that is counted.
func TestPingsHaveALimit(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		c, _ := s.text("Иван", "")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for ctx.Err() == nil {
			if err := c.ws.Ping(ctx); err != nil {
				break
			}
		}
		for range c.frames { // up to the end
		}
		if got := websocket.CloseStatus(c.err); got != websocket.StatusPolicyViolation {
			t.Errorf("ended with %d (%v), want 1008", got, c.err)
		}
		eventually(t, "the end is counted", func() bool {
			return strings.Contains(s.request("GET", "/metrics", "").body, `chat_limited_total{limit="control-rate"} 1`)
		})
	}, "--control-rate", "1", "--idle-timeout", time.Hour.String())
}
