package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// become makes whoever has a browser the owner by the link.
func (p *person) become(s *server, name string) {
	p.t.Helper()
	link := s.log.await(p.t, ownerLink, s.exited)[0]
	p.do(chromedp.Navigate(link), chromedp.SendKeys("#login-name", name), chromedp.Click(`form[action="/owner"] button`))
	p.until("the room", `document.body && document.body.dataset.page === "room" && document.body.dataset.role === "owner"`)
}

// picture keeps what the browser shows, when pictures are asked for.
func (p *person) picture(name string) {
	dir := os.Getenv("GOVOR_PICTURES")
	if dir == "" {
		return
	}
	for _, size := range [][2]int64{{1440, 900}, {360, 740}} {
		for _, theme := range []string{"light", "dark"} {
			p.call(browserCall(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
			}))
			p.do(chromedp.EmulateViewport(size[0], size[1]))
			png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				p.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, size[0], theme)), png, 0o600); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	p.do(chromedp.EmulateViewport(1440, 900))
}

// A host in one browser, and the one it is done to in another.
func TestBrowserOfHostAndVictim(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	host, victim := b.person(t, "Мария"), b.person(t, "Пётр")
	host.become(s, "Мария")
	victim.enter(s)
	victim.say("спам спам спам")
	host.sees("спам спам спам")
	if n := eval[int](victim, `[...document.querySelectorAll('.person__act, .menu__hosts')].filter(e => e.offsetParent).length`); n != 0 {
		t.Errorf("a member sees %d things of hosts", n)
	}

	// Commands of hosts are suggested to hosts, and to nobody else.
	rows := `[...document.querySelectorAll('#completion:not([hidden]) li')].map(r => r.innerText.replace(/\s+/g, " ").trim()).join()`
	for _, p := range []*person{host, victim} {
		p.types("/n")
		p.until("a command", rows+` === "/nick Новое имя"`)
		p.types("/mu")
		want := map[*person]string{host: "/mute Заглушить"}[p]
		if got := eval[string](p, rows); got != want {
			t.Errorf("to %s is suggested %q, want %q", p.name, got, want)
		}
		p.types("")
		p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("composer-text").value = ""`))
	}

	// From the name of a message: the sheet, a reason, and a mute.
	host.do(chromedp.Click(`#log .message:not([data-own]) .message__name`))
	host.until("the sheet", `document.getElementById('sheet').open && document.querySelector('#sheet [name="why"]')
		&& document.getElementById('sheet').ariaLabel === document.querySelector('#sheet h1').textContent`)
	host.picture("sheet")
	host.do(chromedp.SendKeys(`#host-why`, "много спама"), chromedp.Click(`#sheet [value="mute"]`))
	host.until("the sheet is closed", `!document.getElementById('sheet').open`)
	victim.until("the reason stands in the place of the field",
		`document.getElementById('muted').textContent.includes("много спама") && !document.querySelector('.composer__box').offsetParent`)
	host.until("the room is told", `[...document.querySelectorAll('#log .system')].some(l => l.textContent.includes("запрещает писать"))`)
	victim.picture("muted")
	host.typed("/unmute Пётр")
	victim.until("the field is back", `document.querySelector('.composer__box').offsetParent`)

	// The menu: only hosts write. What was typed stays.
	victim.do(chromedp.SendKeys("#composer-text", "недописанное"))
	host.do(chromedp.Click(`button[popovertarget="menu"]`), chromedp.Click(`.menu__row--close`))
	victim.until("the room is read-only", `!document.getElementById('readonly').hidden && !document.querySelector('.composer__box').offsetParent`)
	if !eval[bool](host, `!!document.querySelector('.composer__box').offsetParent`) {
		t.Error("the host cannot write either")
	}
	victim.picture("readonly")
	host.typed("/open")
	victim.until("everybody writes", `document.querySelector('.composer__box').offsetParent && document.getElementById('composer-text').value === "недописанное"`)

	// A command that is wrong comes back with a sentence.
	host.typed("/slow скоро")
	host.until("the line is back", `document.getElementById('composer-text').value === "/slow скоро" && document.getElementById('composer-note').dataset.state === "error"`)
	host.do(chromedp.Evaluate[chromedp.Void](`document.getElementById('composer-text').value = ""`))

	// A ban: a card over the page, with what was typed; the server lets nobody in any more.
	host.until("the other one is in the list", `document.querySelector('.person:not([data-own]) .person__act')`) // who came is told within a second
	host.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.person:not([data-own]) .person__act').click()`))
	host.until("the sheet", `document.getElementById('sheet').open && document.querySelector('#sheet [value="ban"]')`)
	host.do(chromedp.SendKeys(`#host-why`, "хватит"), chromedp.Click(`#sheet [value="ban"]`))
	victim.until("the card", `document.getElementById('ended').open && document.querySelector('.ended__text').textContent.includes("хватит")`)
	if kept := eval[string](victim, `document.querySelector('.ended__draft').value`); kept != "недописанное" {
		t.Errorf("the card keeps %q", kept)
	}
	victim.picture("banned")
	victim.do(chromedp.Navigate(s.url("/r/lobby")))
	victim.until("the page says why", `document.body && document.body.dataset.page === "error" && document.body.textContent.includes("хватит")`)
	host.do(chromedp.Navigate(s.url("/audit")))
	host.until("the list", `document.body && document.body.dataset.page === "audit" && document.querySelectorAll('.host__item').length >= 6`)
	host.picture("audit")
	host.do(chromedp.Click(`.host__item form button`))
	host.until("the ban is lifted", `document.body && document.body.dataset.page === "audit" && !document.querySelector('.host__item form')`)
	victim.do(chromedp.Navigate(s.url("/r/lobby")))
	victim.until("the room again", `document.body && document.body.dataset.page === "room"`)
	victim.forgive("403") // a browser calls it an error that a page is refused
}

// forgive forgets the problems that have a text in them.
func (p *person) forgive(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = slices.DeleteFunc(p.problems, func(problem string) bool { return strings.Contains(problem, text) })
}

// typed writes a command into the field.
func (p *person) typed(line string) {
	p.t.Helper()
	p.do(chromedp.SendKeys("#composer-text", line), chromedp.Click("#send"))
}

// Without scripts everything that hosts do is a page and a form.
func TestBrowserOfHostWithoutScripts(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	host := b.person(t, "Мария")
	host.call(browserCall(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	host.become(s, "Мария")
	victim := s.joined("Пётр")
	victim.say("a", "спам")
	victim.answer("a")
	host.do(chromedp.Navigate(s.url("/r/lobby")), chromedp.Click(`.person__act`))
	host.until("the page of the person", `document.body && document.body.dataset.page === "person"`)
	host.do(chromedp.SendKeys(`#host-why`, "хватит"), chromedp.Click(`[value="kick"]`))
	host.until("back in the room", `document.body && document.body.dataset.page === "room"`)
	victim.await("хватит")
	host.do(chromedp.SendKeys("#composer-text", "/close"), chromedp.Click("#send"))
	eventually(t, "the room is closed", func() bool {
		return strings.Contains(s.curl("/r/lobby/messages?name=ci", "x").body, "read_only")
	})
}
