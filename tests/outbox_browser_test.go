package tests

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// waits is how many messages stand in the log without a number.
const waits = `document.querySelectorAll('#log .message[data-state]').length`

// What is typed outlives the page, whether there is a connection or not: it comes once, in order.
func TestBrowserKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t, "--rate", "2", "--burst", "1")
	ivan := browser.person(t, "Иван")
	ivan.enter(s)
	want := []string{"до того"}
	ivan.say(want[0])
	ivan.sees(want[0])
	types := func(what string) {
		for i := range 5 {
			want = append(want, fmt.Sprintf("%s %d", what, i+1))
			ivan.say(want[len(want)-1])
		}
	}

	// The server is gone, and is back when the page is loaded again.
	s.kill()
	ivan.until("the page notices", `!document.getElementById('banner').hidden`)
	types("без сервера")
	ivan.until("five wait", waits+` === 5 && document.querySelectorAll('#log .message[data-state="queued"]').length === 5`)
	s = s.again()
	ivan.do(chromedp.Reload())
	checkTyped(t, s, ivan, want)

	// It is still gone when the page is loaded again: the browser shows an error. Somebody else talks before it comes back.
	s.kill()
	ivan.until("the page notices", `!document.getElementById('banner').hidden`)
	types("и опять")
	ivan.do(chromedp.Evaluate[chromedp.Void](`location.reload()`))
	ivan.until("the page is gone", `!document.getElementById('log')`)
	s = s.again()
	s.curl("/r/lobby/messages?name=ci", "сказано без вас")
	want = append(want[:len(want)-5:len(want)-5], append([]string{"сказано без вас"}, want[len(want)-5:]...)...)
	ivan.do(chromedp.Navigate(s.url("/r/lobby")))
	checkTyped(t, s, ivan, want)

	// Some are on their way when the page goes: the rate lets them in slowly.
	// They are sent at once: typed one by one, on a slow machine, each could have its receipt before the next.
	want = append(want, "в спешке 1", "в спешке 2", "в спешке 3", "в спешке 4", "в спешке 5")
	ivan.do(chromedp.Evaluate[chromedp.Void](`{
		const form = document.getElementById('composer');
		for (let i = 1; i <= 5; i++) {
			form.querySelector('textarea').value = 'в спешке ' + i;
			form.requestSubmit();
		}
	}`))
	ivan.until("some wait", `document.querySelectorAll('#log .message[data-state]').length >= 2`)
	ivan.do(chromedp.Reload())
	checkTyped(t, s, ivan, want)
}

// checkTyped requires that the messages are in the log and in the store, in this order, each once.
func checkTyped(t *testing.T, s *server, p *person, want []string) {
	t.Helper()
	p.until("nothing waits any more", `document.querySelectorAll('#log .message[data-seq]').length >= `+fmt.Sprint(len(want))+` && `+waits+` === 0`)
	shown := eval[string](p, `[...document.querySelectorAll('#log .message .message__body')].map(b => b.textContent.trim()).join("\n")`)
	if shown != strings.Join(want, "\n") {
		t.Errorf("the page shows\n%s\nwant\n%s", shown, strings.Join(want, "\n"))
	}
	var stored []string
	for _, m := range s.everything() {
		stored = append(stored, m.Text)
	}
	if strings.Join(stored, "\n") != strings.Join(want, "\n") {
		t.Errorf("stored are\n%s\nwant\n%s", strings.Join(stored, "\n"), strings.Join(want, "\n"))
	}
}
