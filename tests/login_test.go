package tests

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// login logs in by the form and returns the cookie as a header's value.
func (s *server) login(name string) string {
	s.t.Helper()
	r := s.form("/login", url.Values{"name": {name}}.Encode())
	if r.status != http.StatusSeeOther {
		s.t.Fatalf("POST /login = %d %s, want 303", r.status, tail(r.body, 500))
	}
	cookie, _, _ := strings.Cut(r.header.Get("Set-Cookie"), ";")
	if !strings.HasPrefix(cookie, "govor=") {
		s.t.Fatalf("Set-Cookie = %q", r.header.Get("Set-Cookie"))
	}
	return cookie
}

func TestLoginShowsTheRoomAndStaysAfterARestart(t *testing.T) {
	t.Parallel()
	s := start(t)
	if r := s.request("GET", "/", "", "Accept", "text/html"); r.status != http.StatusOK || !strings.Contains(r.body, "Введите ваше имя") ||
		!strings.Contains(r.body, "Подключиться") || !strings.Contains(r.body, `lang="ru"`) {
		t.Errorf("GET / = %d %s", r.status, tail(r.body, 500))
	}
	if r := s.request("GET", "/", "", "Accept", "text/html", "Accept-Language", "en-GB,en;q=0.9,ru;q=0.5"); !strings.Contains(r.body, "Enter your name") ||
		!strings.Contains(r.body, `lang="en"`) {
		t.Errorf("GET / in English = %s", tail(r.body, 500))
	}
	r := s.form("/login", "name=%D0%98%D0%B2%D0%B0%D0%BD")
	set := r.header.Get("Set-Cookie")
	if r.status != http.StatusSeeOther || !strings.HasPrefix(r.header.Get("Location"), "/r/lobby") {
		t.Fatalf("POST /login = %d to %q", r.status, r.header.Get("Location"))
	}
	for _, want := range []string{"govor=", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(strings.ToLower(set), strings.ToLower(want)) {
			t.Errorf("Set-Cookie = %q, want %s in it", set, want)
		}
	}
	if strings.Contains(strings.ToLower(set), "secure") {
		t.Errorf("Set-Cookie = %q: a browser drops it on plain http", set)
	}
	cookie, _, _ := strings.Cut(set, ";")
	room := s.request("GET", "/r/lobby", "", "Cookie", cookie, "Accept", "text/html")
	for _, want := range []string{`data-page="room"`, `data-name="Иван"`, "Введите сообщение", "Отправить", "Выйти"} {
		if room.status != http.StatusOK || !strings.Contains(room.body, want) {
			t.Errorf("GET /r/lobby = %d without %q: %s", room.status, want, tail(room.body, 300))
		}
	}
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(room.body)
	if id == nil {
		t.Fatal("the form has no id")
	}
	post := s.form("/r/lobby/messages", url.Values{"id": {id[1]}, "text": {"из формы"}}.Encode(), "Cookie", cookie)
	if post.status != http.StatusSeeOther {
		t.Fatalf("POST of the form = %d %s", post.status, tail(post.body, 300))
	}
	s.stop()
	s = s.again()
	room = s.request("GET", "/r/lobby", "", "Cookie", cookie, "Accept", "text/html")
	if !strings.Contains(room.body, `data-name="Иван"`) || !strings.Contains(room.body, "из формы") {
		t.Errorf("after a restart: %d %s, want the login and the history", room.status, tail(room.body, 500))
	}
}

func TestLoginFormComesBackWithWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login("Иван")
	for _, tt := range []struct{ name, says string }{
		{"", "Пожалуйста, введите имя"},
		{"   ", "Пожалуйста, введите имя"},
		{strings.Repeat("я", 33), "Имя: от 1 до 32 символов"},
		{"a\u202eb", "Имя: от 1 до 32 символов"},
		{"Иван", "уже занято"},
		{"ИВАН", "уже занято"},
		{"admin", "уже занято"},
	} {
		r := s.form("/login", url.Values{"name": {tt.name}}.Encode(), "Accept-Language", "ru")
		body := html.UnescapeString(r.body)
		if r.status/100 != 4 || !strings.Contains(body, tt.says) {
			t.Errorf("the name %q: %d %s, want %q", tt.name, r.status, tail(body, 300), tt.says)
		}
		if name := strings.TrimSpace(tt.name); name != "" && !strings.Contains(body, name) {
			t.Errorf("the name %q was not kept", tt.name)
		}
		if r.header.Get("Set-Cookie") != "" && strings.Contains(r.header.Get("Set-Cookie"), "govor=") {
			t.Errorf("the name %q: a cookie came all the same", tt.name)
		}
	}
	if r := s.form("/login", url.Values{"name": {"Иван"}}.Encode()); !strings.Contains(r.body, "Иван-2") {
		t.Errorf("a taken name gets no suggestion: %s", tail(r.body, 500))
	}
	if r := s.form("/login", ""); r.status/100 != 4 {
		t.Errorf("a form without fields: %d", r.status)
	}
	if r := s.request("GET", "/login", "", "Accept", "text/html"); r.status >= 500 {
		t.Errorf("GET /login = %d", r.status)
	}
}

func TestFormIsSentOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	cookie := s.login("Иван")
	fields := url.Values{"id": {"form-1"}, "text": {"дважды"}}.Encode()
	for range 2 { // a double click, or a reload of the answer
		if r := s.form("/r/lobby/messages", fields, "Cookie", cookie); r.status != http.StatusSeeOther {
			t.Errorf("POST = %d %s", r.status, tail(r.body, 300))
		}
	}
	if messages := s.list("after=0"); len(messages) != 1 {
		t.Errorf("stored: %+v", messages)
	}
	r := s.form("/r/lobby/messages", url.Values{"id": {"form-1"}, "text": {"другое"}}.Encode(), "Cookie", cookie)
	if r.status != http.StatusConflict || !strings.Contains(r.body, "другое") || strings.Contains(r.body, `value="form-1"`) {
		t.Errorf("a reused id: %d %s, want 409, the text kept and a new id", r.status, tail(r.body, 500))
	}
	for _, body := range []string{"", "id=form-2", "text=", "text=+"} {
		if r := s.form("/r/lobby/messages", body, "Cookie", cookie); r.status/100 != 4 {
			t.Errorf("the form %q: %d", body, r.status)
		}
	}
	long := strings.Repeat("я", 8001)
	if r := s.form("/r/lobby/messages", url.Values{"id": {"form-3"}, "text": {long}}.Encode(), "Cookie", cookie); r.status/100 != 4 || !strings.Contains(r.body, long) {
		t.Errorf("too long: %d, want the form again with the text kept", r.status)
	}
}

func TestLogoutEndsTheLoginAndItsSockets(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		cookie := s.login("Иван")
		page := s.page(cookie)
		page.send("p-1", "я тут")
		if _, name, _ := page.message(); name != "Иван" {
			t.Fatalf("the page is %q", name)
		}
		other := s.joined("Робот")
		if r := s.form("/logout", "", "Cookie", cookie); r.status != http.StatusSeeOther {
			t.Fatalf("POST /logout = %d %s", r.status, tail(r.body, 300))
		}
		if code, reason := page.ended(); code != 1001 {
			t.Errorf("the page's socket ended with %d %q, want 1001", code, reason)
		}
		if r := s.request("GET", "/r/lobby", "", "Cookie", cookie, "Accept", "text/html"); strings.Contains(r.body, `data-name="Иван"`) {
			t.Error("the old cookie still logs in")
		}
		if r := s.form("/r/lobby/messages", "id=x-1&text=x", "Cookie", cookie); r.status == http.StatusSeeOther && len(s.list("after=1")) > 0 {
			t.Error("the old cookie still writes")
		}
		other.say("o-1", "а я ещё здесь")
		if a := other.answer("o-1"); a.Type != "ack" {
			t.Errorf("another member's session: %s", a.raw)
		}
	})
}

// Who may change something: DESIGN of the checks by Sec-Fetch-Site and Origin.
func TestForeignOriginsAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, "--allowed-origins", "https://friend.example", "--no-limits")
	host := s.addr
	own := "http://" + host
	n := 0
	cases := []struct {
		name    string
		origins []string
		site    string
		allowed bool
	}{
		{"a program", nil, "", true},
		{"own page", []string{own}, "same-origin", true},
		{"own page without Sec-Fetch-Site", []string{own}, "", true},
		{"own host in capitals", []string{"HTTP://" + strings.ToUpper(host)}, "", true},
		{"own host behind TLS", []string{"https://" + host}, "", true},
		{"an allowed page", []string{"https://friend.example"}, "", true},
		{"typed into the address bar", nil, "none", true},
		{"another site", []string{"https://evil.example"}, "", false},
		{"another site, said by the browser", []string{own}, "cross-site", false},
		{"a sibling, said by the browser", []string{own}, "same-site", false},
		{"null", []string{"null"}, "", false},
		{"empty", []string{""}, "", false},
		{"another port", []string{"http://127.0.0.1:1"}, "", false},
		{"no port", []string{"http://127.0.0.1"}, "", false},
		{"a longer host", []string{own + ".evil.example"}, "", false},
		{"user in front", []string{"http://" + host + "@evil.example"}, "", false},
		{"the allowed one in front", []string{"https://friend.example.evil.example"}, "", false},
		{"no origin at all", []string{"evil"}, "", false},
		{"two headers, good and evil", []string{own, "https://evil.example"}, "", false},
		{"two headers, both good", []string{own, own}, "", false},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{}
			var flat []string
			for _, o := range tt.origins {
				header.Add("Origin", o)
				flat = append(flat, "Origin", o)
			}
			if tt.site != "" {
				header.Set("Sec-Fetch-Site", tt.site)
				flat = append(flat, "Sec-Fetch-Site", tt.site)
			}
			c, status, err := s.tryDial(nil, "govor.v1.json", header)
			if err == nil {
				c.close()
			}
			if tt.allowed != (err == nil) || !tt.allowed && status != http.StatusForbidden {
				t.Errorf("the upgrade: %v, want allowed = %v", err, tt.allowed)
			}
			r := s.curl("/r/lobby/messages?name=ci", "text", flat...)
			if allowed := r.status == http.StatusCreated; allowed != tt.allowed || !tt.allowed && r.status != http.StatusForbidden {
				t.Errorf("a message: %d %s, want allowed = %v", r.status, r.body, tt.allowed)
			}
			n++
			r = s.curl("/login", url.Values{"name": {fmt.Sprintf("n%d", n)}}.Encode(), append(flat, "Accept", "text/html")...)
			if allowed := r.status == http.StatusSeeOther; allowed != tt.allowed || !tt.allowed && r.status != http.StatusForbidden {
				t.Errorf("a login: %d, want allowed = %v", r.status, tt.allowed)
			}
		})
	}
	refused := 0
	for _, tt := range cases {
		if !tt.allowed {
			refused += 3
		}
	}
	if got := s.metric(`chat_refusals_total{reason="origin"}`); got != float64(refused) {
		t.Errorf("%v refused origins are counted, want %d", got, refused)
	}
}

// A cookie without an origin is not believed: a program that has somebody's cookie is a guest.
func TestCookieWithoutOriginIsNotHonoured(t *testing.T) {
	t.Parallel()
	s := start(t)
	cookie := s.login("Иван")
	c := s.dial(nil, "govor.v1.json", http.Header{"Cookie": {cookie}})
	if f := c.next("welcome"); strings.Contains(f, `"name":"Иван"`) {
		t.Errorf("welcome = %s", f)
	}
	r := s.curl("/r/lobby/messages?name=ci", "text", "Cookie", cookie)
	if messages := s.list("after=0"); r.status != http.StatusCreated || len(messages) != 1 || messages[0].From != "ci" {
		t.Errorf("POST with a cookie and no origin = %d, stored %+v", r.status, messages)
	}
}

func TestPagesHaveTheirHeaders(t *testing.T) {
	t.Parallel()
	s := start(t)
	cookie := s.login("Иван")
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]+</script>|\son\w+\s*=|\sstyle\s*=|<style|javascript:`)
	for _, path := range []string{"/", "/r/lobby", "/nothing"} {
		r := s.request("GET", path, "", "Cookie", cookie, "Accept", "text/html", "Sec-Fetch-Site", "same-origin")
		csp := r.header.Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "form-action 'self'", "base-uri 'none'",
			"frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types govor",
		} {
			if r.status != http.StatusSeeOther && !strings.Contains(csp, want) {
				t.Errorf("GET %s: Content-Security-Policy = %q, want %s", path, csp, want)
			}
		}
		for name, want := range map[string]string{"Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"} {
			if got := r.header.Get(name); got != want {
				t.Errorf("GET %s: %s = %q, want %q", path, name, got, want)
			}
		}
		if found := inline.FindString(r.body); found != "" {
			t.Errorf("GET %s has something inline: %q", path, found)
		}
	}
}
