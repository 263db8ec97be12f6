package tests

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// tab is another tab of the same browser and person: they share the login and what is kept.
func (p *person) tab(name string) *person {
	p.t.Helper()
	ctx, cancel := chromedp.NewContext(p.ctx)
	p.t.Cleanup(cancel)
	other := &person{t: p.t, ctx: ctx, name: p.name + ", " + name}
	if err := chromedp.Listen(ctx, other.event); err != nil {
		p.t.Fatalf("open a tab: %v", err)
	}
	p.t.Cleanup(other.checkProblems)
	return other
}

// submit sends several messages at once: typed one by one, on a slow machine, each could have its receipt before the next.
func (p *person) submit(texts ...string) {
	p.t.Helper()
	for i, text := range texts {
		texts[i] = quote(text)
	}
	p.do(chromedp.Evaluate[chromedp.Void](`{
		const form = document.getElementById('composer');
		for (const text of [` + strings.Join(texts, ",") + `]) {
			form.querySelector('textarea').value = text;
			form.requestSubmit();
		}
	}`))
}

// kept is how many messages the browser keeps for later.
const kept = `Object.keys(localStorage).filter((key) => key.includes("/outbox/")).length`

// Two tabs keep what waits in one place. Each sends its own and what it found there: everything comes once, and what one
// tab said in its order, also if a tab crashes while it sends.
func TestBrowserSendsOnceFromTwoTabs(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t, "--rate", "2", "--burst", "1")
	first := browser.person(t, "Иван")
	first.enter(s)
	second := first.tab("другая вкладка")
	second.do(chromedp.Navigate(s.url("/r/lobby")))
	for _, p := range []*person{first, second} {
		p.until("all of it is there", `document.body?.dataset.name === "Иван" && document.getElementById('banner').hidden`)
		p.say("я " + p.name)
		p.sees("я " + p.name)
	}
	if first.name == second.name || eval[string](first, `document.body.dataset.me`) != eval[string](second, `document.body.dataset.me`) {
		t.Fatal("the tabs are of two people")
	}

	s.kill()
	for _, p := range []*person{first, second} {
		p.until("the page notices", `!document.getElementById('banner').hidden`)
	}
	first.submit("первая 1", "первая 2", "первая 3")
	second.submit("вторая 1", "вторая 2", "вторая 3")
	first.until("six wait in one place", kept+` === 6 && `+waits+` === 3`)
	s = s.again()
	for _, p := range []*person{first, second} {
		p.until("everything has arrived", `document.querySelectorAll('#log .message[data-seq]').length === 8 && `+waits+` === 0 && `+kept+` === 0`)
	}
	wantEach(t, s, "первая", 3)
	wantEach(t, s, "вторая", 3)

	// The first tab sends slowly; the second one is loaded meanwhile, and goes on with what it finds when the first is gone.
	first.submit("до сбоя 1", "до сбоя 2", "до сбоя 3", "до сбоя 4", "до сбоя 5", "до сбоя 6")
	second.do(chromedp.Reload())
	second.until("some wait here, too", waits+` >= 2`)
	first.crash()
	second.until("everything has arrived", `document.querySelectorAll('#log .message[data-seq]').length === 14 && `+waits+` === 0 && `+kept+` === 0`)
	wantEach(t, s, "до сбоя", 6)
	if n := len(s.everything()); n != 14 {
		t.Errorf("%d messages are stored, want 14", n)
	}
	if got := strings.Join(second.numbers(), " "); got != "1 2 3 4 5 6 7 8 9 10 11 12 13 14" {
		t.Errorf("the page shows the numbers %s", got)
	}
}

// The file was replaced by an older copy while messages waited: the page says that something is missing, shows what there
// is, and what waited comes once, in order.
func TestBrowserSendsIntoARestoredFile(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	ivan := browser.person(t, "Иван")
	ivan.enter(s)
	ivan.say("до копии")
	ivan.sees("до копии")
	file := filepath.Join(t.TempDir(), "copy.zst")
	must(t, "backup", file, "--data-dir", s.dir)
	for i := range 5 { // so that what waits gets numbers that the page has seen
		ivan.say(fmt.Sprint("после копии ", i))
		ivan.sees(fmt.Sprint("после копии ", i))
	}
	s.kill()
	ivan.until("the page notices", `!document.getElementById('banner').hidden`)
	ivan.submit("ждёт 1", "ждёт 2", "ждёт 3")
	must(t, "restore", file, "--force", "--data-dir", s.dir)
	s = s.again()
	ivan.until("all of it has arrived", `document.querySelectorAll('#log .message[data-seq]').length === 4 && `+waits+` === 0 && `+kept+` === 0`)
	ivan.until("it says that history is missing", `[...document.querySelectorAll('#log .system')].some((line) => line.textContent.includes("Часть истории не показана"))`)
	if got := eval[string](ivan, allBodies); got != "до копии|ждёт 1|ждёт 2|ждёт 3" {
		t.Errorf("the page shows %q", got)
	}
	wantEach(t, s, "ждёт", 3)
	if n := len(s.everything()); n != 4 {
		t.Errorf("%d messages are stored, want 4", n)
	}
}

// crash ends the process that draws the tab, as a fault in the browser does. There is no answer to that.
func (p *person) crash() {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.ctx)
	ended := make(chan struct{})
	go func() { // ends with ctx
		defer close(ended)
		_, _ = chromedp.Call(ctx, page.Crash, cdp.Empty{})
	}()
	p.t.Cleanup(func() {
		cancel()
		<-ended
	})
	eventually(p.t, "the tab is gone", func() bool {
		ctx, cancel := context.WithTimeout(p.ctx, time.Second)
		defer cancel()
		_, err := chromedp.Run(ctx, chromedp.Evaluate[int]("1"))
		return err != nil
	})
}

// wantEach requires that what was said by n messages that begin so is stored once each, in order.
func wantEach(t *testing.T, s *server, beginning string, n int) {
	t.Helper()
	var got, want []string
	for _, m := range s.everything() {
		if strings.HasPrefix(m.Text, beginning+" ") {
			got = append(got, m.Text)
		}
	}
	for i := range n {
		want = append(want, fmt.Sprint(beginning, " ", i+1))
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("stored are %q, want %q", got, want)
	}
}
