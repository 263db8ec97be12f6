package tests

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// What is to be taken along, such as the command for the console, is copied by a button, which says that it did; without
// scripts there is no button, and a click selects all of it.
func TestBrowserCopiesTheCommand(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	p := b.person(t, "Иван")
	p.do(chromedp.Navigate(s.url("/")), chromedp.Click("details.login__console summary"))
	p.until("the button", `document.querySelector(".copy__do:not([hidden])")`)
	p.do(chromedp.Click(".copy__do"))
	p.until("it says so, to everybody", `document.querySelector(".copy__do[data-done]") && document.querySelector(".copy [role=status]").textContent === "Скопировано"`)
	p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("login-name").focus()`))
	p.chord(ctrl, "v", "KeyV", 86, "paste")
	want := "go run client/client.go Иван --server " + s.addr
	p.until("as a shell wants it, as far as it has room", `document.getElementById("login-name").value === `+quote(string([]rune(want)[:32])))
	p.until("and the button is as before", `!document.querySelector(".copy__do[data-done]") && document.querySelector(".copy [role=status]").textContent === ""`)
	p.do(chromedp.Click(".login__help"))
	p.until("the help, for whoever is not in yet", `document.body?.dataset.page === "help"`)
}
