package tests

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Who takes another name in one tab has it in every other one, as it is and without a reload; how often is limited, and
// whoever is over it is told for how long.
func TestBrowserRenamesInEveryTab(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t, "--name-changes-per-hour", "1")
	s.curl("/r/lobby/messages?name=ci", "раз")
	s.curl("/r/design/messages?name=ci", "два")
	first := browser.person(t, "Иван")
	first.enter(s)
	first.room(s, "design")
	second := first.tab("другая вкладка")
	second.do(chromedp.Navigate(s.url("/r/lobby")))
	second.until("it is alive", decorated+` && document.querySelector('#people .person[data-own]')`)
	second.types("черновик")
	for _, p := range []*person{first, second} {
		p.do(chromedp.Evaluate[chromedp.Void](`window.stays = true`))
	}
	shown := `[document.querySelector(".menu__who").textContent, document.querySelector(".rooms__foot").innerText.split("\n").join(" "),
		document.querySelector("#people .person[data-own] .person__name").textContent, document.getElementById("pending").content.querySelector(".message__name").textContent,
		document.getElementById("pending").content.querySelector("li").dataset.name].join("|")`
	hues := `[document.querySelector(".rooms__foot [data-hue]").dataset.hue, document.getElementById("pending").content.querySelector("li").dataset.hue].join()`
	before := eval[string](second, hues)
	if got := eval[string](second, shown); got != "Вы вошли как Иван|И Иван в сети|Иван|Иван|Иван" {
		t.Fatalf("before, the page shows %s", got)
	}

	first.types("/nick Ольга")
	first.escape()
	first.enterKey()
	first.until("she has the name, and the field is empty", shown+` === "Вы вошли как Ольга|О Ольга в сети|Ольга|Ольга|Ольга" && `+field+` === ""`)
	second.until("so she has in the other tab", shown+` === "Вы вошли как Ольга|О Ольга в сети|Ольга|Ольга|Ольга" && `+hues+` !== `+quote(before))
	for p, text := range map[*person]string{first: "", second: "черновик"} {
		if !eval[bool](p, `window.stays === true && document.getElementById("banner").hidden && `+field+` === `+quote(text)) {
			t.Errorf("the page of %s was loaded anew", p.name)
		}
	}
	first.say("под новым именем")
	first.until("it is said under the new name", `document.querySelector('#log .message[data-own][data-seq][data-name="Ольга"]')`)

	first.refused = true
	first.types("/nick Ира")
	first.escape()
	first.enterKey()
	first.until("how long it takes until she may", `/Слишком часто\. Подождите \d+\s(мин|ч)/.test([...document.querySelectorAll('#log [data-kind="note"]')].at(-1)?.innerText) && `+field+` === "/nick Ира"`)
}

// A name that is cut is told whole to whoever points at it.
func TestBrowserTellsNamesWhole(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	long := strings.Repeat("Щ", 32)
	s.text(long, "")
	p := b.person(t, "Ян")
	p.enter(s)
	p.until("both are here", `document.querySelectorAll("#people .person").length === 2`)
	for own, want := range map[string]string{":not([data-own])": long, "[data-own]": ""} {
		name := "#people .person" + own + " .person__name"
		box := eval[[]float64](p, `(() => { const {x, y} = document.querySelector(`+quote(name)+`).getBoundingClientRect(); return [x, y]; })()`)
		p.call(browserCall(input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: box[0] + 4, Y: box[1] + 4}))
		p.until("what it is called", `document.querySelector(`+quote(name)+`).getAttribute("title") === `+quote(want))
	}
}
