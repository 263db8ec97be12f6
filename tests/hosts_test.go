package tests

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

var ownerLink = regexp.MustCompile(`(http\S+)/owner\?key=(\w+)`)

// ownedBy makes somebody the owner by the link that the program has printed, and returns the cookie.
func (s *server) ownedBy(name string) string {
	s.t.Helper()
	m := s.log.await(s.t, ownerLink, s.exited)
	r := s.form("/owner", url.Values{"key": {m[2]}, "name": {name}}.Encode())
	cookie, _, _ := strings.Cut(r.header.Get("Set-Cookie"), ";")
	if r.status != http.StatusSeeOther || cookie == "" {
		s.t.Fatalf("POST /owner = %d %s", r.status, tail(r.body, 500))
	}
	return cookie
}

// acts does something as a form of the page, and returns the status.
func (s *server) acts(cookie string, fields ...string) int {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return s.form("/act", form.Encode(), "Cookie", cookie).status
}

func TestOwnerLinkIsPrintedWhileThereIsNoOwner(t *testing.T) {
	t.Parallel()
	s := start(t, "--base-url", "https://chat.example.org")
	first := s.log.await(t, ownerLink, s.exited)
	if first[1] != "https://chat.example.org" {
		t.Errorf("the link is at %s, want the base URL", first[1])
	}
	s.stop()
	s = startIn(t, s.dir, s.addr)
	second := s.log.await(t, ownerLink, s.exited)
	if second[1] != "http://"+s.addr || second[2] == first[2] {
		t.Errorf("after a restart the link is %v, before %v", second, first)
	}
	if r := s.request("GET", "/owner?key="+first[2], "", "Accept", "text/html"); r.status != http.StatusForbidden {
		t.Errorf("the old link gives %d", r.status)
	}
	if r := s.request("GET", "/owner?key="+second[2], "", "Accept", "text/html"); r.status != http.StatusOK || !strings.Contains(r.body, "Стать владельцем") {
		t.Errorf("the link gives %d %s", r.status, tail(r.body, 300))
	}
	for _, line := range s.log.lines() {
		if strings.Contains(line, second[2]) {
			t.Errorf("the key is in the log: %s", line)
		}
	}
	cookie := s.ownedBy("Мария")
	if r := s.form("/owner", "key="+second[2]+"&name=x"); r.status != http.StatusForbidden {
		t.Errorf("the link works again: %d", r.status)
	}
	s.stop()
	s = s.again()
	if ownerLink.MatchString(s.log.String()) {
		t.Error("there is a link although there is an owner")
	}
	if r := s.request("GET", "/r/lobby", "", "Cookie", cookie, "Accept", "text/html"); !strings.Contains(r.body, `data-role="owner"`) {
		t.Error("after a restart the owner is none")
	}
	s.stop()
	s = startIn(t, s.dir, s.addr, "--owner-link")
	s.ownedBy("Анна") // whoever runs the server makes another one
}

// Both drivers: a member is removed while it reads, and nothing of what is said afterwards reaches it, whatever its format.
func TestRemovedReadsNothingAfterAndIsTold(t *testing.T) {
	for _, driver := range []string{"on", "off"} {
		for _, action := range []string{"kick", "ban"} {
			t.Run(action+" with event loops "+driver, func(t *testing.T) {
				t.Parallel()
				s := start(t, "--no-limits", "--event-loop", driver)
				owner := s.ownedBy("Мария")
				victims := map[string]*conn{}
				victims["text"], _ = s.text("Текст", "")
				victims["json"] = s.joined("Джейсон").conn
				victims["html"] = s.page(s.login("Страница")).conn
				victims["html"].await(`data-frame="joined"`)
				talker := s.joined("Говорит")
				for format, name := range map[string]string{"text": "Текст", "json": "Джейсон", "html": "Страница"} {
					if status := s.acts(owner, "action", action, "name", name, "why", "из-за спама"); status != http.StatusSeeOther {
						t.Fatalf("%s of %s: %d", action, name, status)
					}
					for i := range 20 { // over connections of others, at once
						talker.say(fmt.Sprintf("%s-%d", format, i), "сказано после "+name)
					}
					victims[format].await("из-за спама")
					code, reason := victims[format].ended()
					want := map[string]string{"kick": "kicked", "ban": "banned"}[action]
					if code != int(websocket.StatusPolicyViolation) || reason != want {
						t.Errorf("%s ended with %d %q", format, code, reason)
					}
					for f := range victims[format].frames {
						if strings.Contains(f, "сказано после "+name) {
							t.Errorf("%s read %s", format, f)
						}
					}
				}
				_, status, err := s.tryDial(url.Values{"name": {"Текст"}}, "", nil)
				if refused := err != nil && status == http.StatusForbidden; refused != (action == "ban") {
					t.Errorf("coming back: %d, %v", status, err)
				}
			})
		}
	}
}

func TestBanOutlivesARestart(t *testing.T) {
	t.Parallel()
	s := start(t, "--trusted-proxies", "127.0.0.1")
	owner, victim := s.ownedBy("Мария"), s.login("Пётр")
	if a, b := s.acts(owner, "action", "ban", "name", "Пётр", "why", "спам"), s.acts(owner, "action", "ban", "net", "203.0.113.0/24"); a != 303 || b != 303 {
		t.Fatalf("ban: %d, %d", a, b)
	}
	s.acts(owner, "action", "close", "room", "lobby")
	for range 2 {
		if r := s.request("GET", "/r/lobby", "", "Cookie", victim, "Accept", "text/html"); r.status != http.StatusForbidden || !strings.Contains(r.body, "Причина: спам") {
			t.Errorf("the page of the banned: %d %s", r.status, tail(r.body, 300))
		}
		if r := s.request("GET", "/", "", "X-Real-Ip", "203.0.113.77"); r.status != http.StatusForbidden {
			t.Errorf("from the banned address: %d", r.status)
		}
		if r := s.request("GET", "/", "", "X-Real-Ip", "203.0.114.77"); r.status != http.StatusOK {
			t.Errorf("from another address: %d", r.status)
		}
		if r := s.curl("/r/lobby/messages?name=ci", "x"); r.status != http.StatusForbidden || !strings.Contains(r.body, "read_only") {
			t.Errorf("into the closed room: %d %s", r.status, r.body)
		}
		s.kill()
		s = s.again()
	}
}

// Who may do what over a socket, in each format, and what is stored of it.
func TestPermissionsOverSockets(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	owner, mod := s.ownedBy("Хозяйка"), s.login("Ведёт")
	s.login("Цель")
	s.acts(owner, "action", "role", "role", "moderator", "name", "Ведёт")
	ours := http.Header{"Origin": {"http://" + s.addr}}
	as := func(cookie string) http.Header { h := ours.Clone(); h.Set("Cookie", cookie); return h }
	by := map[string]http.Header{"owner": as(owner), "moderator": as(mod), "member": as(s.login("Простой")), "guest": nil}
	lines := []string{"/kick Цель", "/mute Цель 1h", "/unmute Цель", "/ban Цель 1h", "/unban Цель", "/close", "/open", "/slow 5s", "/slow 0", "/mod Цель", "/unmod Цель"}
	count := func() int {
		return strings.Count(s.request("GET", "/audit.json?limit=200", "", "Cookie", owner).body, `"num"`)
	}
	for who, header := range by {
		for _, format := range []string{"", "govor.v1.json", "govor.v1.html"} {
			if who == "guest" && format == "govor.v1.html" {
				continue // needs a login
			}
			c := s.dial(nil, format, header)
			for i, line := range lines {
				allowed := who == "owner" || who == "moderator" && !strings.Contains(line, "mod")
				before, answer := count(), ""
				if format == "" {
					c.write(line)
					answer = map[bool]string{true: "* ", false: "* error forbidden"}[allowed]
				} else {
					id := fmt.Sprintf("%s-%s-%d", who, strings.ReplaceAll(format, ".", ""), i)
					c.write(fmt.Sprintf(`{"type":"act","id":%q,"line":%q}`, id, line))
					answer = id
				}
				if got := c.await(answer); format != "" && strings.Contains(got, "forbidden") == allowed {
					t.Errorf("%s by %s in %q: %s", line, who, format, got)
				}
				if format == "" && allowed {
					eventually(t, "the act is stored: "+line, func() bool { return count() == before+1 })
				} else if stored := count() == before+1; stored != allowed {
					t.Errorf("%s by %s in %q: stored %v", line, who, format, stored)
				}
			}
			c.close()
		}
	}
	s.stop()
	if out := launch(t, "check", "--data-dir", s.dir); out.wait() != 0 {
		t.Errorf("check says %s", out.log.String())
	}
}
