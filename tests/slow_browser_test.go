package tests

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// Whoever runs into slow mode sees how long it takes, and what was written goes out by itself.
func TestBrowserCountsSlowModeDown(t *testing.T) {
	t.Parallel()
	const (
		note = `document.getElementById("composer-note")`
		send = `document.querySelector("#send .composer__label")`
	)
	b := openBrowser(t)
	s := start(t)
	host, ivan := b.person(t, "Ольга"), b.person(t, "Иван")
	host.become(s, "Ольга")
	ivan.enter(s)
	host.typed("/slow 5s")
	ivan.until("the room says so", `document.querySelector('#log [data-kind="act"]')`)
	ivan.say("раз")
	host.sees("раз")
	ivan.typed("два")
	ivan.until("how long, in the note and on the button", note+`.dataset.state === "slow" && /через [1-5] с/.test(`+note+`.textContent) && /^[1-5] с$/.test(`+send+`.textContent)`)
	ivan.until("the message waits, and may be taken back", `(() => {
		const discard = document.querySelector('#log [data-state="queued"][data-slow] [data-do="discard"]');
		return discard && discard.offsetParent && !document.querySelector('#log [data-slow] [data-do="retry"]').offsetParent; })()`)
	ivan.do(chromedp.SendKeys("#composer-text", "недописанное"))
	ivan.until("what is typed stays, and the note", note+`.dataset.state === "slow" && `+field+` === "недописанное"`)
	host.sees("два")
	ivan.until("it is over", note+`.textContent === "" && `+send+`.textContent === "Отправить" && `+field+` === "недописанное"`)
	ivan.do(chromedp.Evaluate[chromedp.Void](field + ` = ""`))
	ivan.typed("три")
	ivan.until("and again", `document.querySelector('#log [data-slow]')`)
	ivan.do(chromedp.Click(`#log [data-slow] [data-do="discard"]`))
	ivan.until("it is taken back", `!document.querySelector("#log [data-slow]")`)
	for _, m := range s.list("after=0") {
		if m.Text == "три" {
			t.Error("what was taken back was sent")
		}
	}
}

// Whoever is disconnected because of too much haste is told for how long, and loses nothing.
func TestBrowserComesBackAfterTooMuchHaste(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t, "--rate", "1", "--burst", "1", "--rate-patience", "1s")
	ivan := b.person(t, "Иван")
	ivan.enter(s)
	ivan.do(chromedp.Evaluate[chromedp.Void](`(() => {
		const field = document.getElementById("composer-text");
		for (let i = 0; i < 8; i++) {
			field.value = "спешу " + i;
			field.dispatchEvent(new InputEvent("input", {bubbles: true}));
			document.getElementById("send").click();
		}
	})()`))
	banner := `document.getElementById("banner")`
	ivan.until("how long", banner+`.innerText.match(/Слишком часто. Подождите \d+ с/) && !`+banner+`.hidden && document.querySelector(".banner__action").hidden`)
	ivan.until("what was not sent is there", `[...document.querySelectorAll("#log .message")].filter(m => m.innerText.includes("спешу")).length === 8`)
	if n := len(s.list("after=0")); n == 8 {
		t.Error("everything was stored, and nothing was too fast")
	}
}
