package tests

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// fakeClock gives a page a clock that stands still but for the test, and holds back the timers that wait for longer than a
// minute: clock.to(ms) sets the time and calls those that are due.
const fakeClock = `{
	const RealDate = Date, realTimeout = setTimeout, realClear = clearTimeout;
	window.clock = {now: RealDate.now(), held: new Map(), to(ms) {
		clock.now = ms;
		for (const [id, {due, call}] of [...clock.held]) if (due <= ms) { clock.held.delete(id); call(); }
	}};
	window.Date = class extends RealDate {
		constructor(...args) { if (args.length) super(...args); else super(clock.now); }
		static now() { return clock.now; }
	};
	window.setTimeout = (call, ms, ...args) => {
		if (!(ms > 60_000)) return realTimeout(call, ms, ...args);
		const id = realTimeout(() => {}, 0);
		clock.held.set(id, {due: clock.now + ms, call});
		return id;
	};
	window.clearTimeout = (id) => { clock.held.delete(id); realClear(id); };
}`

// Midnight passes while the page is open: what was said today was said yesterday then, without a reload; so it is when the
// machine has slept over it. The line of a day stays in sight while one reads its messages.
func TestBrowserSeesMidnightPass(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t, "--no-limits")
	fillRoom(s, 40)
	p := b.person(t, "Мария")
	p.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fakeClock})
		return err
	})
	p.enter(s)
	p.until("the page is alive", decorated)
	const labels = `[...document.querySelectorAll("#log .date__label")].map((l) => l.textContent).join()`
	move := func(when string) { // of at, the moment of the first message
		t.Helper()
		p.do(chromedp.Evaluate[chromedp.Void](`clock.to((() => { const at = new Date(+document.querySelector("#log .message").dataset.at); return ` + when + `; })())`))
	}
	look := func() { // the machine has slept: no timer has run, but somebody looks
		t.Helper()
		p.do(chromedp.Evaluate[chromedp.Void](`clock.to(+new Date(+document.querySelector("#log .message").dataset.at)); document.dispatchEvent(new Event("visibilitychange"))`))
	}
	look()
	p.until("today", labels+` === "Сегодня"`)
	move(`at.setHours(24, 0, 0, -1)`)
	p.still()
	if got := eval[string](p, labels); got != "Сегодня" {
		t.Errorf("a millisecond before midnight the line says %q", got)
	}
	move(`at.setHours(24, 0, 0, 0)`)
	p.until("yesterday", labels+` === "Вчера"`)
	move(`at.setHours(48, 0, 0, 0)`)
	p.until("the day before", `/^\d+ [а-я]+( \d+ г\.)?$/.test(`+labels+`)`)

	look()
	p.until("today again", labels+` === "Сегодня"`)
	if held := eval[int](p, `clock.held.size`); held != 1 {
		t.Errorf("%d timers wait for midnight", held)
	}

	// Sticky: the line of the day lies at the upper edge while its messages are scrolled.
	p.do(chromedp.EmulateViewport(360, 640))
	p.do(chromedp.Evaluate[chromedp.Void](`{ const s = document.getElementById("scroll"); s.scrollTop = s.scrollHeight }`))
	p.until("the pill is in sight", `(() => {
		const pill = document.querySelector("#log .date__label").getBoundingClientRect(), log = document.getElementById("scroll").getBoundingClientRect();
		return document.getElementById("scroll").scrollTop > 600 && pill.top >= log.top && pill.top < log.top + 24
			&& document.elementFromPoint(pill.x + pill.width / 2, pill.y + 4) !== null;
	})()`)
}
