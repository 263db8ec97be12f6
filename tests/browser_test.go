package tests

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"
)

func TestBrowserWithScripts(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	ivan, maria := browser.person(t, "Иван"), browser.person(t, "Мария")
	ivan.enter(s)
	maria.enter(s)

	ivan.say("привет, **Мария**")
	maria.sees("привет, Мария")
	ivan.sees("привет, Мария")
	maria.do(chromedp.SendKeys("#composer-text", "и тебе"), chromedp.Click("#send"))
	ivan.sees("и тебе")
	maria.sees("и тебе")
	if own := eval[string](ivan, `[...document.querySelectorAll('#log .message')].map(m => m.hasAttribute('data-own')).join()`); own != "true,false" {
		t.Errorf("of two messages these are Ivan's own: %s", own)
	}
	ivan.until("Ivan sees two people", `document.querySelectorAll('#people .person').length === 2`)
	if field := eval[string](ivan, `document.getElementById('composer-text').value`); field != "" {
		t.Errorf("the field holds %q after sending", field)
	}
	guest, _ := s.text("Пётр", "")
	ivan.until("Ivan sees somebody come", `[...document.querySelectorAll('#log .system')].some(l => l.textContent.includes("Пётр"))`)
	guest.write("<img src=x onerror=alert(1)> <script>alert(2)</script> [тут](javascript:alert(3))")
	ivan.sees("<script>alert(2)</script>")
	if n := eval[int](ivan, `document.querySelectorAll('#log img, #log script, #log a[href^="javascript" i]').length`); n != 0 {
		t.Errorf("text became %d elements that can run", n)
	}

	// The program is gone; what is said meanwhile waits, and what others say meanwhile is not missed.
	s.kill()
	ivan.until("the page notices", `!document.getElementById('banner').hidden`)
	ivan.say("пока никого нет")
	ivan.until("the message waits", `document.querySelector('#log .message[data-state]')?.textContent.includes("пока никого нет")`)
	if sent := eval[bool](ivan, `!!document.querySelector('#log .message[data-state]').dataset.seq`); sent {
		t.Error("a message that waits has a number")
	}
	s = s.again()
	s.curl("/r/lobby/messages?name=ci", "сказано без вас")
	for _, p := range []*person{ivan, maria} {
		p.sees("сказано без вас")
		p.sees("пока никого нет")
		p.until("nothing waits any more", `!document.querySelector('#log .message[data-state]')`)
	}
	maria.say("снова все")
	stored := []string{"1", "2", "3", "4", "5", "6"}
	for _, p := range []*person{ivan, maria} {
		p.sees("снова все")
		if got := p.numbers(); strings.Join(got, " ") != strings.Join(stored, " ") {
			t.Errorf("%s has the messages %v, want %v: each once, in order", p.name, got, stored)
		}
		p.until("the banner is gone", `document.getElementById('banner').hidden`)
	}
	if n := len(s.everything()); n != len(stored) {
		t.Errorf("%d messages are stored, want %d", n, len(stored))
	}

	// A reload shows the same as the live page: one markup.
	for _, p := range []*person{ivan, maria} {
		compareWithHistory(t, s, p)
	}

	// Logging out ends the page, and another tab's connection too.
	ivan.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('form[action="/logout"]').submit()`))
	ivan.until("the login page", `document.body && document.body.dataset.page === "login"`)
	maria.until("Ivan has left", `[...document.querySelectorAll('#log .system')].some(l => l.textContent.includes("Иван"))`)
}

// compareWithHistory requires that the messages as they came over the socket and were decorated are, attribute for
// attribute, those that the server renders for the same person.
func compareWithHistory(t *testing.T, s *server, p *person) {
	t.Helper()
	messages := func(source string) []string {
		var list []string
		for _, n := range parseFragment(t, source) {
			if n.Type == html.ElementNode && attribute(n, "data-kind") == "message" {
				// Which one the Tab key stops at is a matter of where its reader was.
				list = append(list, strings.ReplaceAll(canonical(n), `tabindex="0"`, `tabindex="-1"`))
			}
		}
		return list
	}
	live := messages(eval[string](p, `document.getElementById('log').innerHTML`))
	p.do(chromedp.Navigate(s.url("/r/lobby")))
	p.until("the room again", `document.body && document.body.dataset.page === "room" && document.querySelector('#log .message time[title]')`)
	reloaded := messages(eval[string](p, `document.getElementById('log').innerHTML`))
	if len(live) == 0 || len(live) != len(reloaded) {
		t.Fatalf("%s: %d messages live, %d after a reload", p.name, len(live), len(reloaded))
	}
	for i := range live {
		if live[i] != reloaded[i] {
			t.Errorf("%s: message %d differs\nlive    %s\nhistory %s", p.name, i+1, live[i], reloaded[i])
		}
	}
}

// canonical writes an element with its attributes in order, so that two that are equal are equal as text.
func canonical(n *html.Node) string {
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for i := range n.Attr { // insertion sort: an element has few
			for j := i; j > 0 && n.Attr[j].Key < n.Attr[j-1].Key; j-- {
				n.Attr[j], n.Attr[j-1] = n.Attr[j-1], n.Attr[j]
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	var b strings.Builder
	if err := html.Render(&b, n); err != nil {
		return err.Error()
	}
	return b.String()
}

// Everything that matters works without scripts: log in, read, write, come back after a restart, log out.
func TestBrowserWithoutScripts(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t, "--no-limits")
	other := s.joined("Робот")
	maria := browser.person(t, "Мария")
	maria.call(browserCall(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	maria.enter(s)
	post := func(text string) {
		t.Helper()
		maria.do(chromedp.SendKeys("#composer-text", text), chromedp.Click("#send"))
		maria.sees(text)
	}
	post("без сценариев")
	if m := other.message(); m.From != "Мария" || m.Text != "без сценариев" {
		t.Errorf("the others have %s", m.raw)
	}
	other.say("r-1", "вижу")
	other.answer("r-1")
	maria.do(chromedp.Reload())
	maria.sees("вижу")
	s.kill()
	s = s.again()
	s.curl("/r/lobby/messages?name=ci", "после перерыва")
	maria.do(chromedp.Navigate(s.url("/r/lobby")))
	maria.sees("после перерыва")
	post("и я тоже")
	if got := maria.numbers(); strings.Join(got, " ") != "1 2 3 4" {
		t.Errorf("the page has the messages %v", got)
	}
	for i := range 60 { // more than a page
		s.curl(fmt.Sprintf("/r/lobby/messages?name=ci-%d", i%3), fmt.Sprintf("номер %d", i))
	}
	maria.do(chromedp.Navigate(s.url("/r/lobby")), chromedp.Click("#older"))
	maria.sees("без сценариев")
	maria.do(chromedp.Navigate(s.url("/r/lobby")))
	maria.do(chromedp.Click(`button[popovertarget="menu"]`), chromedp.Click(`form[action="/logout"] button`))
	maria.until("the login page", `document.body && document.body.dataset.page === "login"`)
}

// On a phone nothing is wider than the screen, down to 320 px, and the field is large enough for iOS not to zoom.
func TestBrowserOnAPhone(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	p := browser.person(t, "Иван")
	p.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
	p.enter(s)
	s.curl("/r/lobby/messages?name=ci", strings.Repeat("длинноеслово", 40)+"\n\n```\n"+strings.Repeat("code ", 60)+"\n```")
	p.sees("длинноеслово")
	for _, width := range []int64{390, 320} {
		p.do(chromedp.EmulateViewport(width, 700, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
		if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("at %d px the page is %d px too wide", width, over)
		}
	}
	if size := eval[float64](p, `parseFloat(getComputedStyle(document.getElementById('composer-text')).fontSize)`); size < 16 {
		t.Errorf("the field's letters have %v px, want at least 16", size)
	}
	p.do(chromedp.SendKeys("#composer-text", "с телефона"), chromedp.Click("#send"))
	p.sees("с телефона")

	// Lying on its side it is low: the menu is not cut off at its end.
	p.do(chromedp.EmulateViewport(740, 360, chromedp.EmulateMobile, chromedp.EmulateScale(2)), chromedp.Click(`button[popovertarget="menu"]`))
	p.until("the menu is open", `document.querySelector("#menu:popover-open")`)
	if cut := eval[string](p, `[...document.querySelectorAll("#menu .menu__row")].filter((row) => row.checkVisibility()).filter((row) => {
		row.scrollIntoView({block: "nearest", behavior: "instant"});
		const {x, y, width, height} = row.getBoundingClientRect();
		return !row.contains(document.elementFromPoint(x + width / 2, y + height / 2));
	}).map((row) => row.innerText.trim()).join()`); cut != "" {
		t.Errorf("on a low screen nobody gets to: %s", cut)
	}
}

// At 400 % a desk is 320 px wide and as low: what one writes leaves room for what one reads, and suggestions are not above
// the edge.
func TestBrowserOnAnEnlargedDesk(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	s.curl("/r/lobby/messages?name=ci", "раз")
	p := b.person(t, "Иван")
	p.enter(s)
	p.until("the page is alive", decorated)
	p.do(chromedp.EmulateViewport(320, 256))
	p.types("/")
	const chosen = `(() => {
		const row = document.querySelector('#completion:not([hidden]) [aria-selected="true"]')?.getBoundingClientRect();
		return row ? document.elementFromPoint(row.x + row.width / 2, row.y + 2)?.closest("li")?.innerText.split(/\s/)[0] ?? "hidden" : "";
	})()`
	p.until("the first is on the screen", chosen+` === "/help"`)
	for range 5 {
		p.press("ArrowDown")
	}
	p.until("so is the last", chosen+` === "/leave"`)
	p.press("ArrowDown")
	p.until("and the first again", chosen+` === "/help"`)
	p.types(strings.Repeat("строка\n", 20))
	if left := eval[float64](p, `document.getElementById("scroll").clientHeight`); left < 44 {
		t.Errorf("a long draft leaves %v px to the log", left)
	}
}

// TestBrowserScreenshots takes the pictures of the README, when asked to.
func TestBrowserScreenshots(t *testing.T) {
	t.Parallel()
	if os.Getenv("GOVOR_SCREENSHOTS") != "1" {
		t.Skip("skipped: the pictures are taken with GOVOR_SCREENSHOTS=1 (make screenshots)")
	}
	browser := openBrowser(t)
	s := start(t, "--no-limits")
	fillForPictures(t, s)
	dir := filepath.Join("..", "docs", "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	anna := browser.person(t, "Анна")
	shoot := func(name string) {
		t.Helper()
		anna.until("the letters are there", `document.fonts.status === "loaded"`)
		png, err := chromedp.Run(anna.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	theme := anna.theme // in which nothing moves: a picture is of what stays
	room := func(language string) {
		t.Helper()
		anna.do(chromedp.Navigate(s.url("/r/lobby?lang=" + language)))
		anna.sees("Термос за мной")
	}
	theme("light")
	anna.do(chromedp.EmulateViewport(1280, 800), chromedp.Navigate(s.url("/?lang=en")))
	shoot("login")
	anna.enter(s)
	anna.say("Записала: *суббота, девять утра*. Термос за мной.")
	anna.sees("Термос за мной")
	for _, room := range []string{"лыжи", "дача", "релизы"} {
		anna.do(chromedp.Navigate(s.url("/rooms")), chromedp.SendKeys("#room-name", room), chromedp.Click("#new button"))
		anna.until("the room "+room, `document.readyState === "complete" && document.body.dataset.room === `+quote(room))
	}
	for range 3 {
		s.curl("/r/"+url.PathEscape("лыжи")+"/messages?name=ci", "снег: 41 см")
	}
	room("en")
	shoot("room-en")
	room("ru")
	shoot("room-ru")
	theme("dark")
	shoot("room-dark")
	theme("light")
	anna.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
	room("ru")
	shoot("room-phone")
}

// fillForPictures lets some people talk.
func fillForPictures(t *testing.T, s *server) {
	t.Helper()
	people := map[string]*jsonConn{}
	for _, name := range []string{"Иван", "Мария", "Пётр", "ci"} {
		people[name] = s.joined(name)
	}
	for i, line := range []struct{ who, text string }{
		{"Иван", "Всем привет! Кто в субботу на лыжах?"},
		{"Мария", "Я! Во сколько встречаемся?"},
		{"Иван", "Думаю, в девять у станции. Электричка в **9:14**."},
		{"Пётр", "Тогда и я. Вот расписание:\n\n```\n9:14  Финляндский вокзал\n10:02 Орехово\n```"},
		{"Мария", "10:02 на месте, отлично 👍"},
		{"Мария", "Лыжи можно взять напрокат: https://example.org/ski"},
		{"ci", "готово: сборка 128 прошла, 412 тестов за 1:53"},
		{"Иван", "> Лыжи можно взять напрокат\n\nУ меня свои, но палку одну верну в понедельник…"},
		{"Пётр", "🎿"},
	} {
		c := people[line.who]
		id := fmt.Sprintf("picture-%d", i)
		c.say(id, line.text)
		if a := c.answer(id); a.Type != "ack" {
			t.Fatalf("answer = %s", a.raw)
		}
	}
}
