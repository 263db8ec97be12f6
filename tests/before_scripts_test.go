package tests

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// holdScripts keeps scripts from coming until they are let go.
func (p *person) holdScripts() (letGo func()) {
	p.t.Helper()
	held := make(chan fetch.RequestID, 16)
	err := chromedp.Listen(p.ctx, func(ev any) {
		if paused, ok := ev.(*fetch.EventRequestPaused); ok {
			held <- paused.RequestID
		}
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.call(browserCall(fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "*.js*"}}}))
	return func() {
		p.t.Helper()
		select {
		case id := <-held:
			p.call(browserCall(fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: id}))
		case <-time.After(patience):
			p.t.Fatal("no script was asked for")
		}
		p.call(browserCall(fetch.Disable, cdp.Empty{}))
	}
}

// Before any script has come the room is shown at its end, and may be scrolled; a script that takes over moves nothing.
func TestBrowserShowsTheEndBeforeAnyScript(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t, "--no-limits")
	s.fillRoom("long", 60)
	const (
		last = `document.querySelector('#log [data-seq="60"]')`
		seen = `(() => { const m = ` + last + `?.getBoundingClientRect(), box = document.getElementById("scroll")?.getBoundingClientRect();
			return m && m.height > 0 && m.top >= box.top && m.bottom <= box.bottom; })()`
		live = last + `?.querySelector("time[title]")`
	)
	name, cookie, _ := strings.Cut(s.login("Мария"), "=")
	for _, up := range []int{0, 900} {
		p := browser.person(t, "Мария") // who has nothing in the cache
		p.call(browserCall(network.SetCookie, network.SetCookieParams{Name: name, Value: cookie, URL: s.url("/")}))
		letGo := p.holdScripts()
		var loading sync.WaitGroup // Navigate returns when everything has come
		loading.Go(func() { p.do(chromedp.Navigate(s.url("/r/long"))) })
		p.until("the end before any script", `location.pathname === "/r/long" && `+seen+` && !(`+live+`)`)
		if up > 0 {
			p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("scroll").scrollTop -= 900`))
			p.until("it was scrolled", `!`+seen)
		}
		const read = `(() => { const box = document.getElementById("scroll").getBoundingClientRect();
			const m = [...document.querySelectorAll("#log .message")].find((m) => m.getBoundingClientRect().bottom > box.top + 1);
			return m.dataset.seq + " " + Math.round(m.getBoundingClientRect().top); })()`
		p.do(chromedp.Evaluate[chromedp.Void](`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`, chromedp.EvalAwaitPromise))
		before := eval[string](p, read)
		letGo()
		loading.Wait()
		p.until("the page is live", live)
		if after := eval[string](p, read); after != before {
			t.Errorf("%d px from the end: message and place %s before the script took over, %s after", up, before, after)
		}
		if follows := eval[bool](p, `document.getElementById("jump").hidden`); follows != (up == 0) {
			t.Errorf("%d px from the end: follows the end: %t", up, follows)
		}
	}
}
