package tests

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Where a page is from, as its browser says by Origin; and whether it is one of ours, told by the host alone.
type pageFrom struct {
	name    string
	origins []string
	ours    bool // its host and port are those that are asked for
	friend  bool // it is allowed
	none    bool // it is there, and no origin of a page
}

func pagesFrom(host string) []pageFrom {
	return []pageFrom{
		{"no origin", nil, false, false, false},
		{"ours", []string{"http://" + host}, true, false, false},
		{"ours in capitals", []string{"HTTP://" + strings.ToUpper(host)}, true, false, false},
		{"ours by TLS", []string{"https://" + host}, true, false, false},
		{"a friend", []string{"https://friend.example"}, false, true, false},
		{"a friend without TLS", []string{"http://friend.example"}, false, false, false},
		{"a friend's neighbour", []string{"https://sub.friend.example"}, false, false, false},
		{"evil", []string{"http://evil.example"}, false, false, false},
		{"another port", []string{"http://127.0.0.1:1"}, false, false, false},
		{"ours as a prefix", []string{"http://127.0.0.1.evil.example"}, false, false, false},
		{"ours as a user", []string{"http://" + host + "@evil.example"}, false, false, true},
		{"ours with a path", []string{"http://" + host + "/"}, false, false, true},
		{"ours as a file", []string{"file://" + host}, false, false, true},
		{"null", []string{"null"}, false, false, true},
		{"empty", []string{""}, false, false, true},
		{"ours and evil", []string{"http://" + host, "http://evil.example"}, false, false, false},
		{"evil and ours", []string{"http://evil.example", "http://" + host}, false, false, false},
	}
}

// verdict is what may be done: as whom, or not at all.
type verdict int

const (
	forbidden verdict = iota
	asGuest           // a program, or somebody whose cookie proves nothing
	byCookie          // the cookie proves who it is, if it is good
)

// mayChange is the rule of the specification, said once more.
func (p pageFrom) mayChange(fetch []string) verdict {
	switch {
	case len(fetch) > 1 || len(p.origins) > 1:
		return forbidden
	case p.friend:
		return byCookie
	case p.none:
		return forbidden
	case len(fetch) == 1 && (fetch[0] == "same-origin" || fetch[0] == "none"):
		return byCookie // the browser knows better than a header that programs write
	case len(fetch) == 1:
		return forbidden
	case len(p.origins) == 0:
		return asGuest
	case p.ours:
		return byCookie
	default:
		return forbidden
	}
}

// Every origin with every Sec-Fetch-Site and every cookie: a message by HTTP and a WebSocket are refused, are a guest's, or
// are of whom the cookie proves.
func TestEveryOriginFetchSiteAndCookie(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits", "--allowed-origins", "https://friend.example")
	good := s.login("Анна")
	name, value, _ := strings.Cut(good, "=")
	cookies := map[string]struct {
		header string
		proves bool
	}{
		"no cookie":                  {"", false},
		"a login":                    {good, true},
		"a login that was changed":   {name + "=" + value[:len(value)-2] + "AA", false},
		"a login by its name of TLS": {"__Host-" + good, false},
	}
	fetches := [][]string{nil, {"same-origin"}, {"none"}, {"same-site"}, {"cross-site"}, {"sideways"}, {"same-origin", "cross-site"}}
	n := 0
	for _, from := range pagesFrom(s.addr) {
		for _, fetch := range fetches {
			for what, cookie := range cookies {
				n++
				h := http.Header{"Origin": from.origins, "Sec-Fetch-Site": fetch}
				if cookie.header != "" {
					h.Set("Cookie", cookie.header)
				}
				want := from.mayChange(fetch)
				who := fmt.Sprint("guest", n)
				if want == byCookie && cookie.proves {
					who = "Анна"
				}
				about := fmt.Sprintf("%s, Sec-Fetch-Site %q, %s", from.name, fetch, what)
				if want == forbidden {
					who = ""
				}
				if got := s.postsAs(h, n); got != who {
					t.Errorf("%s: a message is %q's, want %q", about, got, who)
				}
				if got := s.connectsAs(h, n); got != who {
					t.Errorf("%s: a WebSocket is %q's, want %q", about, got, who)
				}
			}
		}
	}
	t.Logf("%d combinations", n)
}

// postsAs says whose message it becomes; "" when it is refused.
func (s *server) postsAs(h http.Header, n int) string {
	s.t.Helper()
	var header []string
	for name, values := range h {
		for _, v := range values {
			header = append(header, name, v)
		}
	}
	r := s.curl(fmt.Sprintf("/r/lobby/messages?name=guest%d", n), "привет", append([]string{"Content-Type", "text/plain"}, header...)...)
	switch r.status {
	case http.StatusForbidden:
		return ""
	case http.StatusCreated:
	default:
		s.t.Errorf("status %d: %s", r.status, r.body)
		return "?"
	}
	var last struct{ Messages []frame }
	body := s.request(http.MethodGet, "/r/lobby/messages.json?limit=1", "").body
	if err := json.Unmarshal([]byte(body), &last); err != nil || len(last.Messages) != 1 {
		s.t.Fatalf("%v: %s", err, body)
	}
	return last.Messages[0].From
}

// connectsAs says as whom; "" when it is refused.
func (s *server) connectsAs(h http.Header, n int) string {
	s.t.Helper()
	c, status, err := s.tryDial(url.Values{"name": {fmt.Sprint("guest", n)}}, "", h)
	if err != nil {
		if status != http.StatusForbidden {
			s.t.Errorf("status %d, %v", status, err)
		}
		return ""
	}
	defer c.close()
	return strings.TrimPrefix(c.next("the greeting"), "You are ")
}
