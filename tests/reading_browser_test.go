package tests

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// fillRoom says n messages of various heights in a room.
func (s *server) fillRoom(room string, n int) {
	s.t.Helper()
	speakers := []*jsonConn{s.json("Анна", room), s.json("Борис", room), s.json("Вера", room)}
	for _, c := range speakers {
		c.send(map[string]any{"type": "hello"})
		c.frame("joined")
	}
	last := make([]string, len(speakers))
	for i := range n {
		text := fmt.Sprintf("сообщение %d", i+1)
		if i%7 == 0 {
			text += strings.Repeat(" и ещё несколько слов", i%5*8)
		}
		if i%11 == 0 {
			text += "\n\n```\nкод\nиз трёх\nстрок\n```"
		}
		c := i / 48 % len(speakers)
		last[c] = fmt.Sprintf("fill-%d", i)
		speakers[c].say(last[c], text)
		if i%48 == 47 { // before somebody else speaks
			speakers[c].answer(last[c])
			last[c] = ""
		}
	}
	for c, id := range last {
		if id != "" {
			speakers[c].answer(id)
		}
		_ = speakers[c].ws.CloseNow()
	}
}

// reader is a script that scrolls as a reader does, and watches that nothing moves by itself.
const reader = `(() => {
	const scroller = document.getElementById("scroll"), list = document.getElementById("log");
	const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
	const messages = () => [...list.querySelectorAll(".message[data-seq]")];
	const visible = () => messages().find((m) => m.getBoundingClientRect().bottom > scroller.getBoundingClientRect().top + 1);
	window.reader = {
		// Scrolls by step until done(), and returns what it saw.
		async walk(step, done) {
			const seen = { drift: 0, most: 0, order: true, pages: 0 };
			let [first, last] = [messages()[0], messages().at(-1)];
			for (let turns = 0; !done() && turns < 5000; turns++) {
				scroller.scrollTop += step;
				await frame();
				const anchor = visible(), top = anchor?.getBoundingClientRect().top;
				await frame();
				if (document.querySelector('.older[data-state="loading"]')) for (let i = 0; i < 300 && document.querySelector('.older[data-state="loading"]'); i++) await frame();
				await frame();
				if (anchor) seen.drift = Math.max(seen.drift, anchor.isConnected ? Math.abs(anchor.getBoundingClientRect().top - top) : 1e6);
				if (messages()[0] !== first || messages().at(-1) !== last) seen.pages++; // since the turn before: it may have come at once
				[first, last] = [messages()[0], messages().at(-1)];
				const numbers = messages().map((m) => Number(m.dataset.seq));
				seen.most = Math.max(seen.most, numbers.length);
				seen.order &&= numbers.every((n, i) => i === 0 || n === numbers[i - 1] + 1);
			}
			return seen;
		},
		first: () => Number(messages()[0]?.dataset.seq), last: () => Number(messages().at(-1)?.dataset.seq),
		top: () => scroller.scrollTop <= 0, end: () => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < 2,
	};
	return true;
})()`

type walked struct {
	Drift float64 `json:"drift"`
	Most  int     `json:"most"`
	Order bool    `json:"order"`
	Pages int     `json:"pages"`
}

// walk scrolls by step until a condition holds, and requires that nothing moved and the list stayed short.
func (p *person) walk(step int, until string) walked {
	p.t.Helper()
	eval[bool](p, reader)
	ctx := p.ctx
	w, err := chromedp.Run(ctx, chromedp.Evaluate[walked](fmt.Sprintf(`window.reader.walk(%d, () => %s)`, step, until), chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: scroll: %v", p.name, err)
	}
	if !eval[bool](p, until) {
		p.t.Fatalf("%s scrolled in vain until %s; the list has %d to %d", p.name, until, eval[int](p, "reader.first()"), eval[int](p, "reader.last()"))
	}
	if w.Drift > 1 || math.IsNaN(w.Drift) {
		p.t.Errorf("what %s read moved by %v px", p.name, w.Drift)
	}
	if w.Most > 391 { // 340, and a page
		p.t.Errorf("the list had %d messages", w.Most)
	}
	if !w.Order {
		p.t.Errorf("the list of %s had a gap", p.name)
	}
	return w
}

// One reads up to the beginning and down to the end again: pages come and go at both ends, nothing moves, and at the end
// the page is live.
func TestBrowserReadsBothWays(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	for _, mode := range []struct{ name, script string }{
		{"with scroll anchoring", ""},
		{"without", `CSS.supports = ((known) => (...what) => what[0] !== "overflow-anchor" && known.apply(CSS, what))(CSS.supports);
			addEventListener("DOMContentLoaded", () => document.getElementById("scroll")?.style.setProperty("overflow-anchor", "none"))`}, // as in Safari
	} {
		t.Run(mode.name, func(t *testing.T) {
			s := start(t, "--no-limits")
			const n = 500
			s.fillRoom("long", n)
			p := browser.person(t, "Мария")
			if mode.script != "" {
				p.call(browserCall(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: mode.script}))
			}
			p.enter(s)
			p.do(chromedp.Navigate(s.url("/r/long")))
			p.until("the end", `document.querySelector('#log [data-seq="500"] time[title]')`)
			up := p.walk(-700, `reader.first() === 1 && reader.top()`)
			if last := eval[int](p, `reader.last()`); last >= n {
				t.Errorf("the list has everything up to %d: nothing was let go", last)
			}
			if hidden := eval[bool](p, `document.getElementById("jump").hidden`); hidden {
				t.Error("there is no way back to the newest messages")
			}
			s.curl("/r/long/messages?name=ci", "пока читают старое")
			p.until("it is counted", `document.querySelector(".jump__count").textContent === "1"`)
			if shown := eval[bool](p, `!!document.querySelector('#log [data-seq="501"]')`); shown {
				t.Error("what is new stands behind what is old")
			}
			down := p.walk(700, `reader.last() === 501 && reader.end()`)
			if up.Pages < 8 || down.Pages < 3 {
				t.Errorf("%d pages upwards and %d downwards: this tested little", up.Pages, down.Pages)
			}
			s.curl("/r/long/messages?name=ci", "снова вживую")
			p.sees("снова вживую")
			p.until("one follows the end", `reader.end() && document.getElementById("jump").hidden`)

			// The button leads to the end at once, and what was missed is there.
			p.walk(-700, `reader.last() < 450`)
			s.curl("/r/long/messages?name=ci", "и ещё")
			p.do(chromedp.Click("#jump"))
			p.sees("и ещё")
			p.until("the end", `reader.end() && reader.last() === 503 && document.getElementById("jump").hidden`)
		})
	}
}

// A link to a message opens it where it was said, and the page becomes live when one comes to the end.
func TestBrowserOpensAMessageInItsPlace(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t, "--no-limits")
	s.fillRoom("long", 200)
	p := browser.person(t, "Мария")
	p.enter(s)
	p.do(chromedp.Navigate(s.url("/r/long/100")))
	p.until("the message in the middle of the screen, set off", `(() => {
		const box = document.getElementById("scroll").getBoundingClientRect(), m = document.querySelector('#log [data-seq="100"][data-target]');
		if (!m || !m.querySelector("time[title]")) return false;
		const at = m.getBoundingClientRect();
		return at.top > box.top && at.bottom < box.bottom && getComputedStyle(m).outlineStyle === "solid";
	})()`)
	p.until("the page is connected", `document.querySelectorAll("#people .person").length === 1`)
	s.curl("/r/long/messages?name=ci", "вдали")
	p.until("it is counted", `document.querySelector(".jump__count").textContent === "1"`)
	p.walk(700, `reader.last() === 201 && reader.end()`)
	s.curl("/r/long/messages?name=ci", "вблизи")
	p.sees("вблизи")

	p.do(chromedp.Navigate(s.url("/r/long/100")))
	p.until("the message again", `document.querySelector('#log [data-seq="100"] time[title]')`)
	p.say("ответ из середины")
	p.sees("ответ из середины")
	p.until("the end", `document.querySelector('#log [data-seq="202"]') && document.getElementById("jump").hidden`)
}

// A page that cannot be fetched is said so where it would stand, and can be asked for again.
func TestBrowserSaysThatHistoryFailed(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t, "--no-limits")
	s.fillRoom("long", 120)
	p := browser.person(t, "Мария")
	p.enter(s)
	p.do(chromedp.Navigate(s.url("/r/long")))
	p.until("the page", `document.querySelector('#log [data-seq="120"] time[title]')`)
	p.do(chromedp.Evaluate[chromedp.Void](`window.fetched = fetch; fetch = () => Promise.reject(new Error("cut")); document.getElementById("scroll").scrollTop = 0`))
	p.until("it is said", `(() => { const line = document.getElementById("older").parentElement;
		return line.dataset.state === "failed" && line.innerText.includes("Не удалось загрузить"); })()`)
	p.do(chromedp.Evaluate[chromedp.Void](`fetch = window.fetched; 0`), chromedp.Click(`.older[data-state="failed"] .older__again`))
	p.until("the older page", `document.querySelector('#log [data-seq="60"]')`)
}

// comeAs makes a person's browser that of somebody who is logged in elsewhere.
func (p *person) comeAs(s *server, cookie string) {
	p.t.Helper()
	name, value, _ := strings.Cut(cookie, "=")
	p.call(browserCall(network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: s.url("/")}))
}

// room opens a room and waits until its page is live.
func (p *person) room(s *server, name string) {
	p.t.Helper()
	p.do(chromedp.Navigate(s.url("/r/" + name)))
	p.until("the room "+name, `document.body && document.body.dataset.room === `+quote(name)+` && document.querySelector("#people .person[data-own]")`)
}

// badge is what the column says of the room design.
const badge = `(document.querySelector('.room-row[data-room="design"] .room-row__count:not([hidden])')?.textContent ?? "")`

// What somebody has read on one device is read on the others, now and later; what is unread is told of rooms that are
// not on the screen.
func TestBrowserSharesWhatWasRead(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t, "--no-limits")
	cookie := s.login("Мария")
	desk, phone := browser.person(t, "Мария"), browser.person(t, "Мария с телефона")
	desk.comeAs(s, cookie)
	phone.comeAs(s, cookie)
	s.curl("/r/design/messages?name=ci", "первое")
	desk.room(s, "design")
	desk.room(s, "lobby")
	if title := eval[string](desk, "document.title"); strings.HasPrefix(title, "(") {
		t.Errorf("before anything: %s", title)
	}
	for i := range 3 {
		s.curl("/r/design/messages?name=ci", fmt.Sprintf("ещё %d", i))
	}
	desk.until("three are unread", badge+` === "3" && document.title.startsWith("(3) ")`)
	desk.until("the tab calls", `document.querySelector("link[rel=icon]").href.includes("waiting")`)
	s.curl("/r/design/messages?name=ci", "@мария, посмотри")
	desk.until("a mention", badge+` === "@ 1" && document.querySelector('.room-row[data-room="design"] [data-mention]')`)

	phone.room(s, "design")
	phone.until("the line before what is new", `document.querySelector(".unread")?.nextElementSibling?.textContent.includes("ещё 0")`)
	desk.until("nothing is unread any more", badge+` === "" && !document.title.startsWith("(") && document.querySelector("link[rel=icon]").href.includes("favicon.svg")`)
	desk.room(s, "lobby")
	if got := eval[string](desk, badge); got != "" {
		t.Errorf("after a reload %s is unread", got)
	}
	phone.room(s, "lobby")
	s.curl("/r/design/messages?name=ci", "снова новое")
	desk.until("one is unread", badge+` === "1"`)
	desk.room(s, "lobby")
	desk.until("one is unread after a reload", badge+` === "1" && document.title.startsWith("(1) ")`)
	desk.room(s, "design")
	desk.until("the line again", `document.querySelector(".unread")?.nextElementSibling?.textContent.includes("снова новое")`)
	s.curl("/r/design/messages?name=ci", "при мне")
	desk.sees("при мне")
	if n := eval[int](desk, `document.querySelectorAll(".unread").length`); n != 1 {
		t.Errorf("%d lines while one looks, want the one", n)
	}

	// More than a screen: the end is shown, and a way to the beginning.
	phone.until("the lobby", `document.body.dataset.room === "lobby"`)
	desk.room(s, "lobby")
	s.fillRoom("design", 70)
	phone.room(s, "design")
	phone.until("a way to what is new", `!document.getElementById("fresh").hidden && document.getElementById("fresh").innerText.startsWith("70 новых")`)
	phone.do(chromedp.Click("#fresh"))
	phone.until("what is new", `(() => { const line = document.querySelector(".unread"), box = document.getElementById("scroll").getBoundingClientRect();
		return line && line.getBoundingClientRect().top >= box.top && line.getBoundingClientRect().bottom < box.bottom &&
			document.getElementById("fresh").hidden; })()`)
	next := eval[string](phone, `document.querySelector(".unread").nextElementSibling.querySelector(".message__body").textContent`)
	if strings.TrimSpace(next) != "сообщение 1\nкод\nиз трёх\nстрок" {
		t.Errorf("the first that is new is %q", next)
	}

	// Without scripts the newest page is read when it is loaded.
	plain := browser.person(t, "Мария без сценариев")
	plain.comeAs(s, cookie)
	plain.call(browserCall(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	phone.room(s, "lobby")
	s.curl("/r/design/messages?name=ci", "последнее")
	desk.until("it is unread", badge+` !== ""`)
	plain.do(chromedp.Navigate(s.url("/r/design")))
	plain.sees("последнее")
	desk.until("it is read", badge+` === ""`)
}

// Whoever is mentioned while nobody looks is told by a notification, one for each room, which goes away with reading.
func TestBrowserNotifiesOfMentions(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t, "--no-limits")
	p := browser.person(t, "Мария")
	p.call(browserCall(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.notes = [];
		navigator.setAppBadge = async (n) => { window.appBadge = n; };
		navigator.clearAppBadge = async () => { window.appBadge = 0; };
		window.asked = 0;
		window.Notification = class {
			static permission = "default";
			static async requestPermission() { window.asked++; return (Notification.permission = "granted"); }
			constructor(title, options) { window.notes.push(this); Object.assign(this, { title, ...options, open: true }); }
			close() { this.open = false; }
		};
		Object.defineProperty(Document.prototype, "visibilityState", { get: () => window.away ? "hidden" : "visible" });
		window.look = (away) => { window.away = away; document.dispatchEvent(new Event("visibilitychange")); };`}))
	p.enter(s)
	s.curl("/r/design/messages?name=ci", "x")
	p.room(s, "design")
	p.room(s, "lobby")
	if asked := eval[int](p, "asked"); asked != 0 {
		t.Error("permission is asked for before anybody has said so")
	}
	p.do(chromedp.Click(`[popovertarget="menu"]`), chromedp.Click("#notify"))
	p.until("permission", `asked === 1 && document.getElementById("notify").hidden`)

	s.curl("/r/design/messages?name=ci", "@Мария, пока видно")
	p.until("the badge", badge+` === "@ 1"`)
	if n := eval[int](p, "notes.length"); n != 0 {
		t.Errorf("%d notifications while one looks", n)
	}
	p.do(chromedp.Evaluate[chromedp.Void]("look(true)"))
	s.curl("/r/design/messages?name=ci", "@Мария, пока не видно")
	p.until("a notification of another room", `notes.length === 1 && notes[0].tag === "govor/design" && notes[0].title === "design"`)
	s.curl("/r/lobby/messages?name=ci", "никому")
	s.curl("/r/lobby/messages?name=ci", "привет, @мария!")
	p.until("a notification of this room", `notes.length === 2 && notes[1].tag === "govor/lobby" && notes[1].body === "ci: привет, @мария!"`)
	const dot = `document.querySelector("link[rel=icon]").href.includes("waiting")`
	p.until("what waits is counted", `document.title.startsWith("(4) ") && appBadge === 4 && `+dot)
	p.do(chromedp.Evaluate[chromedp.Void]("look(false)"))
	p.until("it goes away with reading", `!notes[1].open && document.title.startsWith("(2) ") && appBadge === 2 && `+dot)
	p.room(s, "design")
	p.until("nothing waits any more", `!document.title.startsWith("(") && appBadge === 0 && !(`+dot+`)`)
}
