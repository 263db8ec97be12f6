package tests

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// findBrowser returns the path of a browser, or ends the test.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("GOVOR_REQUIRE_BROWSER") == "1" {
		t.Fatal("GOVOR_REQUIRE_BROWSER=1, and there is no browser")
	}
	t.Skip("skipped: there is no browser (Debian: apt-get install chromium)")
	return ""
}

// browser is a running browser.
type browser struct{ ctx context.Context }

// theBrowser is the one that all tests share, once one has asked for it: what they see of each other is nothing, since each
// person has cookies, storage and a cache of their own. closeBrowser ends it.
var theBrowser struct {
	sync.Once
	browser
	cancel context.CancelFunc
	err    error
}

// openBrowser returns the browser, which is started with a new profile for the first that asks.
func openBrowser(t *testing.T) browser {
	t.Helper()
	path := findBrowser(t)
	theBrowser.Do(func() {
		opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1440, 900),
			chromedp.Flag("accept-lang", "ru"))
		program, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
		ctx, _ := chromedp.NewContext(program) // ended by closeBrowser
		theBrowser.browser, theBrowser.cancel, theBrowser.err = browser{ctx}, cancel, chromedp.Do(ctx)
	})
	if theBrowser.err != nil {
		t.Fatalf("start the browser: %v", theBrowser.err)
	}
	return theBrowser.browser
}

// closeBrowser waits for the browser to end, and removes its profile.
func closeBrowser() {
	if theBrowser.cancel != nil {
		_ = chromedp.Cancel(theBrowser.ctx)
		theBrowser.cancel()
	}
}

// person is somebody with a browser of their own: cookies and storage are not shared.
type person struct {
	t    *testing.T
	ctx  context.Context
	name string

	refused bool // pages are asked for that are refused, on purpose

	mu       sync.Mutex // guards the field below
	problems []string
}

// person opens a tab that shares nothing with those of others.
func (b browser) person(t *testing.T, name string) *person {
	t.Helper()
	return b.personFor(t, name, 2*time.Minute)
}

// personFor is person for a test that takes longer.
func (b browser) personFor(t *testing.T, name string, limit time.Duration) *person {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, limit)
	t.Cleanup(cancel)
	p := &person{t: t, ctx: ctx, name: name}
	if err := chromedp.Listen(ctx, p.event); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	p.call(browserCall(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "UTC"}))
	t.Cleanup(p.checkProblems)
	return p
}

// event notes what a page must not do: throw, write errors to the console, or break its policy. That the network is
// gone while the program is down is no mistake of the page.
func (p *person) event(ev any) {
	var problem string
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		problem = "exception: " + ev.ExceptionDetails.Text
		if ev.ExceptionDetails.Exception != nil {
			problem += " " + ev.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError {
			problem = "console.error"
			for _, a := range ev.Args {
				problem += " " + string(a.Value) + a.Description
			}
		}
	case *cdplog.EventEntryAdded:
		e := ev.Entry
		onPurpose := p.refused && strings.Contains(e.Text, "responded with a status of 4") && !strings.Contains(e.URL, "/static/")
		if e.Level == cdplog.EntryLevelError && !onPurpose && !strings.Contains(e.Text, "WebSocket connection to") && !strings.Contains(e.Text, "net::ERR_") {
			problem = fmt.Sprintf("%s: %s %s", e.Source, e.Text, e.URL)
		}
	}
	if problem != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.problems = append(p.problems, problem)
	}
}

func (p *person) checkProblems() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		p.t.Errorf("the page of %s: %s", p.name, problem)
	}
}

func (p *person) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%s: %v; the page is:\n%s", p.name, err, p.screen())
	}
}

// call runs a command of the protocol of the browser.
func (p *person) call(f func(ctx context.Context) error) {
	p.t.Helper()
	if err := f(p.ctx); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// screen is what the page shows, for the message of a failed test.
func (p *person) screen() string {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return tail(text, 2000)
}

// eval evaluates an expression in the page.
func eval[T any](p *person, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: evaluate %s: %v", p.name, expression, err)
	}
	return v
}

// until waits until an expression is true in the page. It survives a navigation in between.
func (p *person) until(what, expression string) {
	p.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!(`+expression+`)`))
		cancel()
		if err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatalf("%s waits in vain: %s (%v); the page is:\n%s", p.name, what, err, p.screen())
		}
	}
}

// enter logs in by the form of the login page, and waits until the scripts of the room have run, if any may: before, a form
// that is sent is a page that is loaded.
func (p *person) enter(s *server) {
	p.t.Helper()
	p.do(chromedp.Navigate(s.url("/")),
		chromedp.SendKeys("#login-name", p.name),
		chromedp.Click("#login-submit"))
	p.until("the room", `document.readyState === "complete" && document.body.dataset.page === "room" && document.body.dataset.name === `+quote(p.name))
}

// say types a message and presses Enter.
func (p *person) say(text string) {
	p.t.Helper()
	p.do(chromedp.SendKeys("#composer-text", text))
	// As a keyboard does it: the character comes of the key, unless the page takes the key.
	enter := input.DispatchKeyEventParams{
		Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13,
	}
	p.call(browserCall(input.DispatchKeyEvent, enter))
	enter.Type, enter.Text = input.DispatchKeyEventTypeKeyUp, ""
	p.call(browserCall(input.DispatchKeyEvent, enter))
}

// sees waits until the text stands in the log as a message that is stored.
func (p *person) sees(text string) {
	p.t.Helper()
	p.until("sees "+text, `[...document.querySelectorAll('#log .message')].some(m => +m.dataset.seq > 0 && !m.dataset.state &&
		m.querySelector('.message__body').textContent.includes(`+quote(text)+`))`)
}

// numbers are those of the messages in the log, as they stand there.
func (p *person) numbers() []string {
	p.t.Helper()
	return strings.Fields(eval[string](p, `[...document.querySelectorAll('#log .message')].map(m => m.dataset.seq || "pending").join(" ")`))
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

// browserCall makes a step of a command of the protocol of the browser.
func browserCall[P, R any](cmd cdp.Command[P, R], params P) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, cmd, params)
		return err
	}
}
