package tests

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// Who connects too fast meets a network that loses what one sends, instead of costing everybody else something; others
// come in at once, and so does the address itself a little later, by the attempt that its system repeats.
func TestWhoConnectsTooFastIsNotHeardForAWhile(t *testing.T) {
	s := start(t, "--connects-per-ip", "1")
	comeFrom := func(last byte, patience time.Duration) error {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}, Timeout: patience}
		c, err := dialer.Dial("tcp", s.addr)
		if err == nil {
			t.Cleanup(func() { c.Close() })
		}
		return err
	}
	lost := func() bool { return errors.Is(comeFrom(2, 100*time.Millisecond), os.ErrDeadlineExceeded) }
	eventually(t, "somebody is not heard", lost)
	if err := comeFrom(3, patience); err != nil {
		t.Error("another address does not come in:", err)
	}
	if err := comeFrom(2, patience); err != nil {
		t.Error("later the address does not come in either:", err)
	}
}
