package tests

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// What the first visit of a room with 50 messages may cost on the wire, in bytes, compressed with gzip.
const (
	maxFirstPage  = 14_000
	maxFirstLoad  = 50_000
	maxFirstFiles = 8 // not bytes
)

// fillRoom has some people talk for a while.
func fillRoom(s *server, n int) {
	s.t.Helper()
	people := []string{"Иван", "Мария", "Анна Ковалёва", "John", "ci"}
	texts := []string{
		"Всем привет! Кто в субботу на лыжах? Думаю, в девять у станции, электричка в **9:14**.",
		"Я! Лыжи можно взять напрокат: https://example.org/ski/%d, я брала, хорошие",
		"Ran the torture test overnight: 1,000 kills, nothing lost in run %d. Can I merge, @Иван?",
		"> Перезапуск больше никто не замечает\n\nПроверил на живом, так и есть. Ключ `--drain %ds`",
		"👍",
		"Тогда список дел:\n\n1. повторить на двух узлах\n2. записать в README про номер %d",
		"готово: сборка %d прошла, 412 тестов за 1:53",
	}
	for i := range n {
		text := texts[i%len(texts)]
		if strings.Contains(text, "%d") {
			text = fmt.Sprintf(text, i)
		}
		path := "/r/lobby/messages?name=" + url.QueryEscape(people[i*i%len(people)])
		if r := s.curl(path, text); r.status != http.StatusCreated {
			s.t.Fatalf("post: %d %s", r.status, r.body)
		}
	}
}

// loads are the addresses that a page has the browser load at once. apple-touch-icon is not among them: it is loaded when
// somebody puts the page on a home screen.
func loads(t *testing.T, page string) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for n := range root.Descendants() {
		switch n.Data {
		case "link":
			if slices.Contains([]string{"stylesheet", "modulepreload", "icon", "manifest"}, attribute(n, "rel")) {
				all = append(all, attribute(n, "href"))
			}
		case "script", "img":
			all = append(all, attribute(n, "src"))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestFirstLoadIsLight(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	cookie := s.login("Мария")
	fillRoom(s, 50)
	zipped := func(path string) int {
		t.Helper()
		r := s.request("GET", path, "", "Cookie", cookie, "Accept", "text/html", "Accept-Encoding", "gzip")
		if r.status != http.StatusOK {
			t.Fatalf("GET %s = %d", path, r.status)
		}
		return len(r.body)
	}
	page := s.request("GET", "/r/lobby", "", "Cookie", cookie).body
	if n := strings.Count(page, "data-kind=\"message\""); n < 50 {
		t.Fatalf("the page has %d messages", n)
	}
	all := zipped("/r/lobby")
	t.Logf("%6d the page, %d plain", all, len(page))
	if all > maxFirstPage {
		t.Errorf("the page has %d bytes, want at most %d", all, maxFirstPage)
	}
	files := loads(t, page)
	if len(files) < 4 {
		t.Fatalf("the page loads only %q", files)
	}
	for _, path := range files {
		n := zipped(path)
		t.Logf("%6d %s", n, path)
		all += n
	}
	t.Logf("%6d together", all)
	if all > maxFirstLoad {
		t.Errorf("the first load has %d bytes, want at most %d", all, maxFirstLoad)
	}
}

// What a browser loads, by itself and by its scripts, is as light, and it is few files: each costs a round trip.
func TestBrowserLoadsLittle(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t, "--no-limits")
	fillRoom(s, 50)
	p := b.person(t, "Мария") // whose browser has nothing in its cache
	p.enter(s)
	p.until("the page is at rest", `document.readyState === "complete"`)
	type load struct {
		Path  string `json:"path"`
		Bytes int    `json:"bytes"`
	}
	loads := eval[[]load](p, `["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
		.map((entry) => ({ path: new URL(entry.name).pathname, bytes: entry.encodedBodySize }))`)
	all := 0
	for _, l := range loads {
		t.Logf("%6d %s", l.Bytes, l.Path)
		all += l.Bytes
		if l.Bytes == 0 && l.Path != "/ws" {
			t.Errorf("nobody knows how much %s has", l.Path)
		}
	}
	if all > maxFirstLoad {
		t.Errorf("the first load has %d bytes, want at most %d", all, maxFirstLoad)
	}
	if len(loads) > maxFirstFiles {
		t.Errorf("the first load has %d files, want at most %d", len(loads), maxFirstFiles)
	}
}
