package handlers

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"govor/hub"
)

func TestLoginLeadsIntoTheRoomAndIsRemembered(t *testing.T) {
	s := newSite(t, nil)
	c := s.client(true)
	if a := s.ask(c, request{path: "/"}).want(t, 200); !strings.Contains(a.body, `action="/login"`) {
		t.Fatal("the first page has no login form")
	}
	a := s.ask(c, request{path: "/login", body: "name=%D0%98%D0%B2%D0%B0%D0%BD+&room=%D0%BF%D0%BB%D0%B0%D0%BD%D1%8B", headers: s.asPage()}).want(t, 303)
	cookie := a.Cookies()[0]
	if cookie.Name != "govor" || !cookie.HttpOnly || cookie.Secure || cookie.SameSite != http.SameSiteLaxMode ||
		cookie.Path != "/" || cookie.MaxAge != 400*24*60*60 || cookie.Domain != "" {
		t.Errorf("cookie %+v", cookie)
	}
	next := a.Header.Get("Location")
	if next != "/r/%D0%BF%D0%BB%D0%B0%D0%BD%D1%8B?welcome=1" {
		t.Fatalf("login leads to %s", next)
	}
	a = s.ask(c, request{path: next}).want(t, 303)
	a = s.ask(c, request{path: a.Header.Get("Location")}).want(t, 200)
	if !strings.Contains(a.body, `data-name="Иван"`) || !strings.Contains(a.body, `data-room="планы"`) {
		t.Errorf("not the room of Иван:\n%.2000s", a.body)
	}
	if a := s.ask(c, request{path: "/"}).want(t, 303); a.Header.Get("Location") != "/r/lobby" {
		t.Errorf("/ leads to %s", a.Header.Get("Location"))
	}
}

func TestLoginThatIsRefusedKeepsWhatWasTyped(t *testing.T) {
	s := newSite(t, nil)
	s.login("Anna")
	tests := []struct {
		name, body string
		status     int
		want       []string
	}{
		{"empty", "name=++", 400, []string{`role="alert"`}},
		{"too long", "name=" + strings.Repeat("a", 33), 400, []string{strings.Repeat("a", 33), `role="alert"`}},
		{"bad", "name=a%3Ab", 400, []string{`value="a:b"`}},
		{"taken", "name=anna", 409, []string{`value="anna"`, "anna-2"}},
		{"reserved", "name=admin", 409, []string{`value="admin"`}},
		{"markup", "name=%3Cb%3E", 400, []string{`value="&lt;b&gt;"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := s.ask(s.client(true), request{path: "/login", body: tt.body + "&room=team", headers: s.asPage()}).want(t, tt.status)
			for _, want := range append(tt.want, `value="team"`) {
				if !strings.Contains(a.body, want) {
					t.Errorf("the page lacks %s:\n%s", want, a.body)
				}
			}
			if len(a.Cookies()) != 0 {
				t.Error("a cookie was set")
			}
		})
	}
}

func TestLoginOfAProgramIsAnsweredInJSON(t *testing.T) {
	s := newSite(t, nil)
	s.login("Anna")
	a := s.ask(s.client(false), request{path: "/login", body: "name=Anna"}).want(t, 409)
	if !strings.Contains(a.body, `"code":"name_taken"`) || !strings.Contains(a.body, `"suggestion":"Anna-2"`) {
		t.Errorf("answer %s", a.body)
	}
}

func TestCookieThatDidNotComeBackIsToldInWords(t *testing.T) {
	s := newSite(t, nil)
	a := s.ask(s.client(false), request{path: "/r/lobby?welcome=1", headers: map[string]string{"Accept-Language": "en"}}).want(t, 200)
	if !strings.Contains(a.body, `role="alert"`) || !strings.Contains(strings.ToLower(a.body), "cookie") {
		t.Errorf("the page says nothing of cookies:\n%s", a.body)
	}
}

func TestCookieThatIsNotValidIsTakenAway(t *testing.T) {
	s := newSite(t, nil)
	a := s.ask(s.client(false), request{path: "/r/lobby", headers: map[string]string{"Cookie": "govor=eyJtIjoiYSJ9.c2ln"}}).want(t, 200)
	if !strings.Contains(a.body, `action="/login"`) {
		t.Error("the page is not the login")
	}
	if c := a.Cookies(); len(c) != 1 || c[0].Name != "govor" || c[0].Value != "" {
		t.Errorf("cookies %v, want the old one deleted", c)
	}
}

func TestOverTLSOnlyTheHostCookieCounts(t *testing.T) {
	s := newSite(t, func(c *Config, _ *hub.Limits) { c.BaseURL = "https://chat.example" })
	headers := map[string]string{"Origin": "https://chat.example", "Host": "chat.example", "Accept": "text/html"}
	a := s.ask(s.client(false), request{path: "/login", body: "name=Anna", headers: headers}).want(t, 303)
	cookie := a.Cookies()[0]
	if cookie.Name != "__Host-govor" || !cookie.Secure || cookie.Path != "/" || cookie.Domain != "" {
		t.Fatalf("cookie %+v", cookie)
	}
	for name, status := range map[string]int{"__Host-govor": 303, "govor": 200} {
		headers["Cookie"] = name + "=" + cookie.Value
		s.ask(s.client(false), request{path: "/", headers: headers}).want(t, status)
	}
}

func TestProxyIsBelievedOnlyIfItIsTrusted(t *testing.T) {
	forwarded := map[string]string{"X-Forwarded-Proto": "https", "X-Real-Ip": "203.0.113.9", "X-Forwarded-Host": "evil.example", "Accept": "text/html"}
	for trusted, want := range map[string]string{"127.0.0.1": "__Host-govor", "10.0.0.0/8": "govor"} {
		s := newSite(t, func(c *Config, _ *hub.Limits) { c.TrustedProxies = []string{trusted} })
		a := s.ask(s.client(false), request{path: "/login", body: "name=Anna", headers: forwarded}).want(t, 303)
		if got := a.Cookies()[0].Name; got != want {
			t.Errorf("with %s trusted the cookie is %s, want %s", trusted, got, want)
		}
		s.ask(s.client(false), request{path: "/login", body: "name=", headers: forwarded}).want(t, 400)
		addr := s.logs.FilterMessage("request refused").All()[0].ContextMap()["remote_addr"]
		if (addr == "203.0.113.9") != (want == "__Host-govor") {
			t.Errorf("with %s trusted the address is %s", trusted, addr)
		}
	}
}

func TestLogoutEndsTheLoginEverywhere(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Anna")
	other := s.client(true)
	other.Jar = c.Jar
	page := s.dial("", c, s.asPage(), "govor.v1.html")
	page.until(`data-frame="welcome"`)
	old := c.Jar.Cookies(mustURL(s.url))[0].Value

	s.ask(c, request{method: "POST", path: "/logout", headers: map[string]string{"Origin": "http://evil.example"}}).want(t, 403)
	s.ask(c, request{path: "/r/lobby"}).want(t, 200)
	s.ask(c, request{method: "POST", path: "/logout"}).want(t, 303) // a program: its cookie proves nothing
	s.ask(c, request{path: "/"}).want(t, 303)

	s.ask(c, request{method: "POST", path: "/logout", headers: s.asPage()}).want(t, 303)
	for {
		if _, _, err := page.ws.Read(t.Context()); err != nil {
			break // the session was ended
		}
	}
	a := s.ask(s.client(false), request{path: "/", headers: map[string]string{"Cookie": "govor=" + old}}).want(t, 200)
	if !strings.Contains(a.body, `action="/login"`) {
		t.Error("the old cookie still opens the chat")
	}
}

func TestManyLoginsOfOneAddressAreSlowedDown(t *testing.T) {
	s := newSite(t, func(c *Config, _ *hub.Limits) { c.LoginRate, c.LoginBurst = 0.01, 2 })
	s.login("a1")
	s.login("a2")
	a := s.ask(s.client(true), request{path: "/login", body: "name=a3", headers: s.asPage()}).want(t, 429)
	if a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, `value="a3"`) {
		t.Errorf("Retry-After %q, page:\n%s", a.Header.Get("Retry-After"), a.body)
	}
}

// Passwords are tried at the pace of logins by whatever door, also with a name of their own each; who sends a password that is
// remembered as right is no login.
func TestPasswordsOfProgramsAreTriedAtThePaceOfLogins(t *testing.T) {
	s := newSite(t, func(c *Config, _ *hub.Limits) { c.LoginRate, c.LoginBurst = 0.001, 4 })
	s.claim() // one
	ask := func(name, password string, want int) answer {
		t.Helper()
		return s.ask(s.client(false), request{path: "/r/lobby/messages.json", headers: map[string]string{"Authorization": basic(name, password)}}).want(t, want)
	}
	ask("Иван", word, 200) // two
	ask("Анна", "wrong word", 401)
	ask("Борис", "wrong word", 401)
	if a := ask("Вера", "wrong word", 429); a.Header.Get("Retry-After") == "" {
		t.Error("nothing says how long to wait")
	}
	ask("Иван", word, 200)
	s.fill(s.client(true), "/login", "name", "Глеб").want(t, 429)
}

func TestLanguageIsChosenByALinkAndKept(t *testing.T) {
	s := newSite(t, nil)
	c := s.client(true)
	if a := s.ask(c, request{path: "/"}); !strings.Contains(a.body, `<html lang="ru">`) {
		t.Error("who says nothing does not get Russian")
	}
	a := s.ask(c, request{path: "/r/%D0%BF?lang=en&x=1"}).want(t, 303)
	if a.Header.Get("Location") != "/r/%D0%BF" {
		t.Errorf("the link leads to %s", a.Header.Get("Location"))
	}
	if a := s.ask(c, request{path: "/", headers: map[string]string{"Accept-Language": "ru"}}); !strings.Contains(a.body, `<html lang="en">`) {
		t.Error("the choice is not kept")
	}
	s.ask(c, request{path: "/?lang=xx"}).want(t, 200)
}

func TestThemeIsChosenByALinkAndKept(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Anna")
	a := s.ask(c, request{path: "/r/lobby?theme=dark"}).want(t, 303)
	if a.Header.Get("Location") != "/r/lobby" {
		t.Errorf("the link leads to %s", a.Header.Get("Location"))
	}
	if a := s.ask(c, request{path: "/r/lobby"}); !strings.Contains(a.body, ` data-theme="dark">`) {
		t.Error("the choice is not kept")
	}
	s.ask(c, request{path: "/r/lobby?theme=auto"}).want(t, 303)
	if a := s.ask(c, request{path: "/r/lobby"}); strings.Contains(a.body, "data-theme=") {
		t.Error("the theme of the system cannot be chosen again")
	}
	s.ask(c, request{path: "/r/lobby?theme=pink"}).want(t, 200)
}

func TestLoginSaysThatTheServerIsFull(t *testing.T) {
	s := newSite(t, func(_ *Config, l *hub.Limits) { l.MaxConnections = 1 })
	first := s.dial("?name=first", nil, nil)
	first.until("You are first")
	a := s.ask(s.client(true), request{path: "/login", body: "name=Anna", headers: s.asPage()}).want(t, 429)
	if !strings.Contains(a.body, "The server is full") || !strings.Contains(a.body, `value="Anna"`) || a.Header.Get("Retry-After") == "" {
		t.Errorf("Retry-After %q, page:\n%s", a.Header.Get("Retry-After"), a.body)
	}
	_ = first.ws.CloseNow()
	for i := 0; ; i++ { // the place is free when the server has noticed
		if a := s.ask(s.client(true), request{path: "/login", body: "name=Anna", headers: s.asPage()}); a.StatusCode == 303 {
			return
		} else if i > 1000 {
			t.Fatalf("status %d after the place is free", a.StatusCode)
		}
	}
}

// A login page that is kept is the one that would be drawn, for each who asks.
func TestLoginPagesAreKept(t *testing.T) {
	var requests []request
	for _, at := range [][2]string{{"a.example", "/"}, {"b.example", "/"}, {"a.example", "/r/lobby"}, {"a.example", "/r/%D1%87%D0%B0%D0%B9"}} {
		for _, language := range []string{"ru", "en"} {
			for _, theme := range []string{"", "dark", "light"} {
				for _, coding := range []string{"identity", "br", "gzip"} {
					requests = append(requests, request{path: at[1], headers: map[string]string{
						"Host": at[0], "Accept-Language": language, "Accept-Encoding": coding, "Cookie": cookieTheme + "=" + theme,
					}})
				}
			}
		}
	}
	if len(requests) <= maxLoginPages {
		t.Fatalf("%d pages: none is forgotten", len(requests))
	}
	keeps, draws := newSite(t, nil), newSite(t, nil)
	online := func(s *site) { s.dial("?name=bot", nil, nil).until("You are bot") }
	for round := range 3 {
		if round == 2 {
			online(keeps)
			online(draws)
		}
		seen := map[string]bool{}
		slices.Reverse(requests) // those that were kept last come first
		for _, r := range requests {
			draws.server.loginPages.Purge()
			got, want := keeps.ask(keeps.client(false), r), draws.ask(draws.client(false), r)
			if got.StatusCode != http.StatusOK || got.Header.Get("Content-Encoding") != want.Header.Get("Content-Encoding") {
				t.Fatalf("%v: %s in %q, want %q", r, got.Status, got.Header.Get("Content-Encoding"), want.Header.Get("Content-Encoding"))
			}
			body := unpacked(t, got)
			if body != unpacked(t, want) {
				t.Fatalf("round %d: %v has got\n%s\nwant\n%s", round, r, body, unpacked(t, want))
			}
			seen[body] = true
		}
		if n := len(seen); n != len(requests)/3 {
			t.Errorf("there are %d different pages, want %d", n, len(requests)/3)
		}
	}
	if n := keeps.server.loginPages.Len(); n != maxLoginPages {
		t.Errorf("%d pages are kept, want %d", n, maxLoginPages)
	}
	before := keeps.server.loginPages.Keys()
	keeps.ask(keeps.client(false), requests[len(requests)-1])
	if !slices.Equal(keeps.server.loginPages.Keys(), before) {
		t.Error("a page that is kept was drawn again")
	}
}

func unpacked(t *testing.T, a answer) string {
	t.Helper()
	var b []byte
	var err error
	switch a.Header.Get("Content-Encoding") {
	case "br":
		b, err = fasthttp.AppendUnbrotliBytes(nil, []byte(a.body))
	case "gzip":
		b, err = fasthttp.AppendGunzipBytes(nil, []byte(a.body))
	default:
		return a.body
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
