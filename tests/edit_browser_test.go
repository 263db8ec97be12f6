package tests

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

func (p *person) arrowUp() { p.t.Helper(); p.press("ArrowUp") }
func (p *person) escape()  { p.t.Helper(); p.press("Escape") }

// types puts text into the field as if it were typed, in the place of what is there.
func (p *person) types(text string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`{
		const field = document.getElementById('composer-text');
		field.focus();
		field.select();
	}`))
	p.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})
}

func (p *person) enterKey() { p.t.Helper(); p.press("Enter") }

const (
	field     = `document.getElementById('composer-text').value`
	editing   = `!document.getElementById('edit-bar').hidden`
	lastBody  = `[...document.querySelectorAll('#log .message__body')].at(-1)?.innerText`
	allBodies = `[...document.querySelectorAll('#log .message__body')].map(b => b.innerText).join("|")`
)

// Up in an empty field edits what one said last; the draft, and what others read meanwhile, stay as they are.
func TestBrowserEdits(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	ivan, maria := browser.person(t, "Иван"), browser.person(t, "Мария")
	ivan.enter(s)
	maria.enter(s)
	ivan.say("первое **слово**")
	ivan.sees("первое слово")
	maria.say("не моё")
	ivan.sees("не моё")
	maria.sees("не моё")
	maria.types("черновик Марии")
	maria.do(chromedp.Evaluate[chromedp.Void](`getSelection().selectAllChildren(document.querySelector('#log [data-seq="2"] .message__body'))`))

	ivan.do(chromedp.Focus("#composer-text"))
	ivan.arrowUp()
	ivan.until("the text as it was typed is in the field", editing+` && `+field+` === "первое **слово**"`)
	ivan.escape()
	ivan.until("Escape gives it up", `!(`+editing+`) && `+field+` === ""`)
	ivan.arrowUp()
	ivan.until("and again", editing)
	ivan.types("второе **слово**")
	ivan.do(chromedp.Reload())
	ivan.until("what was begun is there after a reload", editing+` && `+field+` === "второе **слово**"`)
	ivan.do(chromedp.Focus("#composer-text"))
	ivan.enterKey()
	for _, p := range []*person{ivan, maria} {
		p.until("the new text", `document.querySelector('#log [data-seq="1"] .message__body strong') && `+lastBody+` === "не моё"`)
		p.until("in its place, marked", `document.querySelector('#log [data-seq="1"] .message__body').innerText.startsWith("второе слово")
			&& document.querySelector('#log [data-seq="1"] .message__edited').textContent === "изменено"
			&& document.querySelector('#log [data-seq="1"] .message__edited').title.includes(":")`)
	}
	ivan.until("nothing waits", `!document.querySelector('[data-change]') && !(`+editing+`) && `+field+` === ""`)
	if got := eval[string](maria, field+` + "/" + getSelection().toString().trim()`); got != "черновик Марии/не моё" {
		t.Errorf("the reader's draft and selection: %q", got)
	}
	compareWithHistory(t, s, ivan)

	// By the menu, with the keyboard alone: the log, its last message, the message before, the menu.
	ivan.do(chromedp.Focus("#scroll"))
	ivan.until("one message is in the order of the Tab key", `document.querySelector('#log [data-seq="2"] .message__tool[tabindex="0"]')`)
	ivan.press("Tab")
	ivan.until("the last message", `document.activeElement.closest('.message')?.dataset.seq === "2"`)
	ivan.arrowUp()
	ivan.until("the one before", `document.activeElement.closest('.message')?.dataset.seq === "1"`)
	ivan.enterKey()
	ivan.until("its menu", `document.activeElement.dataset.act === "edit"`)
	ivan.enterKey()
	ivan.until("it is edited", editing)
	ivan.types("третье")
	ivan.enterKey()
	maria.until("the third text", `document.querySelector('#log [data-seq="1"] .message__body').innerText.startsWith("третье")`)
	if got := s.list("after=0"); len(got) != 2 || got[0].Text != "третье" {
		t.Errorf("stored: %+v", got)
	}
	if own := eval[string](maria, `[...document.querySelectorAll('#log [data-do="edit"]')].map(e => e.hidden).join()`); own != "true,false" {
		t.Errorf("Maria's buttons to edit are hidden: %s", own)
	}
}

// Without a connection an edit and a deletion wait with the messages, outlive the page and arrive once, in order.
func TestBrowserKeepsChangesWithoutAConnection(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	ivan := browser.person(t, "Иван")
	ivan.enter(s)
	for _, text := range []string{"раз", "два", "три"} {
		ivan.say(text)
		ivan.sees(text)
	}
	s.kill()
	ivan.until("the page notices", `!document.getElementById('banner').hidden`)
	ivan.do(chromedp.Focus("#composer-text"))
	ivan.arrowUp()
	ivan.until("the last text", field+` === "три"`)
	ivan.say(" с половиной")
	ivan.until("it waits, as it will be", `document.querySelector('#log [data-seq="3"][data-state="queued"] .message__body').innerText === "три с половиной"
		&& document.querySelector('#log [data-seq="3"] .message__status').innerText === "В очереди"`)
	ivan.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#log [data-seq="1"] [data-do="menu"]').click()`))
	ivan.do(chromedp.Click(`#message-menu [data-act="delete"]`))
	ivan.until("the question", `document.getElementById('confirm-delete').open && document.querySelector('.dialog__quote').textContent === "раз"
		&& document.activeElement.textContent === "Отмена"`)
	ivan.do(chromedp.Click(`#confirm-delete [value="delete"]`))
	ivan.until("it waits too", `document.querySelector('#log [data-seq="1"][data-state="queued"]')`)
	ivan.say("четыре")
	ivan.until("two changes and a message wait", `document.getElementById('composer-note').textContent.startsWith("3 ")`)
	s = s.again()
	ivan.do(chromedp.Reload())
	ivan.until("all has arrived", `document.querySelectorAll('#log .message').length === 4 && !document.querySelector('#log [data-state]')
		&& document.querySelector('#log [data-seq="1"]').dataset.erased !== undefined`)
	if got := eval[string](ivan, allBodies); !strings.HasPrefix(strings.ReplaceAll(got, "\n", " "), "Сообщение удалено|два|три с половиной") {
		t.Errorf("the page shows %q", got)
	}
	if got := s.list("after=0"); len(got) != 4 || got[0].Text != "" || got[2].Text != "три с половиной" || got[3].Text != "четыре" {
		t.Errorf("stored: %+v", got)
	}
}

// A change that the server refuses is not lost: it can be tried again or given up, and then the message is as it was.
func TestBrowserShowsChangesThatWereRefused(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	ivan := browser.person(t, "Иван")
	ivan.enter(s)
	ivan.say("раз")
	ivan.sees("раз")
	ivan.do(chromedp.Focus("#composer-text"))
	ivan.arrowUp()
	ivan.until("it is edited", editing)
	// Another tab deletes it meanwhile.
	ivan.do(chromedp.Evaluate[chromedp.Void](`void fetch('/r/lobby/messages/1', {method: 'DELETE'})`))
	ivan.until("it is gone", `document.querySelector('#log [data-seq="1"]').dataset.erased !== undefined`)
	ivan.types("два")
	ivan.enterKey()
	ivan.until("it has failed, and says why", `document.querySelector('#log [data-state="failed"] .message__status').innerText.includes("Такого сообщения нет")`)
	ivan.do(chromedp.Click(`#log [data-state="failed"] [data-do="discard"]`))
	ivan.until("it is as the server has it", `!document.querySelector('#log [data-state]') && `+lastBody+` === "Сообщение удалено"`)
	if n := eval[int](ivan, `Object.keys(localStorage).filter(k => k.includes("/outbox/")).length`); n != 0 {
		t.Errorf("%d entries are kept", n)
	}
}

// On a touch screen a long press opens the menu as a sheet, and a tap shows buttons that a finger can hit.
func TestBrowserTouchesMessages(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	ivan := browser.person(t, "Иван")
	ivan.call(browserCall(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 360, Height: 740, DeviceScaleFactor: 2, Mobile: true}))
	ivan.call(browserCall(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true}))
	s.curl("/r/lobby/messages?name=ci", strings.Repeat("готово\n", 12)) // so tall that a line below it does not move it from under the finger
	ivan.enter(s)
	ivan.until("the actions are there", `document.querySelector('#log .message__tool[tabindex="0"]')`)
	at := func() (x, y float64) { // the middle of the message, where it is now
		place := eval[[]float64](ivan, `(() => { const {x, y, height} = document.querySelector('#log .message__body').getBoundingClientRect(); return [x + 8, y + height / 2] })()`)
		return place[0], place[1]
	}
	touch := func(kind input.DispatchTouchEventType, points ...*input.TouchPoint) {
		ivan.call(browserCall(input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points}))
	}
	// Where a machine has so much to do that a tap takes long, it is a long press: that one does not count.
	for began := time.Now(); ; began = time.Now() {
		x, y := at()
		touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: x, Y: y})
		touch(input.DispatchTouchEventTypeTouchEnd)
		if time.Since(began) < 300*time.Millisecond {
			break
		}
		ivan.still()
		ivan.do(chromedp.Evaluate[chromedp.Void](`document.getElementById('message-menu').hidePopover()`))
	}
	ivan.until("the buttons show", `document.querySelector('#log .message[data-active]')
		&& getComputedStyle(document.querySelector('#log .message__tools')).opacity === "1"`)
	if size := eval[float64](ivan, `Math.min(...['width', 'height'].map(k => document.querySelector('#log [data-do="menu"]').getBoundingClientRect()[k]))`); size < 44 {
		t.Errorf("the button is %v px", size)
	}
	x, y := at()
	touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: x, Y: y})
	ivan.until("the press is long", `document.querySelector('#log .message[data-pressed]')`)
	ivan.do(chromedp.Evaluate[chromedp.Void](`document.addEventListener('click', () => (window.clicked = true), {capture: true})`))
	touch(input.DispatchTouchEventTypeTouchEnd)
	ivan.until("the sheet", `document.getElementById('message-menu').matches(':popover-open')`)
	ivan.until("it lies at the lower edge, and nobody else's message can be deleted", `(() => {
		const r = document.getElementById('message-menu').getBoundingClientRect();
		return r.left === 0 && r.right === innerWidth && Math.abs(r.bottom - innerHeight) < 1 && document.querySelector('[data-act="delete"]').hidden })()`)
	ivan.still()
	if eval[bool](ivan, `Boolean(window.clicked)`) {
		t.Error("a click follows the long press, to whatever lies there then")
	}
}
