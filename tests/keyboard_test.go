package tests

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// keys are those that the tests press, with what browsers call them.
var keys = map[string]input.DispatchKeyEventParams{
	"Tab":       {Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9},
	"Shift+Tab": {Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9, Modifiers: 8},
	"Enter":     {Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13},
	"ArrowUp":   {Key: "ArrowUp", Code: "ArrowUp", WindowsVirtualKeyCode: 38},
	"ArrowDown": {Key: "ArrowDown", Code: "ArrowDown", WindowsVirtualKeyCode: 40},
	"Escape":    {Key: "Escape", Code: "Escape", WindowsVirtualKeyCode: 27},
}

func (p *person) press(name string) {
	p.t.Helper()
	key := keys[name]
	key.Type = input.DispatchKeyEventTypeKeyDown
	p.call(browserCall(input.DispatchKeyEvent, key))
	key.Type, key.Text = input.DispatchKeyEventTypeKeyUp, ""
	p.call(browserCall(input.DispatchKeyEvent, key))
}

// focused names what has the focus.
const focused = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return "nothing";
	return e.id || e.getAttribute("name") || e.getAttribute("data-choose") || e.getAttribute("popovertarget") || e.getAttribute("href") || e.className || e.localName;
})()`

// unseen tells that what has the focus does not show it.
const unseen = `(() => {
	const e = document.activeElement;
	const marks = [e, e.closest(".composer__box")].filter(Boolean).map((x) => getComputedStyle(x));
	return !marks.some((s) => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 || s.boxShadow !== "none");
})()`

// atTop leaves the page by its end, so that Tab begins at its top.
func (p *person) atTop() {
	p.t.Helper()
	for range 200 {
		p.press("Tab")
		if eval[string](p, focused) == "nothing" {
			return
		}
	}
	p.t.Fatal("Tab does not leave the page")
}

// tour presses Tab until it comes round, and returns where it was.
func (p *person) tour() []string {
	p.t.Helper()
	var all []string
	for range 200 {
		p.press("Tab")
		p.still()
		at := eval[string](p, focused)
		if at == "nothing" {
			return all
		}
		if eval[bool](p, unseen) {
			p.t.Errorf("nobody sees that %s has the focus", at)
		}
		all = append(all, at)
	}
	p.t.Fatalf("Tab does not come round: %v", all)
	return nil
}

// Everything can be reached and left again with the keyboard alone, in the order in which it stands.
func TestBrowserByKeyboard(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	fillRoom(s, 12)
	p := b.person(t, "Мария")
	p.media("prefers-color-scheme", "light")
	p.do(chromedp.Navigate(s.url("/")))
	p.until("the page is there", `document.readyState === "complete"`)
	p.atTop()
	inOrder(t, "login", p.tour(), "login-name", "login-submit", "auto", "light", "dark")

	p.enter(s)
	p.until("the scripts have decorated it", `document.querySelector("#log time[title]")`)
	p.do(chromedp.SendKeys("#composer-text", "x")) // or there is nothing to send
	p.atTop()
	inOrder(t, "room", p.tour(), "#scroll", "online", "scroll", "composer-text", "send")

	// The skip link leads to the messages, past everything before them.
	p.atTop()
	p.press("Tab")
	p.until("the skip link is shown", `document.activeElement.matches(".skip") && document.activeElement.getBoundingClientRect().top >= 0`)
	p.press("Enter")
	p.until("the messages have the focus", focused+` === "scroll"`)

	// What opens takes the focus, Escape gives it back.
	p.do(chromedp.Focus(`button[popovertarget="menu"]`))
	p.press("Enter")
	p.until("the menu is open", `document.getElementById("menu").matches(":popover-open")`)
	p.press("Tab")
	p.until("the focus is in the menu", `document.activeElement.closest("#menu")`)
	p.press("Escape")
	p.until("the menu is closed and the focus is back", `!document.querySelector(":popover-open") && `+focused+` === "menu"`)

	p.do(chromedp.EmulateViewport(390, 844))
	p.do(chromedp.Focus("#online"))
	p.press("Enter")
	p.until("the focus is in the list of people", `document.activeElement.closest("#who")`)
	p.press("Escape")
	p.until("the list is closed and the focus is back", `!document.getElementById("who").checkVisibility() && `+focused+` === "online"`)
}

// inOrder requires that some are among all, in this order.
func inOrder(t *testing.T, where string, all []string, some ...string) {
	t.Helper()
	rest := all
	for _, name := range some {
		i := slices.Index(rest, name)
		if i < 0 {
			t.Errorf("%s: %s is not reached in its turn: %s", where, name, strings.Join(all, " "))
			return
		}
		rest = rest[i+1:]
	}
}

// unseenInForcedColours lists what is gone where the system chooses the colours: icons are drawn by masks, and what a
// background alone would tell needs a border.
const unseenInForcedColours = `(() => {
	const canvas = getComputedStyle(document.body).backgroundColor, gone = [];
	for (const e of document.querySelectorAll(".icon, .button, .field__input, .composer__box, .menu:popover-open, .message__body")) {
		if (!e.checkVisibility({visibilityProperty: true}) || !e.getBoundingClientRect().width) continue;
		const framed = (s) => s.borderStyle !== "none" && parseFloat(s.borderWidth) > 0;
		const around = e.matches(".message__body") ? [e, e.closest(".message__bubble")] : [e]; // on a phone the name is in it
		const drawn = e.matches(".icon") ? ![canvas, "rgba(0, 0, 0, 0)"].includes(getComputedStyle(e).backgroundColor) : around.some((x) => framed(getComputedStyle(x)));
		if (!drawn && !e.closest("[data-emoji]")) gone.push(e.outerHTML.slice(0, 120));
	}
	return gone.join("\n");
})()`

func TestBrowserInForcedColours(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	fillRoom(s, 12)
	p := b.person(t, "Мария")
	p.media("forced-colors", "active")
	look := func(where string) {
		t.Helper()
		if !eval[bool](p, `matchMedia("(forced-colors: active)").matches`) {
			t.Fatal("no forced colours are emulated")
		}
		if gone := eval[string](p, unseenInForcedColours); gone != "" {
			t.Errorf("%s: nobody sees\n%s", where, gone)
		}
	}
	p.do(chromedp.Navigate(s.url("/")))
	look("login")
	p.enter(s)
	p.do(chromedp.Click(`button[popovertarget="menu"]`))
	look("room")
	p.do(chromedp.Focus("#composer-text"))
	p.until("the field shows the focus", `["#composer-text", ".composer__box"].some((q) => getComputedStyle(document.querySelector(q)).outlineStyle !== "none")`)
}

// Whoever wants nothing to move sees nothing move.
func TestBrowserMovesNothing(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	fillRoom(s, 3)
	p := b.person(t, "Мария")
	const moving = `[...document.querySelectorAll("*")].flatMap((e) => ["", "::before", "::after"].map((part) => [e, getComputedStyle(e, part || null)]))
		.filter(([, s]) => s.transitionDuration.split(", ").some((d) => parseFloat(d)) || s.animationName !== "none" || s.scrollBehavior === "smooth")
		.map(([e]) => e.className || e.localName).slice(0, 5).join(" ")`
	p.enter(s)
	if eval[string](p, moving) == "" {
		t.Fatal("nothing moves for those who do not mind either: the test finds nothing")
	}
	p.call(browserCall(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	}))
	if found := eval[string](p, moving); found != "" {
		t.Errorf("these move: %s", found)
	}
}
