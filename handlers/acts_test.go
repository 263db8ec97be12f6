package handlers

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"govor/hub"
	"govor/hub/protocol"
)

// trusting is a site behind a proxy on this machine, which tells the addresses of people.
func trusting(t *testing.T) *site {
	t.Helper()
	return newSite(t, func(c *Config, _ *hub.Limits) { c.TrustedProxies = []string{"127.0.0.1"} })
}

// owner logs somebody in and makes them the owner by the link.
func (s *site) owner(name string) *http.Client {
	s.t.Helper()
	c := s.client(true)
	a := s.post(c, "/owner", "key", s.hub.NewOwnerKey(false), "name", name)
	if a.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("become owner: %d\n%s", a.StatusCode, a.body)
	}
	return c
}

// post sends a form of a page of ours.
func (s *site) post(c *http.Client, path string, fields ...string) answer {
	s.t.Helper()
	return s.postFrom(c, "", path, fields...)
}

// postFrom does so from an address, by the proxy.
func (s *site) postFrom(c *http.Client, addr, path string, fields ...string) answer {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	headers := s.asPage()
	if addr != "" {
		headers["X-Real-Ip"] = addr
	}
	return s.ask(c, request{method: http.MethodPost, path: path, body: form.Encode(), headers: headers})
}

// look asks for a page as a browser does.
func (s *site) look(c *http.Client, addr, path string) answer {
	s.t.Helper()
	headers := map[string]string{"Accept": "text/html", "Accept-Language": "en"}
	if addr != "" {
		headers["X-Real-Ip"] = addr
	}
	return s.ask(c, request{path: path, headers: headers})
}

// memberOf is the id of whoever is logged in at a browser.
func (s *site) memberOf(c *http.Client) string {
	s.t.Helper()
	page := s.look(c, "", "/r/lobby").want(s.t, http.StatusOK).body
	_, rest, ok := strings.Cut(page, `data-me="`)
	id, _, _ := strings.Cut(rest, `"`)
	if !ok || id == "" {
		s.t.Fatalf("no member in the page: %.500s", page)
	}
	return id
}

func TestOwnerLinkAsksFirstAndIsGoodOnce(t *testing.T) {
	s := newSite(t, nil)
	key := s.hub.NewOwnerKey(false)
	nobody := s.client(true)
	page := s.look(nobody, "", OwnerPath(key)).want(t, http.StatusOK)
	if !strings.Contains(page.body, `name="key" value="`+key+`"`) || !strings.Contains(page.body, `name="name"`) {
		t.Errorf("the page does not ask: %s", page.body)
	}
	if s.hub.NewOwnerKey(false) == "" {
		t.Error("looking at the link made an owner")
	}
	key = s.hub.NewOwnerKey(false)
	s.look(nobody, "", OwnerPath("wrong")).want(t, http.StatusForbidden)
	s.post(nobody, "/owner", "key", "wrong", "name", "Мария").want(t, http.StatusForbidden)
	s.ask(nobody, request{path: "/owner", body: "key=" + key + "&name=x", headers: map[string]string{"Origin": "http://evil.example"}}).want(t, http.StatusForbidden)
	if a := s.post(nobody, "/owner", "key", key, "name", "").want(t, http.StatusBadRequest); !strings.Contains(a.body, key) {
		t.Error("the key is gone from the page")
	}
	s.login("Мария")
	if a := s.post(nobody, "/owner", "key", key, "name", "Мария").want(t, http.StatusConflict); !strings.Contains(a.body, `value="Мария"`) {
		t.Error("the name is gone from the page")
	}
	s.post(nobody, "/owner", "key", key, "name", "Анна").want(t, http.StatusSeeOther)
	if page := s.look(nobody, "", "/r/lobby"); !strings.Contains(page.body, `data-role="owner"`) {
		t.Error("whoever opened the link is not the owner")
	}
	s.look(nobody, "", OwnerPath(key)).want(t, http.StatusForbidden)
	s.post(s.login("Пётр"), "/owner", "key", key).want(t, http.StatusForbidden)
	for _, e := range s.logs.All() {
		if b, _ := json.Marshal(e.ContextMap()); strings.Contains(string(b)+e.Message, key) {
			t.Errorf("the key is in the log: %s", b)
		}
	}
}

func TestWhoIsLoggedInBecomesOwnerByTheLink(t *testing.T) {
	s := newSite(t, nil)
	c, key := s.login("Мария"), s.hub.NewOwnerKey(false)
	if a := s.look(c, "", OwnerPath(key)).want(t, http.StatusOK); !strings.Contains(a.body, "You are Мария") && !strings.Contains(a.body, "Мария") {
		t.Errorf("the page does not say who: %s", a.body)
	}
	s.post(c, "/owner", "key", key).want(t, http.StatusSeeOther)
	if a := s.look(c, "", "/audit").want(t, http.StatusOK); !strings.Contains(a.body, "Мария") {
		t.Errorf("the audit list: %s", a.body)
	}
}

// Everything that hosts do, by everybody, as a form of the page, as JSON by a program, and typed into the form of a room.
func TestPermissionsByHTTP(t *testing.T) {
	type way struct {
		name string
		do   func(s *site, c *http.Client, fields map[string]string) answer
	}
	ways := []way{
		{"form", func(s *site, c *http.Client, fields map[string]string) answer {
			var list []string
			for k, v := range fields {
				list = append(list, k, v)
			}
			return s.post(c, "/act", list...)
		}},
		{"JSON", func(s *site, c *http.Client, fields map[string]string) answer {
			body, _ := json.Marshal(fields)
			return s.ask(c, request{method: http.MethodPost, path: "/act", body: string(body), headers: map[string]string{"Content-Type": "application/json", "Origin": s.url}})
		}},
		{"typed", func(s *site, c *http.Client, fields map[string]string) answer {
			line := map[string]string{"kick": "/kick Цель", "mute": "/mute Цель 1h", "ban": "/ban Цель 1h", "close": "/close", "slow": "/slow 5s", "role": "/mod Цель"}[fields["action"]]
			return s.post(c, "/r/lobby/messages", "text", line)
		}},
	}
	acts := []map[string]string{
		{"action": "kick", "name": "Цель"},
		{"action": "mute", "name": "Цель", "for": "1h"},
		{"action": "ban", "name": "Цель", "for": "1h"},
		{"action": "close", "room": "lobby"},
		{"action": "slow", "room": "lobby", "for": "5s"},
		{"action": "role", "name": "Цель", "role": "moderator"},
	}
	for _, w := range ways {
		for _, by := range []string{"guest", "member", "moderator", "owner"} {
			t.Run(w.name+" by "+by, func(t *testing.T) {
				s := newSite(t, nil)
				clients := map[string]*http.Client{"owner": s.owner("Хозяйка"), "moderator": s.login("Ведёт"), "member": s.login("Простой"), "guest": s.client(true)}
				s.login("Цель")
				s.post(clients["owner"], "/act", "action", "role", "role", "moderator", "name", "Ведёт").want(t, http.StatusSeeOther)
				for _, fields := range acts {
					before := s.entries(clients["owner"])
					a := w.do(s, clients[by], fields)
					allowed := by == "owner" || by == "moderator" && fields["action"] != "role"
					if got := a.StatusCode < 400; got != allowed {
						t.Errorf("%s: status %d, allowed %v\n%.300s", fields["action"], a.StatusCode, allowed, a.body)
					}
					after := s.entries(clients["owner"])
					if stored := len(after) > len(before); stored != allowed {
						t.Errorf("%s: stored %v, allowed %v", fields["action"], stored, allowed)
					}
					if allowed && (after[0].Action != fields["action"] || after[0].By == "") {
						t.Errorf("%s: stored as %+v", fields["action"], after[0])
					}
				}
				for _, path := range []string{"/audit", "/audit.json", "/people/" + protocol.NewMemberID().String()} {
					want := map[string]int{"guest": http.StatusUnauthorized, "member": http.StatusForbidden}[by]
					if a := s.look(clients[by], "", path); want != 0 && a.StatusCode != want || want == 0 && a.StatusCode == http.StatusForbidden {
						t.Errorf("%s: status %d", path, a.StatusCode)
					}
				}
			})
		}
	}
}

type entry struct {
	Num             int64
	Action, By, Why string
	Nets            []string
}

// entries are the audit list as a program reads it.
func (s *site) entries(c *http.Client) []entry {
	s.t.Helper()
	a := s.ask(c, request{path: "/audit.json?limit=100"}).want(s.t, http.StatusOK)
	var list struct{ Entries []entry }
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		s.t.Fatal(err)
	}
	return list.Entries
}

func TestBannedMemberIsRefusedEverywhere(t *testing.T) {
	s := newSite(t, nil)
	owner, victim := s.owner("Мария"), s.login("Пётр")
	s.post(owner, "/act", "action", "ban", "member", s.memberOf(victim), "for", "1h", "why", "<спам>", "back", "/r/lobby").want(t, http.StatusSeeOther)
	for _, path := range []string{"/", "/r/lobby", "/r/lobby/1", "/audit"} {
		a := s.look(victim, "", path).want(t, http.StatusForbidden)
		if !strings.Contains(a.body, "Access denied") || !strings.Contains(a.body, "&lt;спам&gt;") || !strings.Contains(a.body, "1 h to go") {
			t.Errorf("%s says %s", path, a.body)
		}
	}
	s.post(victim, "/r/lobby/messages", "text", "привет").want(t, http.StatusForbidden)
	s.post(victim, "/login", "name", "Другой").want(t, http.StatusForbidden)
	if _, refused := s.tryDial("", victim, map[string]string{"Origin": s.url}, protocol.SubprotocolHTML); refused == nil || refused.status != http.StatusForbidden {
		t.Errorf("the upgrade: %+v", refused)
	}
	for _, query := range []string{"?name=" + url.QueryEscape("Пётр"), "?name=" + url.QueryEscape("пЁТР")} {
		if _, refused := s.tryDial(query, nil, nil); refused == nil || refused.status != http.StatusForbidden {
			t.Errorf("a guest by the name: %+v", refused)
		}
	}
	if a := s.ask(s.client(false), request{path: "/r/lobby/messages?name=" + url.QueryEscape("Пётр"), body: "x"}); a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, `"code":"banned"`) || a.Header.Get("Retry-After") == "" {
		t.Errorf("a message by the name: %d %s", a.StatusCode, a.body)
	}
	s.post(victim, "/logout").want(t, http.StatusSeeOther) // somebody else may come with this browser
	s.look(victim, "", "/").want(t, http.StatusOK)
	s.post(owner, "/act", "action", "unban", "name", "Пётр").want(t, http.StatusSeeOther)
	s.login("Пётр2")
}

func TestBannedAddressIsRefusedEverywhere(t *testing.T) {
	s := trusting(t)
	owner, other := s.owner("Мария"), s.client(true)
	a := s.postFrom(owner, "198.51.100.1", "/act", "action", "ban", "net", "203.0.113.0/24", "why", "спам")
	a.want(t, http.StatusSeeOther)
	for _, path := range []string{"/", "/r/lobby", "/r/lobby/messages.json", "/metrics2"} {
		s.look(other, "203.0.113.5", path).want(t, http.StatusForbidden)
	}
	s.look(other, "203.0.114.5", "/").want(t, http.StatusOK)
	s.look(other, "", AssetsPath()+"/css/all.css").want(t, http.StatusOK)
	s.look(other, "203.0.113.5", AssetsPath()+"/css/all.css").want(t, http.StatusOK)
	s.postFrom(other, "203.0.113.5", "/login", "name", "Пётр").want(t, http.StatusForbidden)
	if _, refused := s.tryDial("", nil, map[string]string{"X-Real-Ip": "203.0.113.5"}); refused == nil || refused.status != http.StatusForbidden {
		t.Errorf("the upgrade: %+v", refused)
	}
	s.look(owner, "203.0.113.5", "/r/lobby").want(t, http.StatusOK) // hosts come in from anywhere
	if list := s.entries(owner); len(list) != 2 || len(list[0].Nets) != 1 || list[0].Nets[0] != "203.0.113.0/24" {
		t.Errorf("the audit list has %+v", list)
	}
	if err := s.hub.ShutOut(hub.Member{}, netip.MustParseAddr("203.0.113.5")); err == nil {
		t.Error("the hub knows of no ban")
	}
}

// Who is no trusted proxy may claim to come from anywhere, and is where it is.
func TestForgedAddressIsNoWayAroundABan(t *testing.T) {
	s := newSite(t, nil)
	owner := s.owner("Мария")
	s.post(owner, "/act", "action", "ban", "net", "203.0.113.0/24").want(t, http.StatusSeeOther)
	s.look(s.client(true), "203.0.113.5", "/").want(t, http.StatusOK)
	a := s.post(owner, "/act", "action", "ban", "net", "127.0.0.0/8")
	a.want(t, http.StatusBadRequest)
}

func TestPersonPageShowsWhatIsPossible(t *testing.T) {
	s := newSite(t, nil)
	owner, mod, victim := s.owner("Мария"), s.login("Ведёт"), s.login("Пётр")
	id := s.memberOf(victim)
	s.post(owner, "/act", "action", "role", "role", "moderator", "name", "Ведёт").want(t, http.StatusSeeOther)
	line := s.dial("", victim, map[string]string{"Origin": s.url}, protocol.SubprotocolHTML)
	line.until("welcome")
	page := s.look(mod, "", "/people/"+id).want(t, http.StatusOK).body
	for _, want := range []string{`value="kick"`, `value="mute"`, `value="ban"`, `name="address"`, `name="why"`} {
		if !strings.Contains(page, want) {
			t.Errorf("a moderator misses %s", want)
		}
	}
	if strings.Contains(page, `value="unmute"`) || strings.Contains(page, `value="owner"`) {
		t.Errorf("a moderator is offered too much: %s", page)
	}
	if page := s.look(mod, "", "/people/"+s.memberOf(owner)).want(t, http.StatusOK).body; strings.Contains(page, `value="kick"`) {
		t.Errorf("a moderator is offered to act on the owner: %s", page)
	}
	a := s.post(mod, "/act", "action", "ban", "member", s.memberOf(owner), "why", "потому").want(t, http.StatusForbidden)
	if !strings.Contains(a.body, "cannot be done") {
		t.Errorf("the page does not say why: %s", a.body)
	}
	a = s.post(mod, "/act", "action", "mute", "member", id, "for", "soon", "why", "потому").want(t, http.StatusBadRequest)
	if !strings.Contains(a.body, "bad_command") && !strings.Contains(a.body, "not written") {
		t.Errorf("the page does not say what is wrong: %s", a.body)
	}
	a = s.post(mod, "/act", "action", "mute", "member", id, "for", "10m", "back", "https://evil.example/").want(t, http.StatusSeeOther)
	if to := a.Header.Get("Location"); to != "/r/lobby" {
		t.Errorf("goes on to %s", to)
	}
	line.until(`data-action="mute"`)
	page = s.look(owner, "", "/people/"+id).want(t, http.StatusOK).body
	if !strings.Contains(page, `value="unmute"`) || !strings.Contains(page, `value="owner"`) || !strings.Contains(page, "Cannot write, 10 min to go") {
		t.Errorf("the owner sees %s", page)
	}
	if page := s.look(victim, "", "/r/lobby").body; !strings.Contains(page, "not allowed to write, 10 min to go") {
		t.Error("the page of who is muted does not say so")
	}
	s.look(owner, "", "/people/"+protocol.NewMemberID().String()).want(t, http.StatusNotFound)
	s.look(owner, "", "/people/me").want(t, http.StatusNotFound)
}

func TestBackIsAPathOfOurs(t *testing.T) {
	for in, want := range map[string]string{
		"/r/планы": "/r/%D0%BF%D0%BB%D0%B0%D0%BD%D1%8B", "/r/lobby": "/r/lobby", "/audit": "/audit", "": "/r/lobby", "//evil.example/r/x": "/r/lobby",
		"https://evil.example/r/x": "/r/lobby", `/r/\evil`: "/r/lobby", "/login": "/r/lobby", "javascript:alert(1)": "/r/lobby", "/r/x?a=b": "/r/x",
	} {
		if got := ownPath(in); got != want {
			t.Errorf("ownPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestReadOnlyRoomSaysSoInThePage(t *testing.T) {
	s := newSite(t, nil)
	owner, member := s.owner("Мария"), s.login("Пётр")
	s.post(owner, "/act", "action", "close", "room", "lobby", "back", "/r/lobby").want(t, http.StatusSeeOther)
	page := s.look(member, "", "/r/lobby").body
	_, after, _ := strings.Cut(page, `id="readonly"`)
	if tag, _, _ := strings.Cut(after, ">"); strings.Contains(tag, "hidden") {
		t.Error("the page does not say that only hosts write")
	}
	a := s.post(member, "/r/lobby/messages", "text", "привет").want(t, http.StatusForbidden)
	if !strings.Contains(a.body, "Only hosts can write in this room") || !strings.Contains(a.body, "привет</textarea>") {
		t.Errorf("refused with %s", a.body)
	}
	s.post(owner, "/r/lobby/messages", "text", "привет").want(t, http.StatusSeeOther)
	s.post(owner, "/act", "action", "open", "room", "lobby").want(t, http.StatusSeeOther)
	s.post(member, "/r/lobby/messages", "text", "привет").want(t, http.StatusSeeOther)
	s.post(owner, "/act", "action", "slow", "room", "lobby", "for", "1h").want(t, http.StatusSeeOther)
	s.post(member, "/r/lobby/messages", "text", "раз").want(t, http.StatusSeeOther)
	a = s.post(member, "/r/lobby/messages", "text", "два").want(t, http.StatusTooManyRequests)
	if a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "Slow mode. The next message in 1 h") {
		t.Errorf("refused with %s", a.body)
	}
}

// Without scripts a host deletes what somebody else wrote on the page of the message, and says why.
func TestHostDeletesOnThePageOfAMessage(t *testing.T) {
	s := newSite(t, nil)
	owner, author, other := s.owner("Мария"), s.login("Пётр"), s.login("Анна")
	s.post(author, "/r/lobby/messages", "text", "спам").want(t, http.StatusSeeOther)
	if page := s.look(other, "", "/r/lobby/messages/1").want(t, http.StatusOK).body; strings.Contains(page, "/delete") {
		t.Error("a member is offered to delete it")
	}
	page := s.look(owner, "", "/r/lobby/messages/1").want(t, http.StatusOK).body
	if !strings.Contains(page, "/r/lobby/messages/1/delete") || strings.Contains(page, "/r/lobby/messages/1/edit") || !strings.Contains(page, `name="why"`) {
		t.Errorf("the owner sees %s", page)
	}
	s.post(other, "/r/lobby/messages/1/delete").want(t, http.StatusForbidden)
	s.post(owner, "/r/lobby/messages/1/delete", "why", "хватит").want(t, http.StatusSeeOther)
	if list := s.entries(owner); len(list) != 2 || list[0].Action != "delete" || list[0].Why != "хватит" {
		t.Errorf("the audit list has %+v", list)
	}
}
