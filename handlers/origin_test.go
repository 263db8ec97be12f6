package handlers

import (
	"net/http"
	"strings"
	"testing"
)

func TestWhoMayChangeSomething(t *testing.T) {
	const host = "chat.example:8000"
	tests := []struct {
		name      string
		base      string
		fetchSite []string
		origins   []string
		host      string
		want      origin
	}{
		{"program", "", nil, nil, host, originProgram},
		{"same origin by the browser", "", []string{"same-origin"}, []string{"http://chat.example:8000"}, host, originOurs},
		{"typed address", "", []string{"none"}, nil, host, originOurs},
		{"same site is not same origin", "", []string{"same-site"}, []string{"http://chat.example:8000"}, host, originForeign},
		{"cross site", "", []string{"cross-site"}, []string{"http://evil.example"}, host, originForeign},
		{"cross site without origin", "", []string{"cross-site"}, nil, host, originForeign},
		{"two Sec-Fetch-Site", "", []string{"same-origin", "cross-site"}, nil, host, originForeign},
		{"unknown Sec-Fetch-Site", "", []string{"sideways"}, nil, host, originForeign},
		{"same host", "", nil, []string{"http://chat.example:8000"}, host, originOurs},
		{"same host, other case", "", nil, []string{"HTTP://Chat.Example:8000"}, host, originOurs},
		{"same host by another scheme: a TLS proxy", "", nil, []string{"https://chat.example"}, "chat.example", originOurs},
		{"port 443 written", "", nil, []string{"https://chat.example"}, "chat.example:443", originOurs},
		{"port 80 written", "", nil, []string{"http://chat.example:80"}, "chat.example", originOurs},
		{"other port", "", nil, []string{"http://chat.example:9000"}, host, originForeign},
		{"port missing", "", nil, []string{"http://chat.example"}, host, originForeign},
		{"port 443 is not port 80", "", nil, []string{"http://chat.example:443"}, "chat.example", originForeign},
		{"other host", "", nil, []string{"http://evil.example:8000"}, host, originForeign},
		{"host as a prefix", "", nil, []string{"http://chat.example:8000.evil.example"}, host, originForeign},
		{"host as a suffix", "", nil, []string{"http://evilchat.example:8000"}, host, originForeign},
		{"host as a user", "", nil, []string{"http://chat.example:8000@evil.example"}, host, originForeign},
		{"null", "", nil, []string{"null"}, host, originForeign},
		{"null though the browser says same origin", "", []string{"same-origin"}, []string{"null"}, host, originForeign},
		{"empty origin", "", nil, []string{""}, host, originForeign},
		{"two origins, the first ours", "", nil, []string{"http://chat.example:8000", "http://evil.example"}, host, originForeign},
		{"with a path", "", nil, []string{"http://chat.example:8000/"}, host, originForeign},
		{"another kind of address", "", nil, []string{"file://chat.example:8000"}, host, originForeign},
		{"no host", "", nil, []string{"http://chat.example:8000"}, "", originForeign},
		{"allowed", "", nil, []string{"https://friend.example"}, host, originOurs},
		{"allowed, as the browser calls it", "", []string{"cross-site"}, []string{"https://friend.example"}, host, originOurs},
		{"allowed by another scheme", "", nil, []string{"http://friend.example"}, host, originForeign},
		{"base URL", "https://chat.example", nil, []string{"https://chat.example"}, "10.0.0.7:8000", originOurs},
		{"base URL: the scheme counts", "https://chat.example", nil, []string{"http://chat.example"}, "chat.example", originForeign},
		{"base URL: the host that was asked for, too", "https://chat.example", nil, []string{"https://other.example"}, "other.example", originOurs},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules, err := newOriginRules(tt.base, []string{"https://Friend.example"})
			if err != nil {
				t.Fatal(err)
			}
			if got := rules.judge(tt.fetchSite, tt.origins, tt.host); got != tt.want {
				t.Errorf("judge(%q, %q, %q) = %d, want %d", tt.fetchSite, tt.origins, tt.host, got, tt.want)
			}
		})
	}
}

func TestOriginsThatCannotBeOnesAreRefusedAtTheStart(t *testing.T) {
	for _, s := range []string{"chat.example", "ftp://chat.example", "https://chat.example/chat", "null"} {
		if _, err := newOriginRules(s, nil); err == nil {
			t.Errorf("the base URL %q is accepted", s)
		}
		if _, err := newOriginRules("", []string{s}); err == nil {
			t.Errorf("the allowed origin %q is accepted", s)
		}
	}
}

// Whatever changes something is refused to a page of somebody else's, also with a cookie: each route there is, so that none
// that is added is forgotten.
func TestEveryRouteThatChangesSomethingIsGuarded(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Анна")
	fill := strings.NewReplacer(":room", "lobby", ":seq<int>", "1", ":token", "x", ":id", "x")
	guarded := 0
	for _, route := range s.server.app.GetRoutes(true) {
		switch route.Method {
		case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		default:
			continue
		}
		guarded++
		path := fill.Replace(route.Path)
		if strings.ContainsAny(path, ":<*") {
			t.Fatalf("what is %s?", route.Path)
		}
		for _, headers := range []map[string]string{
			{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site", "Origin": s.url},
		} {
			a := s.ask(c, request{method: route.Method, path: path, headers: headers})
			if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "--allowed-origins") {
				t.Errorf("%s %s with %v: %d %s", route.Method, path, headers, a.StatusCode, a.body)
			}
		}
	}
	if guarded < 20 {
		t.Errorf("%d routes change something", guarded)
	}
}
