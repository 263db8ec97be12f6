package tests

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/chromedp/chromedp"
)

// state is one thing that a page can look like. What is promised of every page is checked in each of them: whoever adds
// something to a page adds the states in which it is seen.
type state struct {
	name string
	open func(w *walk) // brings the page of w.p there, from wherever it is
}

// Everything a page can look like, in this order: first for whoever is not logged in, then for a member of the lobby, in
// which each kind of message stands, and at last what ends a connection.
var states = []state{
	{"login", func(w *walk) { w.visit("/") }},
	{"login with the console hint", func(w *walk) { w.visit("/"); w.p.do(chromedp.Click("details.login__console summary")) }},
	{"login to a room", func(w *walk) { w.visit("/r/design") }},
	{"login empty", func(w *walk) { w.visit("/"); w.login("") }},
	{"login bad name", func(w *walk) { w.visit("/"); w.login("a:b") }},
	{"login taken", func(w *walk) { w.visit("/"); w.login("Иван") }},
	{"login to a name with a password", func(w *walk) { w.visit("/"); w.password("Вера", "") }},
	{"login with a wrong password", func(w *walk) { w.password("Вера", "не та") }},
	{"login of members only", func(w *walk) { w.elsewhere("--mode", "members") }},
	{"login without a cookie", func(w *walk) { w.visit("/r/lobby?welcome=1") }},
	{"login busy", func(w *walk) { w.visit("/"); w.busy() }},
	{"login offline", func(w *walk) { w.goOn(); w.visit("/"); w.loginOffline() }},
	{"no such page", func(w *walk) { w.revive(); w.visit("/r/dezign/nothing") }},
	{"bad request", func(w *walk) { w.enter(); w.visit("/r/lobby?before=x") }},
	{"the only room", func(w *walk) { w.room("/r/lobby") }},
	{"menu of the only room", func(w *walk) { w.popover("menu") }},
	{"many came", func(w *walk) { w.crowd() }},
	{"empty room", func(w *walk) { w.visit("/r/empty-" + w.lang) }},
	{"room", func(w *walk) { w.room("/r/lobby") }},
	{"menu", func(w *walk) { w.popover("menu") }},
	{"menu of a room", func(w *walk) { w.room("/r/long"); w.popover("room-menu") }},
	{"new room", func(w *walk) { w.room("/r/lobby"); w.popover("new-room") }},
	{"rooms", func(w *walk) { w.room("/r/lobby"); w.run(`document.body.dataset.rooms = "open"`) }},
	{"room with a long name", func(w *walk) {
		w.visit("/r/" + url.PathEscape(strings.Repeat("ж", 32)))
		w.page("room")
		w.run(`document.body.dataset.rooms = "open"`)
	}},
	{"all rooms", func(w *walk) { w.visit("/rooms") }},
	{"bad name of a room", func(w *walk) {
		w.run(`document.body.dataset.page = ""; document.getElementById("room-name").value = "a b!"; document.getElementById("new").submit()`)
		w.page("rooms")
	}},
	{"rooms with news", func(w *walk) { w.room("/r/lobby"); w.run(`document.body.dataset.rooms = "open"`); w.news() }},
	{"people", func(w *walk) { w.room("/r/lobby"); w.run(`document.body.dataset.people = "open"`) }},
	{"unread below", func(w *walk) { w.room("/r/long"); w.unread() }},
	{"message in a page of its own", func(w *walk) { w.room("/r/lobby/3") }},
	{"history that failed", func(w *walk) {
		w.room("/r/long")
		w.run(`const line = document.getElementById("older").parentElement; line.hidden = false; line.dataset.state = "failed"`)
	}},
	{"history that is being loaded", func(w *walk) { w.run(`document.getElementById("older").parentElement.dataset.state = "loading"`) }},
	{"history", func(w *walk) { w.visit("/r/long?before=12") }},
	{"menu of a message", func(w *walk) {
		w.room("/r/lobby")
		w.tools()
		w.run(ownMessage + `.querySelector('[data-do="menu"]').click()`)
		w.p.until("the menu is open", `document.querySelector("#message-menu:popover-open")`)
	}},
	{"deleting", func(w *walk) {
		w.run(`document.querySelector('#message-menu [data-act="delete"]').click()`)
		w.p.until("it asks", `document.getElementById("confirm-delete").open`)
	}},
	{"editing", func(w *walk) {
		w.room("/r/lobby")
		w.tools()
		w.run(ownMessage + `.querySelector('[data-do="edit"]').click()`)
		w.p.until("the bar is there", `!document.getElementById("edit-bar").hidden`)
	}},
	{"edited", func(w *walk) { w.edited() }},
	{"completion", func(w *walk) { w.complete("@") }},
	{"commands", func(w *walk) { w.complete("/") }},
	{"code that was copied", func(w *walk) { w.copied() }},
	{"help", func(w *walk) { w.help() }},
	{"page of one's own message", func(w *walk) {
		w.room("/r/lobby")
		w.run(`document.body.dataset.page = ""; location.assign(` + ownMessage + `.querySelector('[data-do="menu"]').href)`)
		w.page("message")
	}},
	{"link of the owner", func(w *walk) { w.visit(w.ownerLink()) }},
	{"somebody, for the owner", func(w *walk) {
		w.run(`document.querySelector("form[action='/owner'] button").click()`)
		w.page("room")
		w.somebody()
	}},
	{"sheet about somebody", func(w *walk) { w.sheet() }},
	{"menu of a room, for the owner", func(w *walk) { w.room("/r/lobby"); w.popover("room-menu") }},
	{"somebody who is muted", func(w *walk) {
		w.posts("/act", "action", "mute", "for", "1h", "why", "шум", "member", eval[string](w.p, `document.querySelector("#log .message:not([data-own])").dataset.member`))
		w.somebody()
	}},
	{"audit", func(w *walk) { w.visit("/audit") }},
	{"no invites", func(w *walk) { w.visit("/invites") }},
	{"invite", func(w *walk) { w.submits("form[action='/invites'] button", "invites") }},
	{"invite that was followed", func(w *walk) { w.follow() }},
	{"invite that is gone", func(w *walk) { w.visit("/invite/nothing") }},
	{"leaving as the last owner", func(w *walk) { w.room("/r/lobby"); w.submits("form[action='/logout'] button", "leave") }},
	{"help as a page", func(w *walk) { w.visit("/help") }},
	{"account", func(w *walk) { w.visit("/account") }},
	{"account with a bad password", func(w *walk) { w.setPassword("коротко") }},
	{"account with a password", func(w *walk) { w.setPassword("тайна тайна") }},
	{"link to another device", func(w *walk) { w.submits(`form[action="/account/link"] button`, "account") }},
	{"link that was followed", func(w *walk) { w.follow() }},
	{"token", func(w *walk) { w.visit("/account"); w.token() }},
	{"too long", func(w *walk) {
		w.room("/r/lobby")
		w.write(strings.Repeat("я", 8100))
		w.p.until("it cannot be sent", `document.getElementById("send").disabled`)
	}},
	{"message that came back", func(w *walk) { w.back() }},
	{"pending", func(w *walk) { w.pending() }},
	{"failed", func(w *walk) { w.failed() }},
	{"offline with a queue", func(w *walk) { w.offline() }},
	{"online again", func(w *walk) { w.online() }},
	{"server restarting", func(w *walk) { w.restarting() }},
	{"muted", func(w *walk) { w.s = w.s.again(); w.muted() }},
	{"only hosts write", func(w *walk) { w.onlyHosts() }},
	{"slow mode", func(w *walk) { w.slowMode() }},
	{"removed", func(w *walk) { w.removed() }},
	{"banned", func(w *walk) { w.banned() }},
	{"connection closed", func(w *walk) { w.ended() }},
}

// edited has the reader edit a message, and waits for what everybody sees.
func (w *walk) edited() {
	w.t.Helper()
	w.run(`document.querySelector("#edit-bar button").click()`)
	w.live()
	seq := eval[string](w.p, ownMessage+`.dataset.seq`)
	if r := w.s.request("PUT", "/r/lobby/messages/"+seq, "теперь **иначе**", append(w.asMember(), "Content-Type", "text/plain")...); r.status/100 != 2 {
		w.t.Fatalf("edit: %d %s", r.status, r.body)
	}
	w.p.until("the mark", `document.querySelector('#log [data-seq="`+seq+`"] .message__edited')`)
}

// complete types a sign after which something is suggested.
func (w *walk) complete(sign string) {
	w.t.Helper()
	w.run(`const f = document.getElementById("composer-text"); f.focus(); f.value = "` + sign + `"; f.setSelectionRange(1, 1);
		f.dispatchEvent(new InputEvent("input", {bubbles: true}))`)
	w.p.until("suggestions", `document.querySelector("#completion:not([hidden]) li")`)
}

func (w *walk) copied() {
	w.t.Helper()
	w.run(`const f = document.getElementById("composer-text"); f.value = ""; f.dispatchEvent(new InputEvent("input", {bubbles: true})); f.blur()`)
	w.p.do(chromedp.EmulateViewport(1440, 900), chromedp.Click(".code__copy")) // a browser copies only what somebody asks it to
	w.p.until("the button says so", `document.querySelector(".code__copy[data-done]") && document.getElementById("announcer").textContent`)
}

func (w *walk) help() {
	w.t.Helper()
	w.run(`document.getElementById("help").click()`)
	w.p.until("the help", `document.querySelector("#sheet[open] .help")`)
}

// sheet opens what a host can do to somebody over the room.
func (w *walk) sheet() {
	w.t.Helper()
	w.room("/r/lobby")
	w.run(`document.querySelector("#log .message:not([data-own]) .message__name").click()`)
	w.p.until("the sheet", `document.querySelector("#sheet[open] .host")`)
}

// submits presses a button of a form, and waits for the page that answers.
func (w *walk) submits(button, page string) {
	w.t.Helper()
	w.run(`document.body.dataset.page = ""; document.querySelector(` + quote(button) + `).click()`)
	w.page(page)
}

func (w *walk) setPassword(password string) {
	w.t.Helper()
	w.visit("/account")
	w.run(`const f = document.getElementById("new"); f.minLength = 0; f.value = ` + quote(password))
	w.submits(`form[action="/account/password"] button:not([type])`, "account")
}

func (w *walk) token() {
	w.t.Helper()
	w.run(`document.getElementById("label").value = "сборка"`)
	w.submits(`form[action="/account/tokens"] button`, "account")
}

// ownMessage is one of those that the reader may change.
const ownMessage = `[...document.querySelectorAll("#log .message[data-own]:not([data-erased])")].at(-1)`

// ownerLink is what the program prints for whoever has started it.
func (w *walk) ownerLink() string {
	w.t.Helper()
	return w.s.log.await(w.t, regexp.MustCompile(`http://[^/\s]+(/owner\?key=\S+)`), w.s.exited)[1]
}

// somebody opens the page of who wrote the first message.
func (w *walk) somebody() {
	w.t.Helper()
	w.visit("/people/" + eval[string](w.p, `document.querySelector("#log .message:not([data-own])").dataset.member`))
	w.page("person")
}

// tools comes near to a message, so that the scripts for what one can do with it are loaded.
func (w *walk) tools() {
	w.t.Helper()
	w.run(ownMessage + `.querySelector(".message__tool").focus()`)
	w.p.until("the actions are there", `document.querySelector('#log .message__tool[tabindex="0"]')`)
}

// parts are what is new in a state, where the rest of the page is as another state has it, which axe-core has looked at.
var parts = map[string]string{
	"menu of the only room": "#menu", "menu": "#menu", "menu of a room": "#room-menu", "new room": "#new-room", "rooms": "#rooms",
	"rooms with news": "#rooms", "people": "#who", "menu of a message": "#message-menu", "deleting": "#confirm-delete",
	"completion": "#composer", "commands": "#composer", "code that was copied": ".message:has(.code)", "help": "#sheet",
	"sheet about somebody": "#sheet", "too long": "#composer", "editing": "#composer", "many came": "#log", "muted": "#composer",
	"menu of a room, for the owner": "#room-menu", "only hosts write": "#composer", "server restarting": "#banner", "removed": "#ended",
}

// ended logs the member out in another tab.
func (w *walk) ended() {
	w.t.Helper()
	w.acts("unban")
	w.room("/r/lobby")
	w.live()
	w.run(`void fetch("/logout", {method: "POST", redirect: "manual"})`)
	w.p.until("the page says so", `document.getElementById("banner").dataset.state === "closed"`)
}
