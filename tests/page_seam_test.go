package tests

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"
)

// While a message is edited again and again, every page that is fetched shows it at least as it was at the number that
// the page says it is complete up to: from there the socket goes on.
func TestPageShowsEveryEditUpToItsNumber(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	reader := s.login("Мария")
	for n := range 4 {
		room := fmt.Sprint("room", n)
		author := s.json("Иван", room)
		author.send(map[string]any{"type": "hello"})
		author.frame("joined")
		author.say("first", "версия 0")
		author.answer("first")
		e := &edits{version: map[int64]int{1: 0}}
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() { // ends with stop, or with the room's pages
			defer close(stopped)
			e.make(author, stop)
		}()
		for range 12 {
			for _, path := range []string{"/r/" + room, "/r/" + room + "/1", "/r/" + room + "?after=0"} {
				page := s.request(http.MethodGet, path, "", "Cookie", reader, "Accept", "text/html", "Sec-Fetch-Site", "same-origin")
				event, version := shownAt(t, page.body)
				if version >= 0 {
					e.fetched = append(e.fetched, [2]int64{event, version})
				}
			}
		}
		close(stop)
		<-stopped
		e.check(t)
		_ = author.ws.CloseNow()
	}
}

// A page that does not end where the room does is not fed with what is new, but with what becomes of what it shows: also
// while there was no connection, and from when the page was rendered.
func TestBrowserShowsEditsOnAnOlderPage(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	anna := s.login("Анна")
	s.curl("/r/lobby/messages", "раз", "Cookie", anna, "Origin", s.url(""))
	s.curl("/r/lobby/messages", "два", "Cookie", anna, "Origin", s.url(""))
	s.fillRoom("lobby", 120)
	ivan := browser.person(t, "Иван")
	ivan.enter(s)
	ivan.do(chromedp.Navigate(s.url("/r/lobby/1")))
	ivan.until("an older page", `document.body?.dataset.live === "false" && document.body.dataset.event === "122"`)
	ivan.until("all of it is there", `document.querySelector('#log .message__tool[tabindex="0"]')`)
	edit := func(s *server, seq int, text string) {
		t.Helper()
		path := fmt.Sprint("/r/lobby/messages/", seq)
		if r := s.request(http.MethodPut, path, text, "Cookie", anna, "Origin", s.url("")); r.status != http.StatusOK {
			t.Fatalf("PUT %s = %d %s", path, r.status, r.body)
		}
	}
	shows := func(seq int, text string) {
		t.Helper()
		ivan.until("message "+text, fmt.Sprintf(`document.querySelector('#log [data-seq="%d"] .message__body')?.innerText.startsWith(%q)`, seq, text))
	}
	edit(s, 1, "раз сначала")
	shows(1, "раз сначала")

	s.kill()
	ivan.until("the page notices", `!document.getElementById('banner').hidden`)
	other := startIn(t, s.dir, "127.0.0.1:0") // nobody can be connected to it
	edit(other, 1, "раз, пока никого")
	edit(other, 2, "два, пока никого")
	other.stop()
	s.again()
	shows(1, "раз, пока никого")
	shows(2, "два, пока никого")
}

// edits are versions of the first message of a room, and what pages have shown of them.
type edits struct {
	fetched [][2]int64 // number of the page, version of the message

	mu      sync.Mutex    // guards the field below
	version map[int64]int // by number of the edit
}

// make edits the message and says something else, by turns, as long as all of it is on one page.
func (e *edits) make(author *jsonConn, stop <-chan struct{}) {
	for n := 1; n < 45; n++ {
		select {
		case <-stop:
			return
		default:
		}
		id := fmt.Sprint("edit", n)
		author.send(map[string]any{"type": "edit", "id": id, "seq": 1, "text": fmt.Sprint("версия ", n)})
		seq := author.answer(id).Seq
		e.mu.Lock()
		e.version[seq] = n
		e.mu.Unlock()
		author.say(fmt.Sprint("more", n), "ещё")
		author.answer(fmt.Sprint("more", n))
	}
}

func (e *edits) check(t *testing.T) {
	t.Helper()
	for _, f := range e.fetched {
		for seq, version := range e.version {
			if seq <= f[0] && int64(version) > f[1] {
				t.Errorf("a page up to number %d shows version %d, and %d was made by number %d", f[0], f[1], version, seq)
			}
		}
	}
}

// shownAt is the number up to which a page is complete, and the version of the first message in it, -1 if it is not there.
func shownAt(t *testing.T, page string) (event, version int64) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	body := find(doc, func(n *html.Node) bool { return n.Data == "body" })
	if event, err = strconv.ParseInt(attribute(body, "data-event"), 10, 64); err != nil {
		t.Fatalf("data-event: %v", err)
	}
	message := find(body, func(n *html.Node) bool {
		return attribute(n, "data-kind") == "message" && attribute(n, "data-seq") == "1"
	})
	if message == nil {
		return event, -1
	}
	_, text, _ := strings.Cut(textOf(message), "версия ")
	if i := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		text = text[:i]
	}
	if version, err = strconv.ParseInt(text, 10, 64); err != nil {
		t.Fatalf("the first message is %q", textOf(message))
	}
	return event, version
}
