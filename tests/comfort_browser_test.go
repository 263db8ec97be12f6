package tests

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"
)

// Modifiers of the protocol of the browser.
const (
	ctrl  = 2
	cmd   = 4
	shift = 8
)

// chord presses a key together with others. name is what the layout makes of it, code where it is on the keyboard.
func (p *person) chord(modifiers int64, name, code string, vk int64, commands ...string) {
	p.t.Helper()
	key := input.DispatchKeyEventParams{
		Type: input.DispatchKeyEventTypeKeyDown, Modifiers: modifiers, Key: name, Code: code, WindowsVirtualKeyCode: vk, Commands: commands,
	}
	p.call(browserCall(input.DispatchKeyEvent, key))
	key.Type, key.Commands = input.DispatchKeyEventTypeKeyUp, nil
	p.call(browserCall(input.DispatchKeyEvent, key))
}

func (p *person) inserts(text string) {
	p.t.Helper()
	p.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})
}

// picked is the text of the field with what is selected in brackets.
const picked = `(() => {
	const {value, selectionStart: a, selectionEnd: b} = document.getElementById("composer-text");
	return value.slice(0, a) + "[" + value.slice(a, b) + "]" + value.slice(b);
})()`

// Ctrl+B, I and E set the marks of Markdown around what is selected and take them away again, whatever the layout of the
// keyboard; the browser can undo it.
func TestBrowserSetsMarks(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	p := b.person(t, "Иван")
	p.enter(s)
	s.curl("/r/lobby/messages?name=ci", "раз")
	p.until("the page is alive", decorated)
	letters := map[byte]int64{'b': 66, 'i': 73, 'e': 69}
	for _, tt := range []struct{ keys, before, after string }{
		{"b", "[слово]", "**[слово]**"},
		{"bb", "[слово]", "[слово]"},
		{"i", "это [слово] тут", "это *[слово]* тут"},
		{"ii", "это [слово] тут", "это [слово] тут"},
		{"b", "это [слово ]тут", "это **[слово]** тут"}, // a double click takes the blank along
		{"b", "[**слово**]", "[слово]"},
		{"i", "**[слово]**", "***[слово]***"},
		{"b", "***[слово]***", "*[слово]*"},
		{"i", "***[слово]***", "**[слово]**"},
		{"i", "[***слово***]", "**[слово]**"},
		{"e", "нажми [Esc]!", "нажми `[Esc]`!"},
		{"e", "нажми `[Esc]`!", "нажми [Esc]!"},
		{"e", "вот:\n[a := 1\nb := 2]\nвсё", "вот:\n```\n[a := 1\nb := 2]\n```\nвсё"},
		{"ee", "вот: [a\nb] всё", "вот: \n[a\nb]\n всё"},
		{"e", "[```\na\nb\n```]", "[a\nb]"},
		{"b", "[]", "**[]**"},
		{"bb", "[]", "[]"},
		{"b", "**слово[]**", "**слово**[]"},
		{"i", "**слово[]**", "**слово*[]***"}, // not a way out of what is bold
		{"bi", "[]", "***[]***"},
		{"b", "[**]", "**[**]**"},
	} {
		p.types("x")
		p.do(chromedp.Evaluate[chromedp.Void](`{
			const text = ` + quote(tt.before) + `, field = document.getElementById("composer-text"), from = text.indexOf("["), to = text.indexOf("]") - 1;
			field.value = text.replace(/[\[\]]/g, "");
			field.setSelectionRange(from, to);
		}`))
		before := eval[string](p, picked)
		for i := range len(tt.keys) {
			was := eval[string](p, picked)
			p.chord(ctrl, string(tt.keys[i]), "Key"+string(tt.keys[i]-32), letters[tt.keys[i]])
			p.until("the marks change", picked+` !== `+quote(was))
		}
		if got := eval[string](p, picked); got != tt.after {
			t.Errorf("%s in %q: %q, want %q", tt.keys, before, got, tt.after)
		}
	}

	// On a Russian layout, and what was done is undone and done again; what is in the field is kept as a draft.
	p.types("жирно")
	p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("composer-text").select()`))
	p.chord(ctrl, "и", "KeyB", 66)
	p.until("by the place of the key", picked+` === "**[жирно]**"`)
	p.until("it is the draft", `localStorage.getItem("govor/" + document.body.dataset.me + "/draft/lobby") === "**жирно**"`)
	p.chord(ctrl, "z", "KeyZ", 90, "undo")
	p.until("undone", field+` === "жирно"`)
	p.chord(ctrl|shift, "Z", "KeyZ", 90, "redo")
	p.until("done again", field+` === "**жирно**"`)
	p.enterKey()
	p.until("it is bold", `document.querySelector("#log .message:nth-last-child(1 of .message) strong")?.textContent === "жирно"`)

	// On a Mac it is Cmd; Ctrl moves the caret there.
	p.call(browserCall(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "Mac", Platform: "MacIntel"}))
	p.do(chromedp.Reload())
	p.until("the page is alive", decorated)
	p.types("код")
	p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("composer-text").select()`))
	p.chord(ctrl, "e", "KeyE", 69)
	p.chord(cmd, "b", "KeyB", 66)
	p.until("Cmd only", field+` === "**код**"`)
}

// undressed compares each message of the log that has code with itself as it came: what is read would move if they differed.
const undressed = `[...document.querySelectorAll("#log .message:has(.code)")].map((message) => {
	const before = message.cloneNode(true);
	for (const block of before.querySelectorAll(".code")) block.replaceWith(block.querySelector("pre"));
	message.after(before);
	const [is, was] = [message, before].map((m) => m.querySelector(".message__body").getBoundingClientRect());
	before.remove();
	return is.width === was.width && is.height === was.height ? "" : [was.width, was.height, "now", is.width, is.height].join(" ");
}).filter(Boolean).join("; ")`

// A block of code has a button that copies it, with the mouse, with the keyboard and, on a phone, in the menu of the message.
func TestBrowserCopiesCode(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	for _, lang := range []struct{ code, label, done string }{{"ru", "Копировать код", "Скопировано"}, {"en", "Copy the code", "Copied"}} {
		p := b.person(t, "Иван "+lang.code)
		p.do(chromedp.Navigate(s.url("/?lang=" + lang.code)))
		p.enter(s)
		s.curl("/r/lobby/messages?name=ci", "вот ещё:\n\n```\nв конце\n```")
		s.curl("/r/lobby/messages?name=ci", "вот:\n\n```\nfirst "+lang.code+"\n\tsecond\n```\n\n> ```\n> quoted\n> ```")
		p.sees("first " + lang.code)
		button := `[...document.querySelectorAll("#log .message:nth-last-child(1 of .message) .code__copy")]`
		p.until("each block has a button", button+`.length === 2 && `+button+`.every((b) => b.getAttribute("aria-label") === `+quote(lang.label)+`)`)
		if moved := eval[string](p, undressed); moved != "" {
			t.Errorf("a block of code has another size than before it had a button: %s", moved)
		}
		paste := func(want string) {
			t.Helper()
			p.types("x")
			p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("composer-text").select()`))
			p.chord(ctrl, "v", "KeyV", 86, "paste")
			p.until("what was copied is "+want, field+` === `+quote(want))
		}
		p.do(chromedp.Click("#log .message:nth-last-child(1 of .message) .code__copy"))
		p.until("it is said", `document.getElementById("announcer").textContent === `+quote(lang.done)+` && document.querySelector(".code__copy[data-done]")`)
		paste("first " + lang.code + "\n\tsecond")
		p.do(chromedp.Evaluate[chromedp.Void](button + `[1].previousElementSibling.focus()`))
		p.press("Tab")
		p.until("the button comes after its code", `document.activeElement === `+button+`[1]`)
		p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("announcer").textContent = ""`))
		p.press("Enter")
		p.until("it is said again", `document.getElementById("announcer").textContent === `+quote(lang.done))
		paste("quoted")
		p.do(chromedp.Reload())
		p.until("in history, too", button+`.length === 2`)
		if text := eval[string](p, `document.querySelector("#log .message:nth-last-child(1 of .message) .message__body").innerText`); text != "вот:\n\nfirst "+lang.code+"\n\tsecond\n\nquoted\n" {
			t.Errorf("the message reads %q", text)
		}
	}

	// On a phone the button would lie over the code: the menu of the message has it.
	p := b.person(t, "Мария")
	p.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch))
	p.enter(s)
	s.curl("/r/lobby/messages?name=ci", "```\nна телефоне\n```")
	p.sees("на телефоне")
	p.until("what one can do is there", `document.querySelector('#log .message__tool[tabindex="0"]') && document.querySelector("#log .message:nth-last-child(1 of .message) .code")`)
	if eval[bool](p, `[...document.querySelectorAll(".code__copy")].some((b) => b.checkVisibility())`) {
		t.Error("a button lies over the code")
	}
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#log .message:nth-last-child(1 of .message) [data-do="menu"]').click()`))
	p.until("the menu", `document.querySelector("#message-menu:popover-open")`)
	p.do(chromedp.Click(`#message-menu [data-act="code"]`))
	p.until("it is said", `document.getElementById("composer-note").textContent === "Скопировано"`)
	s.curl("/r/lobby/messages?name=ci", "без кода")
	p.sees("без кода")
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('#log .message:nth-last-child(1 of .message) [data-do="menu"]').click()`))
	p.until("nothing to copy", `document.querySelector("#message-menu:popover-open") && document.querySelector('#message-menu [data-act="code"]').hidden`)

	// Without scripts nothing is there that would do nothing.
	if page := s.request("GET", "/r/lobby/2", "", "Cookie", s.login("Пётр")).body; len(elementsOf(t, page, "code__copy")) != 0 {
		t.Error("the page has a button before any script")
	}
}

// elementsOf are the names of all elements of a page, outside of templates, that have a class.
func elementsOf(t *testing.T, page, class string) []string {
	t.Helper()
	var all []string
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		inTemplate := false
		for parent := range n.Ancestors() {
			inTemplate = inTemplate || parent.Data == "template"
		}
		if !inTemplate && attribute(n, "class") == class {
			all = append(all, n.Data)
		}
	}
	return all
}

// The help is a dialog that any way opens, that keeps the focus and gives it back, and a page where there are no scripts.
func TestBrowserHelps(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	s.curl("/r/lobby/messages?name=ci", "раз")
	p := b.person(t, "Иван")
	p.enter(s)
	p.until("the page is alive", decorated)
	const open = `document.querySelector("#sheet[open] .help") && document.activeElement.closest("#sheet")`
	const closed = `!document.getElementById("sheet").open`
	const loaded = `performance.getEntriesByType("resource").some((r) => r.name.endsWith("/help"))`
	if eval[bool](p, loaded) {
		t.Error("the help is loaded before anybody asks for it")
	}

	// In the field ? is a character; outside of it, a question.
	p.types("?")
	p.until("it is written", field+` === "?" && `+closed)
	p.do(chromedp.Focus("#scroll"))
	question := func() { t.Helper(); p.chord(shift, "?", "Slash", 191) }
	question()
	p.until("the help", open+` && document.querySelector("#sheet").textContent.includes("Клавиши и команды")`)
	p.until("it has a name", `document.getElementById("sheet").ariaLabel === "Клавиши и команды"`)
	for range 3 {
		p.press("Tab")
		if at := eval[string](p, `document.activeElement.closest("#sheet, body").id`); at != "sheet" && at != "" {
			t.Errorf("Tab leads to %s", at)
		}
	}
	question()
	p.escape()
	p.until("Escape closes it and gives the focus back", closed+` && `+focused+` === "scroll"`)

	p.do(chromedp.Click(`button[popovertarget="menu"]`), chromedp.Click("#help"))
	p.until("from the menu", open+` && !document.querySelector(":popover-open")`)
	p.press("Enter") // on the way out, which has the focus
	p.until("and back", closed+` && `+focused+` === "menu"`)

	p.types("/help")
	p.escape()
	p.enterKey()
	p.until("by the command", open)
	p.escape()
	p.until("and back to the field, which is empty", closed+` && `+focused+` === "composer-text" && `+field+` === ""`)
	p.inserts("пишу дальше")
	p.until("it takes letters", field+` === "пишу дальше"`)

	// Without a connection, and without having asked before, there is at least a line of it.
	maria := b.person(t, "Мария")
	maria.enter(s)
	maria.until("the page is alive", decorated)
	maria.do(chromedp.Evaluate[chromedp.Void](`void import(document.querySelector("script[src]").src.replace("app.js", "commands.js")).then(() => (window.there = true))`))
	maria.until("what does it is there", `window.there`)
	s.kill()
	maria.until("it is away", `!document.getElementById("banner").hidden`)
	maria.do(chromedp.Focus("#scroll"))
	maria.chord(shift, "?", "Slash", 191)
	maria.until("a line", `[...document.querySelectorAll('#log [data-kind="note"]')].some((n) => n.textContent.includes("/nick"))`)
	s = s.again()
	maria.until("the server is back", `document.getElementById("banner").hidden || document.getElementById("banner").dataset.state === "back"`)
	maria.do(chromedp.Focus("#scroll"))
	maria.chord(shift, "?", "Slash", 191)
	maria.until("then all of it", open)

	page := s.request("GET", "/help", "", "Accept-Language", "en").body
	if len(elementsOf(t, page, "help__row")) < 20 {
		t.Errorf("the page without scripts is %s", page)
	}
}

// Who types a password can read it, with scripts; what is sent is a password again.
func TestBrowserShowsPasswords(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	s := start(t)
	p := b.person(t, "Иван")
	p.enter(s)
	state := func(id string) string {
		return `[document.getElementById("` + id + `").type, document.querySelector('[aria-controls="` + id + `"]').ariaPressed, document.querySelector('[aria-controls="` + id + `"]').hidden].join()`
	}
	p.do(chromedp.Navigate(s.url("/account")))
	p.until("the button is there", state("new")+` === "password,false,false"`)
	if label := eval[string](p, `document.querySelector('[aria-controls="new"]').ariaLabel`); label != "Показать пароль" {
		t.Errorf("the button is called %q", label)
	}
	p.do(chromedp.SendKeys("#new", "тайна тайна"))
	p.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("new").setSelectionRange(5, 5)`))
	p.press("Tab")
	p.press("Enter")
	p.until("shown, by the keyboard", state("new")+` === "text,true,false"`)
	p.do(chromedp.Focus("#new"))
	p.do(chromedp.Click(`[aria-controls="new"]`))
	p.until("hidden, by the mouse; the field keeps focus and caret", state("new")+` === "password,false,false" && `+focused+` === "new" && document.activeElement.selectionStart === 5`)
	p.do(chromedp.Click(`[aria-controls="new"]`))
	p.do(chromedp.Evaluate[chromedp.Void](`addEventListener("pagehide", () => localStorage.setItem("sent", document.getElementById("new").type))`))
	p.press("Enter")
	p.until("it is set", `document.readyState === "complete" && document.getElementById("old")`)
	if sent := eval[string](p, `localStorage.getItem("sent")`); sent != "password" {
		t.Errorf("sent as %q", sent)
	}

	// The login asks for it; without scripts there is no button.
	maria := b.person(t, "Мария")
	maria.refused = true
	maria.do(chromedp.Navigate(s.url("/")), chromedp.SendKeys("#login-name", "Иван"), chromedp.Click("#login-submit"))
	maria.until("the button", `document.getElementById("login-password") && `+state("login-password")+` === "password,false,false"`)
	maria.do(chromedp.SendKeys("#login-password", "тайна тайна"), chromedp.Click(`[aria-controls="login-password"]`))
	maria.until("shown", state("login-password")+` === "text,true,false"`)
	maria.do(chromedp.Click("#login-submit"))
	maria.until("let in", `document.body && document.body.dataset.page === "room"`)
	none := b.person(t, "Пётр")
	none.refused = true
	none.call(browserCall(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	none.do(chromedp.Navigate(s.url("/")), chromedp.SendKeys("#login-name", "Иван"), chromedp.Click("#login-submit"))
	none.until("a field and no button", `document.getElementById("login-password") && !document.querySelector('[aria-controls="login-password"]').checkVisibility()`)
}
