package tests

import (
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// When nothing more can be written, sends are refused, nothing is acknowledged falsely, and what there is can be read.
// The limit on the size of files stands for a full disk: it needs no file system of its own.
func TestDiskThatTakesNothingMore(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("skipped: the limit on the size of files is set as on Linux")
	}
	dir := t.TempDir()
	args := []string{"-c", `ulimit -f 4096; exec "$0" "$@"`, serverBinary, "--listen", "127.0.0.1:0", "--data-dir", dir, "--log-format", "json", "--no-limits"}
	s := launchCommand(t, exec.Command("bash", args...))
	s.dir = dir
	s.addr = "127.0.0.1:" + s.log.await(t, regexp.MustCompile(`http://127\.0\.0\.1:(\d+)`), s.exited)[1]
	s.awaitReady()

	acked := map[int64]string{}
	for n, refusals := 0, 0; refusals < 10; n++ { // one refusal may be mended by a checkpoint
		if n == 5000 {
			t.Fatal("20 MB were stored where 4 may be")
		}
		text := fmt.Sprintf("%d %s", n, strings.Repeat("x", 4000))
		switch r := s.curl("/r/lobby/messages?name=ci", text); r.status {
		case http.StatusCreated:
			acked[posted(t, r).Seq] = text
			refusals = 0
		case http.StatusServiceUnavailable:
			refusals++
		default:
			t.Fatalf("a message by HTTP: %d %s, want 201 or 503", r.status, r.body)
		}
	}
	c := s.joined("Иван")
	for n := 0; ; n++ { // the last refusal may have made room for some
		id := fmt.Sprintf("big-%d", n)
		text := fmt.Sprintf("%d %s", n, strings.Repeat("y", 4000))
		c.say(id, text)
		a := c.answer(id)
		if a.Type == "ack" && n < 1000 {
			acked[a.Seq] = text
			continue
		}
		if a.Code != "unavailable" {
			t.Errorf("a send is answered %s, want unavailable", a.raw)
		}
		break
	}
	if code, reason := c.ended(); code != 1013 {
		t.Errorf("the connection ended with %d %q, want 1013", code, reason)
	}
	if messages := s.list("after=0"); len(messages) == 0 {
		t.Error("nothing can be read any more")
	}
	if r := s.request("GET", "/healthz", ""); r.status != http.StatusOK {
		t.Errorf("/healthz = %d", r.status)
	}
	s.kill()

	s = startIn(t, dir, "127.0.0.1:0", "--no-limits")
	stored := map[int64]string{}
	for _, m := range s.everything() {
		stored[m.Seq] = m.Text
	}
	for seq, text := range acked {
		if stored[seq] != text {
			t.Errorf("number %d was acknowledged as %.10q and is %.10q", seq, text, stored[seq])
		}
	}
	if r := s.curl("/r/lobby/messages?name=ci", "места снова хватает"); r.status != http.StatusCreated {
		t.Errorf("with room again: %d %s", r.status, r.body)
	}
}
