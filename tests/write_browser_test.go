package tests

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// decorated is true once the scripts have taken over a page with messages: what was typed before, they would not have seen.
const decorated = `document.querySelector('#log time[title]')`

// Names, rooms and commands are suggested while one types; arrows, Enter, Tab and Escape are for the suggestions then.
func TestBrowserSuggests(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	s.curl("/r/lobby/messages?name=%D0%9F%D1%91%D1%82%D1%80", "раз")                                                                      // Пётр
	s.curl("/r/lobby/messages?name=%D0%9F%D0%BE%D0%BB%D0%B8%D0%BD%D0%B0%20%D0%A1%D0%B5%D1%80%D0%B3%D0%B5%D0%B5%D0%B2%D0%BD%D0%B0", "два") // Полина Сергеевна
	p := browser.person(t, "Мария")
	p.enter(s)
	p.until("the page is alive", decorated)
	rows := `[...document.querySelectorAll('#completion:not([hidden]) li')].map(r => r.children[0].textContent + (r.ariaSelected === "true" ? "*" : "")).join()`
	p.types("Спасибо, @п")
	p.until("who spoke last comes first", rows+` === "Полина Сергеевна*,Пётр"`)
	p.press("ArrowDown")
	p.until("the next", rows+` === "Полина Сергеевна,Пётр*" && document.getElementById('composer-text').getAttribute('aria-activedescendant') === "completion-1"`)
	p.press("Enter")
	p.until("it is taken, and nothing is sent", field+` === "Спасибо, @Пётр " && `+rows+` === ""`)
	p.types("@полина с")
	p.until("a name with a space", rows+` === "Полина Сергеевна*"`)
	p.press("Tab")
	p.until("by Tab, too", field+` === "@Полина Сергеевна "`)
	p.types("почта a@п")
	p.types("@п")
	p.until("again", rows+` !== ""`)
	p.escape()
	p.until("Escape goes on without", rows+` === "" && `+field+` === "@п"`)
	p.types("пол")
	p.press("Tab")
	p.until("Tab takes the name that begins so", field+` === "@Полина Сергеевна "`)
	p.types("/n")
	p.until("a command", rows+` === "/nick*"`)
	p.press("Tab")
	p.until("is completed", field+` === "/nick "`)
	s.curl("/r/design/messages?name=ci", "первое")
	p.room(s, "design")
	p.room(s, "lobby")
	p.until("the page is alive again", decorated)
	p.types("см. #des")
	p.until("a room", rows+` === "#design*"`)
	p.press("Tab")
	p.until("is written", field+` === "см. #design "`)
}

// What is being edited runs no commands, and so none are suggested.
func TestBrowserSuggestsNoCommandsWhileEditing(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	s.curl("/r/lobby/messages?name=ci", "раз")
	p := browser.person(t, "Мария")
	p.enter(s)
	p.until("the page is alive", decorated)
	p.say("было")
	p.sees("было")
	rows := `document.querySelectorAll('#completion:not([hidden]) li').length`
	p.types("/n")
	p.until("a command", rows+` === 1`)
	p.types("")
	p.arrowUp()
	p.until("it is edited", editing)
	p.types("/n")
	if n := eval[int](p, rows); n != 0 {
		t.Errorf("%d commands are suggested while a message is edited", n)
	}
	p.types("@c")
	p.until("names are", rows+` === 1`)
	p.types("/nick Маша")
	p.enterKey()
	p.until("it is what the message says now", `document.querySelector('#log [data-own][data-changed] .message__body').textContent.startsWith("/nick Маша")`)
}

// Commands are done and never sent; what is not one stays in the field.
func TestBrowserCommands(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	ivan, maria := browser.person(t, "Иван"), browser.person(t, "Мария")
	ivan.enter(s)
	maria.enter(s)
	present := func(name string) string {
		return `[...document.querySelectorAll('#people .person__name')].some(n => n.textContent === ` + quote(name) + `)`
	}
	ivan.until("Maria is connected, her scripts do their work", present("Мария"))
	maria.until("so is Ivan", present("Иван"))
	notes := `[...document.querySelectorAll('#log [data-kind="note"]')].map(n => n.innerText.trim()).join("|")`
	command := func(p *person, text string) {
		p.types(text)
		p.escape() // the suggestions
		p.enterKey()
	}
	command(maria, "/who")
	maria.until("who is here", notes+`.includes("Здесь: ") && `+notes+`.includes("Иван") && `+field+` === ""`)
	command(maria, "/etc/passwd")
	maria.until("it is said, and kept", notes+`.includes("Нет команды /etc/passwd") && `+field+` === "/etc/passwd"`)
	command(maria, "//etc/passwd")
	ivan.sees("/etc/passwd")
	maria.refused = true // as a taken name is
	command(maria, "/nick Иван")
	maria.until("the name is taken, another is offered, and the text is kept", notes+`.includes("занято") && `+notes+`.includes("/nick ") && `+field+` === "/nick Иван"`)
	command(maria, "/nick Маша")
	maria.until("she has the name", `document.body && document.body.dataset.name === "Маша" && `+decorated)
	ivan.until("the room is told, and the list has the new name", `[...document.querySelectorAll('#log [data-kind="presence"]')].some(n =>
		n.innerText.replace(/[\u2068\u2069]/g, "").trim() === "Мария теперь Маша") && !(`+present("Мария")+`) && `+present("Маша"))
	maria.say("это я, @Иван, а не @Никто и не `@Иван`")
	ivan.sees("это я")
	ivan.until("it mentions him", `document.querySelector('#log .message[data-name="Маша"][data-mine]') && document.querySelectorAll('#log [data-mine]').length === 1`)
	chips := `[...document.querySelectorAll('#log .mention')].map(n => n.textContent + ("me" in n.dataset)).join()`
	ivan.until("his name is marked up, as his", chips+` === "@Иванtrue"`)
	maria.until("hers is of somebody else", chips+` === "@Иванfalse"`)
	ivan.do(chromedp.Reload())
	ivan.until("after a reload, too", `document.querySelectorAll('#log [data-mine]').length === 1 && `+chips+` === "@Иванtrue" && `+decorated)
	command(maria, "/me")
	maria.until("an action needs words", notes+`.includes("/me машет рукой") && `+field+` === "/me"`)
	command(maria, "/me машет @Иван")
	action := `document.querySelector("#log .message[data-does][data-seq]")`
	for _, p := range []*person{maria, ivan} {
		p.until("an action", action+`?.querySelector(".message__body").textContent.trim() === "Маша машет @Иван"`)
	}
	command(maria, "//me машет")
	ivan.sees("/me машет")
	maria.until("a slash before the slash: it says so", `document.querySelectorAll("#log [data-does]").length === 1`)
	command(maria, "/leave")
	maria.until("the lobby is not left", notes+`.includes("Общую комнату не покидают") && `+field+` === "/leave"`)
	command(maria, "/help")
	maria.until("the help", `document.querySelector("#sheet[open] .help")`)
	maria.escape()
	command(maria, "/join Планы")
	maria.until("another room", `location.pathname === "/r/" + encodeURIComponent("планы") && document.body && document.body.dataset.room === "планы"`)
	command(maria, "/leave")
	maria.until("she has left", `location.pathname === "/r/lobby" && document.body && !document.querySelector('.room-row[data-room="планы"]') && `+decorated)
	maria.forgive("409") // a browser calls it an error that a name is taken
	for _, m := range s.list("after=0") {
		if m.Text != "/etc/passwd" && m.Text != "/me машет @Иван" && m.Text != " /me машет" && !strings.HasPrefix(m.Text, "это я, @Иван") {
			t.Errorf("sent: %q", m.Text)
		}
	}
}
