package tests

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// wire leads connections to a server, and can be cut: then those that are there end at once and new ones are refused.
type wire struct {
	listener net.Listener
	to       string

	mu    sync.Mutex // guards the fields below
	cut   bool
	conns map[net.Conn]bool
}

// openWire opens a wire to the server, and returns its own address with it.
func openWire(t *testing.T, to string) (*wire, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, to: to, conns: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { w.lead(near) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.set(true)
		serving.Wait()
	})
	return w, l.Addr().String()
}

func (w *wire) lead(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer far.Close()
	w.mu.Lock()
	cut := w.cut
	w.conns[near], w.conns[far] = true, true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.conns, near)
		delete(w.conns, far)
	}()
	if cut {
		return
	}
	done := make(chan struct{})
	go func() { // ends with far, which is closed below
		_, _ = io.Copy(near, far)
		_ = near.Close()
		close(done)
	}()
	_, _ = io.Copy(far, near)
	_ = far.Close()
	<-done
}

// set cuts the wire, or mends it.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if cut {
		for c := range w.conns {
			_ = c.Close()
		}
	}
}

// heldTimers holds back every timer of a page that waits for longer than a second and a half: held.fire(what) calls those
// of a kind, held.ms(what) is how long they wait. Whatever is chosen by chance is as late as it can be, and no whole number.
// What the banner says is written down.
const heldTimers = `{
	const realTimeout = setTimeout, realClear = clearTimeout;
	window.held = {
		timers: new Map(),
		kinds: {
			retry: (t) => !Number.isInteger(t.ms),
			grace: (t) => t.ms === 2000 && !/tell|hidden/.test(String(t.call)),
			back: (t) => t.ms === 2000 && /hidden/.test(String(t.call)),
		},
		of: (what) => [...held.timers].filter(([, t]) => held.kinds[what](t)),
		ms: (what) => held.of(what).map(([, t]) => t.ms).join(),
		fire(what) {
			for (const [id, t] of held.of(what)) { held.timers.delete(id); t.call(); }
		},
	};
	window.setTimeout = (call, ms, ...args) => {
		if (!(ms > 1500)) return realTimeout(call, ms, ...args);
		const id = realTimeout(() => {}, 0);
		held.timers.set(id, {ms, call});
		return id;
	};
	window.clearTimeout = (id) => { held.timers.delete(id); realClear(id); };
	Math.random = () => 0.99999; // of 4000 ms, 3999.96
	window.said = [];
	document.addEventListener("DOMContentLoaded", () => {
		const banner = document.getElementById("banner");
		const note = () => { const now = banner.hidden ? "" : banner.dataset.state + " " + banner.textContent; if (now !== (said.at(-1) ?? "")) said.push(now); };
		if (banner) new MutationObserver(note).observe(banner, {attributes: true, childList: true, subtree: true, characterData: true});
	});
}`

const (
	writing = `(() => { const f = document.getElementById("composer-text"); return !f.disabled && !f.readOnly && !f.closest("[inert]") })()`
	trouble = `!document.getElementById("banner").hidden && document.getElementById("banner").dataset.state === "retry"`
)

// lose cuts the wire, and waits until the page has noticed and has tried again in vain.
func (p *person) lose(w *wire) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`said.length = 0`))
	w.set(true)
	p.until("two seconds have begun in which nothing is said", `held.ms("grace") === "2000"`)
	p.until("the first try, within a second, was in vain", `+held.ms("retry") > 1900`)
}

// Of a connection that is gone the page says nothing for two seconds; then how long it waits, second by second. The field
// is never closed; what one says is in a queue. It tries again when one asks it to, when the network is back, and when
// somebody looks.
func TestBrowserIsHonestAboutTheConnection(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t, "--no-limits")
	w, addr := openWire(t, s.addr)
	p := b.person(t, "Мария")
	p.call(browserCall(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: heldTimers}))
	direct := *s
	direct.addr = addr
	p.enter(&direct)
	live := func(text string) {
		t.Helper()
		s.curl("/r/lobby/messages?name=ci", text)
		p.sees(text)
	}
	live("всё тихо")

	// A restart that takes less than two seconds is not worth a word.
	p.do(chromedp.Evaluate[chromedp.Void](`said.length = 0; window.before = document.getElementById("log")`))
	w.set(true)
	p.until("it has noticed", `held.ms("grace") === "2000"`)
	w.set(false)
	s.curl("/r/lobby/messages?name=ci", "сказано при перезапуске")
	p.sees("сказано при перезапуске")
	p.until("the grace has ended with it", `held.ms("grace") === ""`)
	if shown := eval[string](p, `said.join()`); shown != "" || !eval[bool](p, `before === document.getElementById("log")`) {
		t.Errorf("of a short restart the page says %q, or it was loaded anew", shown)
	}
	if strings.Contains(eval[string](p, `document.getElementById("announcer").textContent`), "связ") {
		t.Error("it is announced")
	}

	// One that takes longer is.
	p.do(chromedp.Reload())
	p.until("the page is alive", decorated)
	live("опять тихо")
	p.lose(w)
	if shown := eval[string](p, `said.join()`); shown != "" {
		t.Errorf("within two seconds it says %q", shown)
	}
	p.until("one can write", writing)
	p.say("первое без связи")
	p.until("it waits", `document.querySelector("#log .message[data-id]:not([data-seq])")`)
	p.do(chromedp.Evaluate[chromedp.Void](`held.fire("grace")`))
	p.until("after two seconds it says how long it waits", trouble+` && /^Нет связи\. Повтор через \d+ с$/.test(document.querySelector(".banner__text").textContent)
		&& document.querySelector(".banner__action").checkVisibility() && document.querySelector(".banner__action").textContent === "Повторить сейчас"`)
	p.say("второе без связи")
	p.until("the queue is counted", `document.getElementById("composer-note").textContent === "2 сообщения ждут отправки" && document.querySelectorAll('#log [data-state="queued"]').length === 2`)
	p.until("one can still write", writing)

	// Second by second, and a screen reader hears of it once.
	wait := func(ms string) {
		t.Helper()
		p.do(chromedp.Evaluate[chromedp.Void](`held.fire("retry")`))
		p.until("it waits twice as long", `Math.round(held.ms("retry")) === `+ms)
	}
	wait("4000")
	p.until("it counts", `said.map((t) => /через (\d+) с/.exec(t)?.[1] ?? "").join(" ").includes("4 3 2")
		&& document.getElementById("banner").getAttribute("aria-live") === "off"`)

	// By the button.
	wait("8000")
	w.set(false)
	p.do(chromedp.Click(".banner__action"))
	back := `document.getElementById("banner").dataset.state === "back" && document.getElementById("banner").textContent.includes("Снова на связи")`
	p.until("it is back", back)
	p.sees("первое без связи")
	p.sees("второе без связи")
	p.until("nothing waits", `document.getElementById("composer-note").textContent === "" && !document.querySelector("#log [data-state]")`)
	p.do(chromedp.Evaluate[chromedp.Void](`held.fire("back")`))
	p.until("and the good news goes", `document.getElementById("banner").hidden`)
	if got := s.list("after=0"); len(got) != 5 || got[3].Text != "первое без связи" || got[4].Text != "второе без связи" {
		t.Errorf("stored: %+v", got)
	}

	// By the network, and by somebody who looks: no timer runs.
	for what, event := range map[string]string{"the network": `dispatchEvent(new Event("online"))`, "a look": `document.dispatchEvent(new Event("visibilitychange"))`} {
		p.lose(w)
		p.do(chromedp.Evaluate[chromedp.Void](`held.fire("grace")`))
		p.until("it says so", trouble)
		w.set(false)
		p.do(chromedp.Evaluate[chromedp.Void](event))
		p.until("it is back by "+what, back)
		live("снова, " + what)
	}
}

// Of a restart by hand that takes less than two seconds the page says nothing: it comes back by itself before.
func TestBrowserSaysNothingOfAShortRestart(t *testing.T) {
	needFigures(t)
	const restarts, away = 5, 1200 * time.Millisecond
	b := openBrowser(t)
	s := start(t, "--no-limits")
	p := b.person(t, "Мария")
	p.enter(s)
	p.do(chromedp.Evaluate[chromedp.Void](`window.said = []; new MutationObserver(() => {
		const banner = document.getElementById("banner");
		if (!banner.hidden) said.push(banner.innerText);
	}).observe(document.getElementById("banner"), {attributes: true})`))
	for i := range restarts {
		cut := time.Now()
		s.stop()
		<-time.After(time.Until(cut.Add(away)))
		s = s.again()
		text := fmt.Sprint("после перезапуска ", i+1)
		s.curl("/r/lobby/messages?name=ci", text)
		p.sees(text)
		t.Logf("the server is back after %v, the page has a message after %v", away, time.Since(cut).Round(time.Millisecond))
	}
	if said := eval[string](p, `said.join("; ")`); said != "" {
		t.Errorf("the page says %q", said)
	}
}
