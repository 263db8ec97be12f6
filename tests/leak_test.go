package tests

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"testing"
)

// Connections that come and go, politely or not, leave no goroutine, no descriptor and nobody behind.
func TestConnectionsLeaveNothingBehind(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		cookie := s.login("Иван")
		round := func(i int) {
			c := s.dial(url.Values{"name": {fmt.Sprintf("n-%d", i)}}, []string{"", "govor.v1.json"}[i%2], nil)
			switch i % 5 {
			case 0: // cut before anything was said
			case 1:
				c.next("welcome")
				c.close()
				return
			case 2:
				c.next("welcome")
				c.write(`{"type":"hello","rooms":{"lobby":{"after":0},"other":{}}}`)
			case 3:
				c.write("привет")
			case 4:
				page := s.page(cookie)
				page.send(fmt.Sprintf("p-%d", i), "привет")
				_ = page.ws.CloseNow()
			}
			_ = c.ws.CloseNow()
		}
		half, err := net.Dial("tcp", s.addr) // a request that never ends is not a connection yet
		if err != nil {
			t.Fatal(err)
		}
		defer half.Close()
		fmt.Fprint(half, "GET /ws HTTP/1.1\r\nHost: ")
		for i := range 20 {
			round(i)
		}
		gone := func() bool { return s.metric("chat_active_connections") == 0 && s.metric("chat_rooms_resident") == 0 }
		eventually(t, "everybody has gone", gone)
		goroutines, files := s.metric("go_goroutines"), s.descriptors()
		for i := range 400 {
			round(i)
		}
		eventually(t, "everybody has gone again", gone)
		eventually(t, fmt.Sprintf("there are no more than about %v goroutines and %d descriptors", goroutines, files), func() bool {
			return s.metric("go_goroutines") <= goroutines+10 && s.descriptors() <= files+10
		})
	}, "--no-limits", "--presence-grace", "100ms")
}

// descriptors counts the open files of the process, 0 where that cannot be seen.
func (s *server) descriptors() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return len(entries)
}
