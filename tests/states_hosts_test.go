package tests

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/chromedp/chromedp"
)

// What others do to who looks, and the doors of servers that are not open to everybody.

// elsewhere opens the front page of another server.
func (w *walk) elsewhere(flags ...string) {
	w.t.Helper()
	w.p.do(chromedp.Navigate(start(w.t, flags...).url("/?lang=" + w.lang)))
	w.page("login")
}

// busy sends the form to a server that takes its time.
func (w *walk) busy() {
	w.t.Helper()
	w.halt()
	w.run(`document.getElementById("login-name").value = "Иван"; document.getElementById("login-submit").click()`)
	w.p.until("the page says so", `document.querySelector('#login[aria-busy="true"]')`)
}

// password logs in under a name that has a password.
func (w *walk) password(name, password string) {
	w.t.Helper()
	w.run(`document.body.dataset.page = ""; const f = document.getElementById("login"); f.elements.name.value = ` + quote(name) + `;
		if (f.elements.password) f.elements.password.value = ` + quote(password) + `; f.submit()`)
	w.page("login")
	w.p.until("a password is wanted", `document.getElementById("password-error")`)
}

// follow opens what the page has to be copied.
func (w *walk) follow() {
	w.t.Helper()
	link, err := url.Parse(eval[string](w.p, `document.querySelector(".copy__text").textContent`))
	if err != nil {
		w.t.Fatal(err)
	}
	w.visit(link.RequestURI())
	w.page("enter")
}

// posts sends a form as the page of who looks.
func (w *walk) posts(path string, fields ...string) {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	status := `fetch(` + quote(path) + `, {method: "POST", redirect: "manual", headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: ` +
		quote(form.Encode()) + `}).then((r) => r.type === "opaqueredirect" || r.ok ? "" : r.status + " " + r.url)`
	problem, err := chromedp.Run(w.p.ctx, chromedp.Evaluate[string](status, chromedp.EvalAwaitPromise))
	if err != nil || problem != "" {
		w.t.Fatalf("POST %s: %s %v", path, problem, err)
	}
}

// memberOf is who a cookie belongs to.
func (w *walk) memberOf(cookie string) string {
	w.t.Helper()
	r := w.s.request("GET", "/r/lobby", "", "Cookie", cookie, "Accept", "text/html")
	m := regexp.MustCompile(`data-me="([^"]+)"`).FindStringSubmatch(r.body)
	if m == nil {
		w.t.Fatalf("nobody looks at %s", tail(r.body, 300))
	}
	return m[1]
}

// handOver makes somebody else the owner, and who looks a member like any other.
func (w *walk) handOver() {
	w.t.Helper()
	w.room("/r/lobby")
	w.live()
	w.host, w.member = w.s.login("Ольга"), eval[string](w.p, `document.body.dataset.me`)
	w.posts("/act", "action", "role", "member", w.memberOf(w.host), "role", "owner")
	w.acts("role", "role", "")
	w.p.until("no host any more", `!document.body.dataset.role`)
}

// acts is what the host does to who looks or, with a field room, to the room.
func (w *walk) acts(action string, fields ...string) {
	w.t.Helper()
	if !strings.Contains(strings.Join(fields, " "), "room") {
		fields = append(fields, "member", w.member)
	}
	if status := w.s.acts(w.host, append(fields, "action", action)...); status/100 > 3 {
		w.t.Fatalf("%s: %d", action, status)
	}
}

func (w *walk) muted() {
	w.t.Helper()
	w.handOver()
	w.acts("mute", "for", "10m", "why", "много спама")
	w.p.until("it says so", `!document.getElementById("muted").hidden`)
}

func (w *walk) onlyHosts() {
	w.t.Helper()
	w.acts("unmute")
	w.acts("close", "room", "lobby")
	w.p.until("it says so", `!document.getElementById("readonly").hidden`)
}

func (w *walk) slowMode() {
	w.t.Helper()
	w.acts("open", "room", "lobby")
	w.acts("slow", "room", "lobby", "for", "10m")
	w.p.until("one may write", `document.getElementById("readonly").hidden`)
	w.write("первое")
	w.p.sees("первое")
	w.write("второе")
	w.p.until("it is counted down", `document.querySelector("#log [data-slow]") && document.getElementById("composer-note").dataset.state === "slow"`)
}

// removed is kicked while writing.
func (w *walk) removed() {
	w.t.Helper()
	w.run(`document.querySelector('#log [data-slow] [data-do="discard"]').click(); document.getElementById("composer-text").value = "недописанное"`)
	w.acts("kick", "why", "поздно уже")
	w.p.until("the card", `document.getElementById("ended").open`)
}

func (w *walk) banned() {
	w.t.Helper()
	w.acts("ban", "for", "1h", "why", "хватит")
	w.visit("/r/lobby")
	w.page("error")
}

// crowd has some people come at once, and looks who.
func (w *walk) crowd() {
	w.t.Helper()
	w.room("/r/lobby")
	w.live()
	for _, name := range []string{"Zoë", "Константин Задунайский", "sam"} {
		w.s.text(name, "")
	}
	w.p.until("they are counted", `document.querySelector("#log details.system__text")`)
	w.run(`document.querySelector("#log details.system__text").open = true`)
}
