package tests

import (
	"encoding/json"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// metric sums a metric over its labels; 0 when it is not there.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	sum := 0.0
	for line := range strings.Lines(s.request("GET", "/metrics", "").body) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), name)
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		v, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			s.t.Fatalf("the metric %q: %v", line, err)
		}
		sum += v
	}
	return sum
}

func TestMetricsCountWhatTheWishNames(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		type counts struct{ ever, messages, now float64 }
		read := func() counts {
			return counts{s.metric("chat_connections_total"), s.metric("chat_messages_total"), s.metric("chat_active_connections")}
		}
		page := s.request("GET", "/metrics", "").body
		for _, name := range []string{"chat_connections_total", "chat_messages_total", "chat_active_connections"} {
			if !strings.Contains(page, "\n"+name+" 0\n") {
				t.Errorf("/metrics has no %s that is 0 before anything happens", name)
			}
			if !strings.Contains(page, "# HELP "+name+" ") {
				t.Errorf("%s has no help", name)
			}
		}
		text, _ := s.text("Иван", "")
		program := s.joined("Робот")
		text.write("раз")
		program.message()
		program.say("m-1", "два")
		program.answer("m-1")
		program.say("m-1", "два") // a duplicate is no message
		program.answer("m-1")
		program.say("m-2", "")
		program.answer("m-2") // nor is a refusal
		s.curl("/r/lobby/messages?name=ci", "три")
		if got, want := read(), (counts{2, 3, 2}); got != want {
			t.Errorf("counts = %+v, want %+v", got, want)
		}
		text.close()
		program.close()
		eventually(t, "the connections are gone", func() bool { return read() == counts{2, 3, 0} })
		if s.metric("http_requests_total")+s.metric("chat_http_requests_total") == 0 {
			t.Error("/metrics counts no requests")
		}
		if s.metric("go_goroutines") == 0 {
			t.Error("/metrics says nothing of the process")
		}
	})
}

// Each limit of rates, connections and rooms is counted by the name of its flag, from the start.
func TestEveryLimitIsCounted(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.request("GET", "/metrics", "").body
	help, err := exec.Command(serverBinary, "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, limits, ok := strings.Cut(string(help), "\nLimits")
	limits, _, ok2 := strings.Cut(limits, "\nTime:")
	if !ok || !ok2 {
		t.Fatalf("the help has no limits:\n%s", help)
	}
	// Those of size are errors of what is too large, and told by their codes; three belong to others.
	others := map[string]bool{"max-text": true, "max-frame-bytes": true, "ring-bytes": true, "burst": true, "rate-patience": true, "no-limits": true}
	flags := []string{"request-timeout"}
	for _, m := range regexp.MustCompile(`--([a-z-]+) `).FindAllStringSubmatch(limits, -1) {
		flags = append(flags, m[1])
	}
	counted := 0
	for _, flag := range flags {
		switch has := strings.Contains(page, `chat_limited_total{limit="`+flag+`"} 0`); {
		case has:
			counted++
		case !others[flag]:
			t.Errorf("--%s is not counted", flag)
		}
	}
	if counted < 18 {
		t.Errorf("%d limits are counted", counted)
	}
}

// The log is JSON where it is not read on a terminal, says who came and went and why, and never what was said, nor
// anything that proves who somebody is.
func TestLogHasEventsAndNoSecrets(t *testing.T) {
	t.Parallel()
	s := start(t, "--log-level", "debug")
	const canary = "canary7f3a"
	cookie := s.login("Иван")
	c := s.json("Робот", "")
	c.send(map[string]any{"type": "hello", "token": canary + "." + canary})
	c.frame("error")
	c.say("m-1", "text "+canary)
	c.answer("m-1")
	c.write(`{"type":"` + canary + `"`)
	c.frame("error")
	d := s.dial(url.Values{"name": {"Мария"}, "secret": {canary}}, "", nil)
	d.next("welcome")
	d.write("line " + canary)
	d.await(canary)
	s.curl("/r/lobby/messages?name=ci&secret="+canary, "curl "+canary, "Cookie", "govor="+canary)
	s.curl("/r/lobby/messages", "curl "+canary, "Authorization", "Bearer "+canary)
	s.request("GET", "/r/lobby?q="+canary, "", "Accept", "text/html", "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
	s.request("GET", "/nothing?q="+canary, "")
	s.form("/login", "name="+url.QueryEscape("x\r\nINFO forged"))
	s.form("/logout", "", "Cookie", cookie)
	welcome := c.welcome
	c.close()
	eventually(t, "the log says that the session ended", func() bool {
		return strings.Contains(s.log.String(), "session ended") && strings.Contains(s.log.String(), welcome.Session)
	})
	metrics := s.request("GET", "/metrics", "").body
	s.stop()

	log := s.log.String()
	_, secret, _ := strings.Cut(cookie, "=")
	for what, never := range map[string]string{
		"what was said, a query or a credential": canary, "a login cookie": secret, "a token": welcome.Token, "a forged line": "\nINFO forged",
	} {
		if strings.Contains(log, never) {
			t.Errorf("the log has %s:\n%s", what, lineWith(log, never))
		}
		if strings.Contains(metrics, never) {
			t.Errorf("the metrics have %s:\n%s", what, lineWith(metrics, never))
		}
	}
	events := map[string]bool{}
	for _, line := range s.log.lines() {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("a line of the log is not JSON: %s", line)
			continue
		}
		msg, _ := entry["msg"].(string)
		events[msg] = true
		if entry["level"] == nil || msg == "" {
			t.Errorf("a line of the log has no level or no message: %s", line)
		}
		if msg == "session ended" && (entry["reason"] == nil || entry["session_id"] == nil) {
			t.Errorf("a session ended without a reason: %s", line)
		}
	}
	for _, want := range []string{"session opened", "session ended", "logged in", "login ended"} {
		if !events[want] {
			t.Errorf("the log never says %q", want)
		}
	}
}

func lineWith(s, part string) string {
	for line := range strings.Lines(s) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return part
}

// The collector waits for more garbage than a small server has in use, and the room for it takes no memory.
func TestSmallServerCollectsSeldom(t *testing.T) {
	t.Parallel()
	s := start(t)
	if next := s.metric("go_memstats_next_gc_bytes"); next < 32<<20 {
		t.Errorf("the collector runs at %.1f MiB, want at 32 or more", next/(1<<20))
	}
	resident := s.metric("process_resident_memory_bytes")
	if resident == 0 {
		t.Skip("skipped: this system does not say what is resident")
	}
	if resident > 54<<20 && !raceEnabled {
		t.Errorf("%.1f MiB are resident", resident/(1<<20))
	}
	t.Logf("%.1f MiB are resident", resident/(1<<20))
}
