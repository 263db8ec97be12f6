//go:build unix

package tests

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"syscall"
	"testing"
)

// USR2: the program replaces itself. Clients are told to come back, nobody who knocks meanwhile is refused, the process
// keeps its number, and everything that was acknowledged is there.
func TestRestartInPlaceRefusesNobody(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		writer := &exactlyOnce{t: t, acked: map[string]int{}}
		c := writer.connect(s)
		writer.run(c, 50)

		stop := make(chan struct{})
		var knocking sync.WaitGroup
		knocks, refused := 0, error(nil)
		knocking.Go(func() {
			client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := client.Get(s.url("/healthz"))
				if err != nil {
					refused = err
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				knocks++
			}
		})
		for i := range 3 {
			text, _ := s.text(fmt.Sprintf("Иван-%d", i), "")
			if err := s.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
				t.Fatal(err)
			}
			if code, reason := text.ended(); code != 1012 {
				t.Errorf("the connection ended with %d %q, want 1012", code, reason)
			}
			s.log.await(t, regexp.MustCompile(fmt.Sprintf(`(?s)(?:"msg":"started".*){%d}`, i+2)), s.exited)
			s.awaitReady()
		}
		close(stop)
		knocking.Wait()
		if refused != nil || knocks == 0 {
			t.Errorf("after %d answers: %v", knocks, refused)
		}
		c = writer.connect(s)
		writer.finish(c)
		stored := s.everything()
		for id, seq := range writer.acked {
			if seq > len(stored) || stored[seq-1].ID != id {
				t.Errorf("%s was acknowledged as %d and is not there", id, seq)
			}
		}
		s.stop()
	}, "--no-limits")
}
