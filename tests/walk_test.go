package tests

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// walk goes through the states in one language.
type walk struct {
	t       *testing.T
	browser browser
	s       *server
	lang    string
	p       *person // who looks
	name    string  // who is logged in, once somebody is
	heard   int     // how many times live was asked
	cookie  string  // of the same, for requests of the test
	host    string  // cookie of the owner, once that is somebody else
	member  string  // who the host does something to: who looks
}

// eachState walks through all states in a language, with a server and a browser tab of its own.
func eachState(t *testing.T, b browser, lang string, visit func(w *walk, st state)) {
	t.Helper()
	w := &walk{t: t, browser: b, s: start(t, "--no-limits"), lang: lang}
	w.fill()
	w.p = b.personFor(t, "reader", 10*time.Minute)
	w.p.refused = true
	w.p.do(chromedp.Navigate(w.s.url("/?lang=" + lang)))
	w.page("login")
	for _, st := range states {
		st.open(w)
		visit(w, st)
	}
}

// fill says one message of each kind in the lobby, more than a page in another room, and holds a name.
func (w *walk) fill() {
	w.t.Helper()
	w.s.joined("Иван")
	w.s.claim("Вера", "тайна тайна")
	w.name = map[string]string{"ru": "Мария", "en": "Maria"}[w.lang]
	w.cookie = w.s.login(w.name)
	for i := range 60 {
		w.sayIn("long", fmt.Sprintf("Гость %d", i%3), fmt.Sprintf("сообщение %d", i))
	}
	for _, text := range []string{
		"**жирный**, *курсив*, ~~зачёркнутый~~, `код`", "```\nfunc main() {\n\tfmt.Println(\"длинная строка кода, которая шире телефона, чтобы её прокручивать\")\n}\n```",
		"> цитата\n> в две строки\n\nи ответ", "1. раз\n2. два\n\n- три\n- четыре", "ссылка https://example.org/очень/длинный/путь?и=запрос", "🎉🚀",
		"@" + w.name + " посмотри", "@Иван посмотри и `@Иван`", "/me машет рукой", "/me обнимает @" + w.name, "<script>alert(1)</script> " + strings.Repeat("длинноеслово", 30),
	} {
		w.say("Анна Ковалёва", text)
		w.own(text)
	}
	w.own("это будет удалено")
	messages := w.s.list("limit=1")
	seq := messages[len(messages)-1].Seq
	if r := w.s.request("DELETE", fmt.Sprintf("/r/lobby/messages/%d", seq), "", w.asMember()...); r.status/100 != 2 {
		w.t.Fatalf("delete: %d %s", r.status, r.body)
	}
	w.say("ci", "последнее")
}

func (w *walk) asMember() []string {
	return []string{"Cookie", w.cookie, "Origin", "http://" + w.s.addr}
}

func (w *walk) say(name, text string) {
	w.t.Helper()
	w.sayIn("lobby", name, text)
}

func (w *walk) sayIn(room, name, text string) {
	w.t.Helper()
	if r := w.s.curl("/r/"+room+"/messages?name="+url.QueryEscape(name), text); r.status != http.StatusCreated {
		w.t.Fatalf("post as %s: %d %s", name, r.status, r.body)
	}
}

// own says something as the member who looks later.
func (w *walk) own(text string) {
	w.t.Helper()
	if r := w.s.curl("/r/lobby/messages", "text="+url.QueryEscape(text), w.asMember()...); r.status/100 != 2 {
		w.t.Fatalf("post as the member: %d %s", r.status, r.body)
	}
}

func (w *walk) visit(path string) {
	w.t.Helper()
	w.p.do(chromedp.Navigate(w.s.url(path)))
	w.p.until("the page is there", `document.readyState === "complete" && document.body.dataset.page`)
}

func (w *walk) page(name string) {
	w.t.Helper()
	w.p.until("the page "+name, `document.readyState === "complete" && document.body.dataset.page === `+quote(name))
}

// room opens a page of a room and waits until it is live, if it is the newest.
func (w *walk) room(path string) {
	w.t.Helper()
	w.visit(path)
	w.page("room")
	w.p.until("the scripts have decorated it", `document.querySelector("#log time[title]")`)
}

func (w *walk) popover(id string) {
	w.t.Helper()
	w.run(`document.getElementById("` + id + `").showPopover()`)
}

func (w *walk) run(statement string) {
	w.t.Helper()
	w.p.do(chromedp.Evaluate[chromedp.Void]("{" + statement + "}"))
}

// login sends the form with a name, also one that the browser would not send by itself.
func (w *walk) login(name string) {
	w.t.Helper()
	w.run(`document.body.dataset.page = ""; document.getElementById("login-name").value = ` + quote(name) + `; document.getElementById("login").submit()`)
	w.page("login")
	w.p.until("the refusal", `document.getElementById("login-error")`)
}

// loginOffline sends the form to a server that has gone away.
func (w *walk) loginOffline() {
	w.t.Helper()
	w.s.kill()
	w.run(`document.getElementById("login-name").value = "Ольга"; document.getElementById("login-submit").click()`)
	w.p.until("the page says so", `document.getElementById("banner").dataset.state === "retry" && !document.getElementById("banner").hidden`)
}

// revive leaves the page, and brings the server back.
func (w *walk) revive() {
	w.t.Helper()
	w.p.do(chromedp.Navigate("about:blank"))
	w.s = w.s.again()
}

// enter becomes the member.
func (w *walk) enter() {
	w.t.Helper()
	name, value, _ := strings.Cut(w.cookie, "=")
	w.p.call(browserCall(network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: w.s.url("/")}))
}

// back sends the form as a page without scripts does.
func (w *walk) back() {
	w.t.Helper()
	w.run(`document.body.dataset.page = ""; document.getElementById("composer").submit()`)
	w.page("room")
	w.p.until("the refusal", `document.getElementById("composer-note").dataset.state === "error"`)
}

// unread goes up in the log and lets somebody say something below.
func (w *walk) unread() {
	w.t.Helper()
	w.p.until("the page is live", `document.querySelector("#people .person")`)
	w.run(`const s = document.getElementById("scroll"); s.scrollTop = s.scrollHeight / 2`)
	w.p.until("the way down is shown", `!document.getElementById("jump").hidden`)
	w.sayIn("long", "ci", "ниже")
	w.p.until("the count", `document.querySelector(".jump__count:not([hidden])")`)
}

// news lets somebody mention the reader in another room.
func (w *walk) news() {
	w.t.Helper()
	w.p.until("the page is live", `document.querySelector("#people .person")`)
	w.sayIn("long", "ci", "@"+w.name+" посмотри")
	w.p.until("the column says so", `document.querySelector('.room-row[data-room="long"] [data-mention]:not([hidden])')`)
}

// pending says something to a server that takes nothing.
func (w *walk) pending() {
	w.t.Helper()
	w.room("/r/lobby")
	w.live()
	w.halt()
	w.write("в пути")
	w.p.until("it is shown to be on its way", `document.querySelector('#log [data-state="sending"]')`)
}

// live waits until the page of the lobby takes part: it hears what is said now.
func (w *walk) live() {
	w.t.Helper()
	w.heard++
	text := fmt.Sprintf("слышно %d", w.heard)
	w.say("ci", text)
	w.p.sees(text)
}

// write replaces what is in the field, and sends it unless it is too long.
func (w *walk) write(text string) {
	w.t.Helper()
	w.run(`const f = document.getElementById("composer-text"); f.value = "` + text + `";
		f.dispatchEvent(new Event("input", {bubbles: true})); document.getElementById("send").click()`)
}

// failed loads the page anew, on which an earlier one has left a message that was refused.
func (w *walk) failed() {
	w.t.Helper()
	w.goOn()
	w.p.until("nothing waits", `!document.querySelector("#log [data-state]")`)
	w.run(`localStorage.setItem("govor/" + document.body.dataset.me + "/outbox/lobby/failed",
		JSON.stringify({text: "не дошло", at: Date.now(), code: "id_reused", problem: ""}))`)
	w.room("/r/lobby")
	w.live()
	w.p.until("it has failed", `document.querySelector('#log [data-state="failed"]')`)
}

func (w *walk) offline() {
	w.t.Helper()
	w.run(`document.querySelector('#log [data-do="discard"]').click()`)
	w.s.kill()
	w.p.until("the page says so", `document.getElementById("banner").dataset.state === "retry" && !document.getElementById("banner").hidden`)
	w.write("в очереди")
	w.p.until("it is queued", `document.querySelector('#log [data-state="queued"]')`)
}

// online brings the server back; the good news stays for as long as it is looked at.
func (w *walk) online() {
	w.t.Helper()
	w.s = w.s.again()
	w.p.until("the page says so", `document.getElementById("banner").dataset.state === "back"`)
	w.run(`document.getElementById("banner").hidden = false`)
}

// restarting stops the server, which says that it will be back.
func (w *walk) restarting() {
	w.t.Helper()
	w.p.until("nothing waits", `!document.querySelector("#log [data-state]")`)
	w.s.stop()
	w.p.until("the page says so", `document.getElementById("banner").dataset.state === "restart" && !document.getElementById("banner").hidden`)
}
