package tests

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// Who logs in while the server is away loses nothing and need not try again: the page waits and then goes on.
func TestBrowserLogsInWhenTheServerIsBack(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	p := b.person(t, "Мария")
	p.do(chromedp.Navigate(s.url("/")))
	p.until("the scripts are there", `document.readyState === "complete"`)
	s.kill()
	p.do(chromedp.SendKeys("#login-name", p.name), chromedp.Click("#login-submit"))
	p.until("the page says what is wrong", `!document.getElementById("banner").hidden && document.getElementById("banner").dataset.state === "retry"`)
	if busy := eval[bool](p, `document.getElementById("login").hasAttribute("aria-busy") || document.getElementById("login-submit").disabled`); busy {
		t.Error("the button cannot be pressed while there is no connection")
	}
	if name := eval[string](p, `document.getElementById("login-name").value`); name != p.name {
		t.Errorf("the field holds %q", name)
	}
	s.again()
	p.until("the room", `document.body && document.body.dataset.page === "room" && document.body.dataset.name === `+quote(p.name))
}
