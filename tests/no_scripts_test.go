package tests

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Without scripts nothing that matters is missing: the page says how to see what is new, who is there, in which language
// and theme it is, and where the other rooms are; on a desk and on a phone.
func TestBrowserWithoutScriptsHasEverything(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t, "--no-limits")
	s.joined("Робот")
	p := b.person(t, "Мария")
	p.call(browserCall(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	p.media("prefers-color-scheme", "light")
	p.refused = true
	p.enter(s)

	// New messages come with the link that the hint has.
	s.curl("/r/lobby/messages?name=ci", "новое")
	p.do(chromedp.Click(`.banner a[href="/r/lobby"]`))
	p.sees("новое")

	// Who is there: a column on a desk, on a phone what a link opens and another closes.
	const people = `[...document.querySelectorAll("#people .person")].filter((e) => e.checkVisibility()).map((e) => e.textContent).join()`
	p.until("the robot in the column", people+`.includes("Робот")`)
	p.do(chromedp.EmulateViewport(390, 844))
	p.until("the column is closed", people+` === ""`)
	p.do(chromedp.Click("#online"))
	p.until("the robot in the sheet", people+`.includes("Робот")`)
	p.do(chromedp.Click(`#who a[href="#chat"]:not([tabindex])`))
	p.until("the sheet is closed", people+` === ""`)

	// Language and theme, in the menu.
	open := func() {
		t.Helper()
		p.do(chromedp.Click(`button[popovertarget="menu"]`))
		p.until("the menu is open", `document.querySelector("#menu:popover-open")`)
	}
	open()
	p.do(chromedp.Click(`#menu a[hreflang="en"]`))
	p.until("English", `document.documentElement.lang === "en" && location.search === ""`)
	open()
	p.do(chromedp.Click(`#menu a[data-choose="dark"]`))
	p.until("dark", `document.documentElement.dataset.theme === "dark" && getComputedStyle(document.body).colorScheme === "dark"`)
	p.do(chromedp.Navigate(s.url("/r/lobby")))
	p.until("still dark, still English", `document.documentElement.dataset.theme === "dark" && document.documentElement.lang === "en"`)
	open()
	p.do(chromedp.Click(`#menu a[data-choose="auto"]`))
	p.until("as the system says", `document.readyState === "complete" && !document.documentElement.dataset.theme`)

	// What is refused comes back with its text.
	p.do(chromedp.Click(`#composer-text`))
	p.do(chromedp.SendKeys("#composer-text", " "), chromedp.Click("#send"))
	p.until("the refusal", `document.getElementById("composer-note").textContent !== "" && document.getElementById("composer-text").getAttribute("aria-invalid")`)

	// All rooms, a new one, and back.
	p.do(chromedp.Navigate(s.url("/rooms")))
	p.do(chromedp.SendKeys("#room-name", "лыжи"), chromedp.Click("#new button"))
	p.until("the new room", `document.body && document.body.dataset.room === "лыжи"`)
	p.do(chromedp.SendKeys("#composer-text", "первое"), chromedp.Click("#send"))
	p.sees("первое")
}

// A theme that is chosen counts at once and from then on, without loading the page again; what was typed stays.
func TestBrowserChangesTheTheme(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	p := b.person(t, "Мария")
	p.media("prefers-color-scheme", "light")
	p.do(chromedp.Navigate(s.url("/")))
	p.until("the page is there", `document.readyState === "complete"`)
	p.do(chromedp.SendKeys("#login-name", "Мар"), chromedp.Click(`a[data-choose="dark"]`))
	const colours = `[getComputedStyle(document.documentElement).colorScheme, document.querySelector('meta[name="theme-color"][media="all"]')?.content,
		document.querySelector('[data-choose][aria-current]').dataset.choose].join()`
	p.until("dark", colours+` === "dark,#16181b,dark"`)
	if name := eval[string](p, `document.getElementById("login-name").value`); name != "Мар" {
		t.Errorf("the field holds %q", name)
	}
	p.until("the server knows", `document.cookie === "" && performance.getEntriesByType("resource").some((r) => r.name.endsWith("?theme=dark") && r.responseEnd > 0)`)
	p.do(chromedp.Reload())
	p.until("dark from the beginning", `document.readyState === "complete" && document.documentElement.dataset.theme === "dark" && `+colours+` === "dark,#16181b,dark"`)
	p.do(chromedp.Click(`a[data-choose="auto"]`))
	p.until("as the system says", `getComputedStyle(document.documentElement).colorScheme === "light dark"`)
}
