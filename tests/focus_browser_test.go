package tests

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// What the server renders anew while it has the focus keeps it: somebody who uses the keyboard is not sent back to the top
// of the page because somebody else has come in.
func TestBrowserKeepsTheFocusOnWhatIsRenderedAnew(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	p := browser.person(t, "Мария")
	p.enter(s)
	p.until("she is there", `document.querySelectorAll("#people .person").length === 1`)
	p.do(chromedp.Focus("#online"), chromedp.Evaluate[chromedp.Void](`window.before = document.getElementById("online")`))
	s.joined("Борис")
	p.until("both are there", `document.querySelectorAll("#people .person").length === 2`)
	p.until("the number is another element", `document.getElementById("online") !== window.before`)
	if at := eval[string](p, focused); at != "online" {
		t.Errorf("the focus went to %s", at)
	}
}
