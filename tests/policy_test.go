package tests

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What the policy of the pages forbids does not happen, whoever tries it: HTML enters a page by the one door, and nothing
// inline runs. That our own pages need none of it is seen in every other test: what a browser refuses is an error there.
func TestBrowserKeepsThePolicy(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	p := b.person(t, "Иван")
	p.enter(s)
	p.do(chromedp.Evaluate[chromedp.Void](`{
		window.broken = [];
		document.addEventListener("securitypolicyviolation", (e) => broken.push(e.effectiveDirective));
	}`))
	for _, tt := range []struct{ what, try, directive string }{
		{"innerHTML", `document.querySelector("#log").innerHTML = "<b>x</b>"`, "require-trusted-types-for"},
		{"insertAdjacentHTML", `document.body.insertAdjacentHTML("beforeend", "<i id=in></i>")`, "require-trusted-types-for"},
		{"a page of its own", `new DOMParser().parseFromString("<b>", "text/html")`, "require-trusted-types-for"},
		{"srcdoc", `document.createElement("iframe").srcdoc = "<b>"`, "require-trusted-types-for"},
		{"a script's address", `document.createElement("script").src = "/static/x.js"`, "require-trusted-types-for"},
		{"an inline handler", `document.body.setAttribute("onclick", "window.ran = true")`, "require-trusted-types-for"},
		{"another policy", `trustedTypes.createPolicy("other", {createHTML: (s) => s})`, "trusted-types"},
		{"our policy again", `trustedTypes.createPolicy("govor", {createHTML: (s) => s})`, "trusted-types"},
	} {
		script := `(() => { broken.length = 0; try { ` + tt.try + ` } catch (e) { return e.constructor.name } return "done" })()`
		if got := eval[string](p, script); got != "TypeError" {
			t.Errorf("%s: %s, want a TypeError", tt.what, got)
		}
		p.until(tt.what+" is reported", `broken.includes(`+quote(tt.directive)+`)`)
	}
	p.do(chromedp.Evaluate[chromedp.Void](`{ broken.length = 0; document.body.click() }`))
	if eval[bool](p, `!!window.ran || !!document.getElementById("in")`) {
		t.Error("something inline has run")
	}
	p.do(chromedp.Evaluate[chromedp.Void](`{
		const style = document.createElement("style");
		style.textContent = "body { display: none }";
		document.head.append(style);
		const picture = document.createElement("img");
		picture.src = "http://localhost:1/x.png";
		document.body.append(picture);
	}`))
	p.until("style and picture are reported", `["style-src-elem", "img-src"].every((d) => broken.includes(d))`)
	if eval[bool](p, `getComputedStyle(document.body).display === "none"`) {
		t.Error("an inline style counts")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		if !strings.Contains(problem, "Content Security Policy") && !strings.Contains(problem, "Trusted") {
			t.Errorf("the page also says: %s", problem)
		}
	}
	p.problems = nil
}
