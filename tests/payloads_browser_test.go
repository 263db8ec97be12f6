package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// pairs lists every pair of an element and an attribute that the page has: what is allowed is what a harmless page has.
const pairs = `[...new Set([...document.querySelectorAll("body, body *")].flatMap((e) => [e.localName, ...e.getAttributeNames().map((a) => e.localName + " " + a)]))]`

// offences lists what must be nowhere: links that run, and what leads out of the page without saying so.
const offences = `[...document.querySelectorAll("[href], [src], [action], [formaction]")].filter((e) => {
	const to = new URL(e.getAttribute("href") ?? e.getAttribute("src") ?? e.getAttribute("action") ?? e.getAttribute("formaction"), location.href);
	if (to.origin === location.origin) return e.closest(".prose");
	return !/^https?:$/.test(to.protocol) || to.username || e.localName !== "a" || !e.relList.contains("noopener") || !e.relList.contains("nofollow");
}).map((e) => e.outerHTML.slice(0, 200)).join("\n")`

// beyond lists what is drawn beyond the right or left edge of the screen, and boxes that scroll sideways though they are not code.
const beyond = `[...document.querySelectorAll("body, body *")].filter((e) => {
	if (!e.checkVisibility() || e.closest("pre, .visually-hidden, .skip, [popover]:not(:popover-open)")) return false;
	const box = e.getBoundingClientRect(), style = getComputedStyle(e);
	const scrolls = e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(style.overflowX);
	const hidden = e.parentElement.closest(".message__name, .person__name, .room-row__name, .header__title, .menu__who") !== null;
	return scrolls || !hidden && (box.right > innerWidth + 1 || box.left < -1) && box.width > 0;
}).slice(0, 5).map((e) => e.outerHTML.slice(0, 160)).join("\n")`

// stands requires that nothing has run, that there is nothing in the page which a harmless one has not, and that it is no
// wider than a phone.
func (p *person) stands(where string, allowed map[string]bool) {
	p.t.Helper()
	p.still()
	if ran := eval[string](p, `String(window.ran ?? "") + (sessionStorage.getItem("ran") ?? "")`); ran != "" {
		p.t.Errorf("%s: something has run: %s", where, ran)
	}
	for _, pair := range eval[[]string](p, pairs) {
		if !allowed[pair] {
			p.t.Errorf("%s: the page has %q", where, pair)
		}
	}
	if found := eval[string](p, offences); found != "" {
		p.t.Errorf("%s: these lead away:\n%s", where, found)
	}
	for _, width := range []int64{360, 320} {
		p.do(chromedp.EmulateViewport(width, 740))
		p.still()
		if over := eval[int](p, `Math.max(document.documentElement.scrollWidth, document.getElementById("scroll")?.scrollWidth ?? 0) - innerWidth`); over > 0 {
			p.t.Errorf("%s: %d px wider than %d", where, over, width)
		}
		if found := eval[string](p, beyond); found != "" {
			p.t.Errorf("%s: beyond the edge at %d px:\n%s", where, width, found)
		}
	}
}

// remembers has what runs in any page of the tab be noticed: also what only calls.
func (p *person) remembers() {
	p.t.Helper()
	p.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
			Object.defineProperty(window, "ran", {set() { sessionStorage.setItem("ran", "yes") }});
			for (const name of ["alert", "confirm", "prompt", "print", "open"]) window[name] = () => { window.ran = name };`})
		return err
	})
}

// Whatever is typed as a message, an edit, a name or the name of a room: nothing of it runs, the page has no element and
// no attribute that it has not otherwise, and it is never wider than a phone.
func TestBrowserStandsPayloads(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t, "--no-limits")
	p := b.personFor(t, "Иван", 5*time.Minute)
	p.refused = true
	p.remembers()
	p.do(chromedp.EmulateViewport(360, 740))
	p.enter(s)
	cookie := s.login("Мария")
	author := []string{"Cookie", cookie, "Origin", "http://" + s.addr}
	last := 0
	marked := func(text string) { // the page has everything up to here
		t.Helper()
		last++
		text = fmt.Sprintf("%s %d", text, last)
		s.curl("/r/lobby/messages?name=ci", text)
		p.sees(text)
	}

	// What a page has when nobody means harm, a message of each kind in it.
	harmless := []string{
		"**a** *b* ~~c~~ `d` https://a.example\n\n> e\n\n1. f\n\n- g\n\n3. h\n\n```\ni\n```", "👍", "@Иван j", "@Мария k",
		strings.Repeat("первая\n", 3),
	}
	for _, text := range harmless {
		s.curl("/r/lobby/messages", text, append(author, "Content-Type", "text/plain")...)
	}
	edited := func(text string) response { // what an edit of a new message to it is answered
		t.Helper()
		var receipt frame
		first := s.curl("/r/lobby/messages", "станет другим", append(author, "Content-Type", "text/plain")...)
		if err := json.Unmarshal([]byte(first.body), &receipt); err != nil || receipt.Seq == 0 {
			t.Fatalf("%d %s", first.status, first.body)
		}
		return s.request("PUT", fmt.Sprintf("/r/lobby/messages/%d", receipt.Seq), text, append(author, "Content-Type", "text/plain")...)
	}
	edited(harmless[0] + "\n\nl")
	p.say("своё")
	marked("вначале")
	visit := func(path string) {
		t.Helper()
		p.do(chromedp.Navigate(s.url(path)))
		p.until("the page "+path, `document.readyState === "complete" && document.body.dataset.page`)
	}
	allowed := map[string]bool{}
	for _, path := range []string{"/r/lobby", "/rooms", "/nowhere", "/r/another", "/r/lobby"} {
		if visit(path); path == "/r/lobby" {
			p.until("the scripts have decorated it", decorated+` && document.querySelector(".code__copy")`)
			for i := range 5 {
				s.text(fmt.Sprint("Гость-", i), "")
			}
			p.until("there are lines about people", `document.querySelector("#log details")`)
			p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("online").click()`))
		}
		for _, pair := range eval[[]string](p, pairs) {
			allowed[pair] = true
		}
	}
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#who [href="#chat"]').click()`))
	p.stands("the harmless page", allowed)

	// As messages of others and as edits of them.
	for _, evil := range payloads {
		r, e := s.curl("/r/lobby/messages?name=ci", evil.text), edited(evil.text)
		if r.status/100 != e.status/100 {
			t.Errorf("%s: as a message %d, as an edit %d", evil.what, r.status, e.status)
		}
		if r.status != http.StatusCreated && r.status != http.StatusBadRequest && r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s is answered %d %s", evil.what, r.status, r.body)
		}
	}
	marked("правки и сообщения")
	p.stands("messages and edits, live", allowed)
	p.do(chromedp.Reload())
	p.until("history", decorated)
	if n := eval[int](p, `document.querySelectorAll("#log .message").length`); n < 50 {
		t.Errorf("history has %d messages", n)
	}
	p.stands("messages and edits, in history", allowed)

	// As one's own: what waits, and what has come back.
	for _, evil := range payloads {
		typed, err := json.Marshal(evil.text)
		if err != nil {
			t.Fatal(err)
		}
		p.do(chromedp.Evaluate[chromedp.Void](`{
			const field = document.getElementById("composer-text");
			field.value = ` + string(typed) + `;
			field.dispatchEvent(new Event("input", {bubbles: true}));
			document.getElementById("send").click();
			field.value = "";
			field.dispatchEvent(new Event("input", {bubbles: true}));
		}`))
	}
	p.stands("one's own, on their way", allowed)
	p.until("all is answered", `!document.querySelector('#log [data-state="sending"], #log [data-state="queued"]')`)
	marked("своё")
	p.stands("one's own", allowed)

	// As names, in messages, in lines and in the list of people.
	taken := 0
	for _, name := range names() {
		r := s.curl("/r/lobby/messages?name="+url.QueryEscape(name), "это я")
		switch r.status {
		case http.StatusCreated:
			taken++
			s.dial(url.Values{"name": {name}}, "", nil)
		case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
		default:
			t.Errorf("the name %.40q is answered %d %s", name, r.status, r.body)
		}
	}
	if taken < len(namesOfScripts)*9/10 {
		t.Errorf("only %d names are taken, of %d", taken, len(namesOfScripts))
	}
	marked("имена")
	p.until("the people are there", `document.querySelectorAll("#people .person").length > 40`)
	p.stands("names", allowed)
	p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("online").click()`))
	p.until("the list is open", `document.getElementById("who").checkVisibility()`)
	p.stands("the list of people", allowed)

	// As rooms: those that are no names come back, the others are listed.
	rooms := 0
	for _, name := range names() {
		r := s.form("/rooms", "name="+url.QueryEscape(name), "Cookie", cookie)
		if r.status == http.StatusSeeOther {
			rooms++
			s.curl(r.header.Get("Location")+"/messages?name=ci", "раз")
		}
		if r.status/100 == 5 || r.status == http.StatusOK {
			t.Errorf("the room %.40q is answered %d", name, r.status)
		}
	}
	if rooms < 20 {
		t.Errorf("only %d rooms are made", rooms)
	}
	visit("/rooms")
	p.stands("all rooms", allowed)
	visit("/r/" + url.PathEscape("константин-задунайский-преобраз"))
	p.stands("a room with a long name", allowed)
	for _, evil := range payloads {
		if len(evil.text) > 2000 || !strings.ContainsAny(evil.text, "<\"\u202e") {
			continue
		}
		visit("/r/" + url.PathEscape(evil.text))
		p.stands("the page that is not there, for "+evil.what, allowed)
	}
}

// names are what somebody may want to be called, or call a room: the payloads, as much of them as an address holds.
func names() []string {
	all := slices.Clone(namesOfScripts)
	for _, one := range payloads {
		runes := []rune(one.text)
		all = append(all, string(runes[:min(len(runes), 32)]), string(runes[:min(len(runes), 300)]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
