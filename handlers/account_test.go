package handlers

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"govor/hub"
	"govor/hub/protocol"
)

const word = "лошадь батарея скрепка"

// form is the body of a form.
func form(fields ...string) string {
	v := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	return v.Encode()
}

func (s *site) fill(c *http.Client, path string, fields ...string) answer {
	s.t.Helper()
	return s.ask(c, request{method: "POST", path: path, body: form(fields...), headers: s.inRussian()})
}

// inRussian is asPage of somebody who reads Russian.
func (s *site) inRussian() map[string]string {
	h := s.asPage()
	h["Accept-Language"] = "ru"
	return h
}

// claim logs Иван in and gives the name a password.
func (s *site) claim() *http.Client {
	s.t.Helper()
	c := s.login("Иван")
	s.fill(c, "/account/password", "password", word).want(s.t, 303)
	return c
}

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

func cookieOf(c *http.Client, s *site) string { return c.Jar.Cookies(mustURL(s.url))[0].Value }

// proves tells whether a cookie opens the chat.
func (s *site) proves(cookie string) bool {
	s.t.Helper()
	a := s.ask(s.client(false), request{path: "/r/lobby", headers: map[string]string{"Cookie": "govor=" + cookie, "Accept": "text/html"}})
	return strings.Contains(a.body, `data-page="room"`)
}

func TestNameIsClaimedAndProvedByItsPassword(t *testing.T) {
	s := newSite(t, nil)
	first := s.claim()
	if a := s.ask(first, request{path: "/account", headers: map[string]string{"Accept-Language": "en"}}).want(t, 200); !strings.Contains(a.body, "Your name has a password") {
		t.Errorf("the account page:\n%s", a.body)
	}
	c := s.client(true)
	a := s.fill(c, "/login", "name", "иван", "room", "планы").want(t, 401)
	for _, want := range []string{"Имя защищено паролем", `type="password"`, `value="иван"`, `value="планы"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page lacks %s:\n%s", want, a.body)
		}
	}
	for _, tt := range [][2]string{{"Иван", "другой пароль"}, {"Никто", "другой пароль"}} {
		a = s.fill(c, "/login", "name", tt[0], "password", tt[1]).want(t, 401)
		if !strings.Contains(a.body, "Неверное имя или пароль") || len(a.Cookies()) != 0 || strings.Contains(a.body, tt[1]) {
			t.Errorf("%s: cookies %v, page:\n%s", tt[0], a.Cookies(), a.body)
		}
	}
	s.fill(c, "/login", "name", "Иван", "password", word).want(t, 303)
	if !s.proves(cookieOf(c, s)) || !s.proves(cookieOf(first, s)) {
		t.Error("a device is not logged in")
	}
}

// /nick must not make a stranger of somebody: whose name has a password keeps the login.
func TestRenamingNeverMakesSomebodyNew(t *testing.T) {
	s := newSite(t, nil)
	open, claimed, nobody := s.login("Анна"), s.claim(), s.client(true)
	for _, tt := range []struct {
		who    *http.Client
		status int
	}{{claimed, 403}, {nobody, 403}, {open, 303}} {
		before := tt.who.Jar.Cookies(mustURL(s.url))
		s.fill(tt.who, "/login", "name", "Новое имя", "rename", "1").want(t, tt.status)
		after := tt.who.Jar.Cookies(mustURL(s.url))
		if same := len(before) == len(after) && (len(before) == 0 || before[0].Value == after[0].Value); same != (tt.status == 403) {
			t.Errorf("%d: the cookies were %v and are %v", tt.status, before, after)
		}
	}
}

// A cookie from before is dead after each thing that says so; one that has nothing to do with it lives on.
func TestCookiesFromBeforeAreDead(t *testing.T) {
	for _, tt := range []struct {
		name       string
		do         func(s *site, c, other *http.Client)
		dead, live bool // the cookie from before; that of the other device
	}{
		{"login again", func(s *site, c, _ *http.Client) {
			s.fill(c, "/login", "name", "Иван", "password", word).want(t, 303)
		}, true, true},
		{"login as somebody else", func(s *site, c, _ *http.Client) { s.fill(c, "/login", "name", "Мария").want(t, 303) }, true, true},
		{"logout", func(s *site, c, _ *http.Client) { s.fill(c, "/logout").want(t, 303) }, true, true},
		{"logout everywhere", func(s *site, c, _ *http.Client) { s.fill(c, "/logout", "everywhere", "1").want(t, 303) }, true, false},
		{"new password", func(s *site, c, _ *http.Client) {
			s.fill(c, "/account/password", "old", word, "password", "совсем другой").want(t, 303)
		}, true, false},
		{"password removed", func(s *site, c, _ *http.Client) { s.fill(c, "/account/password/remove", "old", word).want(t, 303) }, true, false},
		{"wrong old password", func(s *site, c, _ *http.Client) {
			s.fill(c, "/account/password", "old", "не то слово", "password", "совсем другой").want(t, 401)
		}, false, true},
		{"ended from the other device", func(s *site, c, other *http.Client) {
			mine := s.loginIDs(c)
			s.fill(other, "/account/logins/end", "login", mine[0]).want(t, 303)
		}, true, true},
		{"a form of another site", func(s *site, c, _ *http.Client) {
			s.ask(c, request{method: "POST", path: "/logout", headers: map[string]string{"Origin": "http://evil.example"}}).want(t, 403)
		}, false, true},
		{"looking at the account", func(s *site, c, _ *http.Client) { s.ask(c, request{path: "/account"}).want(t, 200) }, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, func(c *Config, _ *hub.Limits) { c.LoginRate = 0 })
			c, other := s.claim(), s.client(true)
			s.fill(other, "/login", "name", "Иван", "password", word).want(t, 303)
			before, others := cookieOf(c, s), cookieOf(other, s)
			page := s.dial("", c, s.asPage(), "govor.v1.html")
			page.until(`data-frame="welcome"`)
			tt.do(s, c, other)
			if s.proves(before) == tt.dead || s.proves(others) != tt.live {
				t.Errorf("the cookie from before is good: %v; that of the other device: %v", s.proves(before), s.proves(others))
			}
			if tt.dead && tt.name != "new password" && tt.name != "password removed" { // those keep this device
				start := time.Now()
				for {
					if _, _, err := page.ws.Read(t.Context()); err != nil {
						break
					}
				}
				if d := time.Since(start); d > time.Second {
					t.Errorf("the socket has lived for %v", d)
				}
			}
		})
	}
}

// loginIDs are the ids on the account page, that of this device first.
func (s *site) loginIDs(c *http.Client) (ids []string) {
	s.t.Helper()
	body := s.ask(c, request{path: "/account", headers: map[string]string{"Accept-Language": "en"}}).want(s.t, 200).body
	for _, m := range regexp.MustCompile(`(?s)<p class="account__seen">([^·]*)·.*?name="login" value="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		if strings.Contains(m[1], "this device") {
			ids = append([]string{m[2]}, ids...)
		} else {
			ids = append(ids, m[2])
		}
	}
	if len(ids) == 0 {
		s.t.Fatalf("no logins on the page:\n%s", body)
	}
	return ids
}

func TestLinkAndCodeForAnotherDevice(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Иван")
	a := s.fill(c, "/account/link").want(t, 200)
	m := regexp.MustCompile(`>(http[^<]*/link/[^<]+)<`).FindStringSubmatch(a.body)
	if m == nil || !strings.Contains(a.body, "<svg class=\"account__code\"") {
		t.Fatalf("no link or no code:\n%s", a.body)
	}
	path := strings.TrimPrefix(html.UnescapeString(m[1]), s.url)
	phone := s.client(true)
	for range 2 { // looking at it does not use it up
		if a := s.ask(phone, request{path: path, headers: s.inRussian()}).want(t, 200); !strings.Contains(a.body, "Войти как Иван?") {
			t.Errorf("the link shows:\n%s", a.body)
		}
	}
	s.ask(phone, request{method: "POST", path: path, headers: map[string]string{"Origin": "http://evil.example", "Accept": "text/html"}}).want(t, 403)
	s.fill(phone, path).want(t, 303)
	if !s.proves(cookieOf(phone, s)) {
		t.Error("the phone is not logged in")
	}
	if a := s.fill(s.client(true), path).want(t, 403); !strings.Contains(a.body, "Ссылка не действует") {
		t.Errorf("a second time:\n%s", a.body)
	}
	token := path[strings.LastIndex(path, "/")+1:]
	for _, e := range s.logs.All() {
		for _, v := range e.ContextMap() {
			if text, ok := v.(string); ok && strings.Contains(text, token) {
				t.Errorf("the log has the link: %s %v", e.Message, e.ContextMap())
			}
		}
	}
}

func TestProgramsProveThemselvesByAuthorization(t *testing.T) {
	s := newSite(t, nil)
	c := s.claim()
	a := s.fill(c, "/account/tokens", "label", "сборка").want(t, 200)
	m := regexp.MustCompile(`<code class="copy__text" dir="ltr"><span>([^<]+)</span></code>`).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no token on the page:\n%s", a.body)
	}
	bearer := "Bearer " + html.UnescapeString(m[1])
	program := s.client(false)
	for _, tt := range []struct {
		name, auth string
		status     int
		code       string
	}{
		{"a token", bearer, 201, ""},
		{"name and password", basic("Иван", word), 201, ""},
		{"the scheme in capitals", strings.Replace(basic("иван", word), "Basic", "BASIC", 1), 201, ""},
		{"a wrong password", basic("Иван", "не то слово"), 401, "bad_password"},
		{"a name without a password", basic("Никто", "не то слово"), 401, "bad_password"},
		{"an empty password", basic("Иван", ""), 401, "need_password"},
		{"a wrong token", bearer + "x", 401, "bad_token"},
		{"a cookie as a token", "Bearer " + cookieOf(c, s), 401, "bad_token"},
		{"not base64", "Basic ???", 401, "bad_token"},
		{"another scheme", "Digest x", 401, "bad_token"},
	} {
		a := s.ask(program, request{method: "POST", path: "/r/lobby/messages", body: "hello", headers: map[string]string{"Authorization": tt.auth}})
		if a.StatusCode != tt.status || !strings.Contains(a.body, tt.code) {
			t.Errorf("%s by HTTP: %d %s", tt.name, a.StatusCode, a.body)
		}
		if tt.status == 201 {
			l := s.dial("", program, map[string]string{"Authorization": tt.auth}, "govor.v1.json")
			if w := l.until(`"type":"welcome"`); !strings.Contains(w, `"name":"Иван"`) {
				t.Errorf("%s by WebSocket: %s", tt.name, w)
			}
			if got := s.dial("", program, map[string]string{"Authorization": tt.auth}).read(); got != "You are Иван" {
				t.Errorf("%s by WebSocket in text: %q", tt.name, got)
			}
			continue
		}
		if _, r := s.tryDial("", program, map[string]string{"Authorization": tt.auth}, "govor.v1.json"); r == nil || r.status != tt.status {
			t.Errorf("%s by WebSocket: %+v", tt.name, r)
		}
		if challenge := a.Header.Get("WWW-Authenticate"); (challenge != "") != strings.HasSuffix(tt.code, "_password") {
			t.Errorf("%s: WWW-Authenticate %q", tt.name, challenge)
		}
	}
}

// Who may not come in gets nothing by any way in.
func TestClosedServersLetNobodyIn(t *testing.T) {
	for _, mode := range []hub.Mode{hub.ModePassword, hub.ModeMembers, hub.ModeProxy} {
		t.Run(string(mode), func(t *testing.T) {
			s := newSiteIn(t, mode, func(c *Config, _ *hub.Limits) {
				c.TrustedProxies, c.ProxyHeader = []string{"10.0.0.0/8"}, "X-Forwarded-User"
			})
			c := s.client(true)
			status := 401
			if mode == hub.ModeProxy {
				status = 403
			}
			forged := map[string]string{"X-Forwarded-User": "Иван", "Accept": "text/html"}
			if a := s.ask(c, request{path: "/r/lobby", headers: forged}); strings.Contains(a.body, `data-page="room"`) {
				t.Errorf("the room is shown: %d", a.StatusCode)
			}
			s.ask(c, request{method: "POST", path: "/login", body: form("name", "Иван"), headers: s.inRussian()}).want(t, status)
			s.ask(c, request{path: "/r/lobby/messages.json", headers: map[string]string{"X-Forwarded-User": "Иван"}}).want(t, status)
			s.ask(c, request{method: "POST", path: "/r/lobby/messages?name=ci", body: "x"}).want(t, status)
			for _, format := range []string{"", "govor.v1.json", "govor.v1.html"} {
				formats := []string{format}
				if format == "" {
					formats = nil
				}
				if _, r := s.tryDial("?name=ci", c, map[string]string{"X-Forwarded-User": "Иван"}, formats...); r == nil || r.status != 401 && r.status != status {
					t.Errorf("format %q: %+v", format, r)
				}
			}
			s.leaksNoRoom(c)
			if a := s.ask(c, request{path: "/invites"}); a.StatusCode != 401 && a.StatusCode != 403 {
				t.Errorf("the invites are shown: %d %s", a.StatusCode, a.body)
			}
		})
	}
}

// leaksNoRoom looks whether somebody who may not come in can find out which rooms there are: a room that could be taken for one
// that is there is answered as any other, and nothing tells how many people are there.
func (s *site) leaksNoRoom(c *http.Client) {
	s.t.Helper()
	if _, err := s.hub.OpenRoom(s.t.Context(), hub.Member{ID: protocol.NewMemberID(), Name: "Анна", NameKey: "анна"}, netip.Addr{}, "plans"); err != nil {
		s.t.Fatal(err)
	}
	html := map[string]string{"Accept": "text/html"}
	for _, r := range []request{
		{path: "/r/%s", headers: html},
		{path: "/r/%s/1", headers: html},
		{path: "/r/%s/messages.json"},
		{method: "POST", path: "/r/%s/leave", headers: s.inRussian()},
		{method: "POST", path: "/r/%s/messages", body: "text=x", headers: s.inRussian()},
		{method: "POST", path: "/login?room=%s", body: "name=%D0%AF", headers: s.inRussian()},
	} {
		path := r.path
		var answers [2]string
		for i, room := range []string{"pl%D0%B0ns", "pl%D1%8Fns"} { // with a Cyrillic а, and with a Cyrillic я, which nothing looks like
			r.path = strings.ReplaceAll(path, "%s", room)
			a := s.ask(c, r)
			answers[i] = strconv.Itoa(a.StatusCode) + strings.NewReplacer("plаns", "", "plяns", "", room, "").Replace(a.body)
			if strings.Contains(a.body, "plans") || strings.Contains(a.body, "login__online") {
				s.t.Errorf("%s: %s", r.path, a.body)
			}
		}
		if answers[0] != answers[1] {
			s.t.Errorf("%s tells which rooms there are:\n%s\n%s", path, answers[0], answers[1])
		}
	}
	for _, room := range []string{"pl%D0%B0ns", "pl%D1%8Fns"} {
		if _, r := s.tryDial("?name=ci&room="+room, c, nil); r == nil || r.status == 400 {
			s.t.Errorf("/ws?room=%s: %+v", room, r)
		}
	}
}

func TestServerPasswordLetsInByEveryWay(t *testing.T) {
	s := newSiteIn(t, hub.ModePassword, nil)
	if a := s.ask(s.client(true), request{path: "/"}).want(t, 200); !strings.Contains(a.body, "Пароль чата") {
		t.Errorf("the login page:\n%s", a.body)
	}
	c := s.client(true)
	if a := s.fill(c, "/login", "name", "Иван", "password", "не тот пароль").want(t, 401); !strings.Contains(a.body, `aria-describedby="password-error"`) {
		t.Errorf("a wrong one:\n%s", a.body)
	}
	s.fill(c, "/login", "name", "Иван", "password", serverPassword).want(t, 303)
	s.ask(c, request{path: "/r/lobby"}).want(t, 200)
	auth := map[string]string{"Authorization": basic("ci", serverPassword)}
	s.ask(s.client(false), request{method: "POST", path: "/r/lobby/messages", body: "x", headers: auth}).want(t, 201)
	if got := s.dial("", s.client(false), auth).read(); got != "You are ci" {
		t.Errorf("by WebSocket: %q", got)
	}
}

func TestInviteIsMadeListedAcceptedAndRevoked(t *testing.T) {
	s := newSiteIn(t, hub.ModeMembers, nil)
	admin := func() map[string]string {
		return map[string]string{"Authorization": "Bearer " + hub.AdminToken([]byte(strings.Repeat("s", 32)), time.Now())}
	}
	make := func() string {
		a := s.ask(s.client(false), request{method: "POST", path: "/invites", body: `{"label":"семья","seconds":3600,"uses":1}`, headers: admin()}).want(t, 201)
		var made struct{ Link string }
		if err := json.Unmarshal([]byte(a.body), &made); err != nil || !strings.HasPrefix(made.Link, s.url+"/invite/") {
			t.Fatalf("answer %s, %v", a.body, err)
		}
		return strings.TrimPrefix(made.Link, s.url)
	}
	path := make()
	c := s.client(true)
	if a := s.ask(c, request{path: path, headers: s.inRussian()}).want(t, 200); !strings.Contains(a.body, "Вас пригласили") {
		t.Errorf("the link shows:\n%s", a.body)
	}
	if a := s.fill(c, path, "name", "Иван", "password", "мало").want(t, 401); !strings.Contains(a.body, `value="Иван"`) || !strings.Contains(a.body, "короче 8") {
		t.Errorf("a short password:\n%s", a.body)
	}
	s.fill(c, path, "name", "Иван", "password", word).want(t, 303)
	s.ask(c, request{path: "/r/lobby"}).want(t, 200)
	s.fill(s.client(true), path, "name", "Пётр", "password", word).want(t, 403)
	s.ask(s.client(true), request{path: path, headers: s.inRussian()}).want(t, 403)
	other := s.client(true)
	s.fill(other, "/login", "name", "Иван", "password", word).want(t, 303)

	path = make()
	var list []struct {
		ID         string
		Uses, Used int64
	}
	a := s.ask(s.client(false), request{path: "/invites", headers: admin()}).want(t, 200)
	if err := json.Unmarshal([]byte(a.body), &list); err != nil || len(list) != 2 {
		t.Fatalf("list %s, %v", a.body, err)
	}
	for _, i := range list {
		s.ask(s.client(false), request{method: "DELETE", path: "/invites/" + i.ID, headers: admin()}).want(t, 200)
	}
	s.ask(s.client(true), request{path: path, headers: s.inRussian()}).want(t, 403)
	s.ask(s.client(false), request{path: "/invites", headers: map[string]string{"Authorization": "Bearer " + cookieOf(c, s)}}).want(t, 401)
}

func TestProxySaysTheName(t *testing.T) {
	s := newSiteIn(t, hub.ModeProxy, func(c *Config, _ *hub.Limits) {
		c.TrustedProxies, c.ProxyHeader = []string{"127.0.0.1"}, "X-Forwarded-User"
	})
	as := func(name string) map[string]string {
		return map[string]string{"X-Forwarded-User": name, "Accept": "text/html"}
	}
	c := s.client(true)
	if a := s.ask(c, request{path: "/r/lobby", headers: as("Иван")}).want(t, 200); !strings.Contains(a.body, `data-name="Иван"`) {
		t.Errorf("not the room of Иван:\n%.500s", a.body)
	}
	if a := s.ask(c, request{path: "/account", headers: as("Иван")}).want(t, 200); strings.Contains(a.body, `type="password"`) {
		t.Error("the account page asks for a password")
	}
	program := map[string]string{"X-Forwarded-User": "ci"}
	s.ask(c, request{method: "POST", path: "/r/lobby/messages", body: "x", headers: program}).want(t, 201)
	if w := s.dial("", c, program, "govor.v1.json").until(`"welcome"`); !strings.Contains(w, `"name":"ci"`) {
		t.Errorf("welcome %s", w)
	}
	s.ask(c, request{path: "/r/lobby", headers: map[string]string{"Accept": "text/html"}}).want(t, 403)
	s.ask(c, request{path: "/r/lobby", headers: as("a:b")}).want(t, 400)
	evil := as("Иван")
	evil["Origin"] = "http://evil.example"
	s.ask(c, request{method: "POST", path: "/r/lobby/messages", body: "text=x", headers: evil}).want(t, 403)
}

func TestDevicesHaveShortNames(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox, Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0":               "Edge, Windows",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36":                         "Chrome, Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 YaBrowser/25.10 Safari/537.36":             "Yandex, Windows",
		"curl/8.5.0": "curl/8.5.0", "": "", "Mozilla/5.0": "", "evil\n\x1b[31m": "evil �[31m",
		strings.Repeat("a", 300): strings.Repeat("a", 60),
	} {
		if got := device(agent); got != want {
			t.Errorf("device(%q) = %q, want %q", agent, got, want)
		}
	}
}
