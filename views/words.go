package views

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// The languages there are. The first is that of someone who says nothing.
const (
	Russian = "ru"
	English = "en"
)

//go:embed locales/*.json
var localeFiles embed.FS

var matcher = language.NewMatcher([]language.Tag{language.Russian, language.English})

// Locale chooses the language of a page, "ru" or "en". chosen (a cookie, or ?lang=) wins if it is one of ours; then
// the best of acceptLanguage. Someone who says nothing gets Russian, someone who knows neither gets English.
func Locale(acceptLanguage, chosen string) string {
	if chosen == Russian || chosen == English {
		return chosen
	}
	tags, q, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return Russian
	}
	wanted := tags[:0]
	for i, tag := range tags {
		if q[i] > 0 && !tag.IsRoot() && tag.String() != "mul" { // "mul" is how "*" is read
			wanted = append(wanted, tag)
		}
	}
	if len(wanted) == 0 {
		return Russian
	}
	if _, i, confidence := matcher.Match(wanted...); confidence > language.No && i == 0 {
		return Russian
	}
	return English
}

// words are the texts of one language. They are fixed once loaded and may be read from any goroutine.
type words struct {
	locale string
	tag    language.Tag
	texts  map[string]text
	lists  scriptLists
}

// text is one key of a locale file: a string, or one string per plural form ("one", "few", …; "other" is always there).
type text struct {
	plain string
	forms map[string]string
}

// UnmarshalJSON reads either of the two.
func (t *text) UnmarshalJSON(data []byte) error {
	if data[0] == '{' {
		return json.Unmarshal(data, &t.forms)
	}
	return json.Unmarshal(data, &t.plain)
}

func loadWords(locale string) (*words, error) {
	data, err := localeFiles.ReadFile("locales/" + locale + ".json")
	if err != nil {
		return nil, fmt.Errorf("read words: %w", err)
	}
	w := &words{locale: locale, tag: language.Make(locale)}
	if err := json.Unmarshal(data, &w.texts); err != nil {
		return nil, fmt.Errorf("parse words of %s: %w", locale, err)
	}
	return w, nil
}

// T is the text of key, with every {name} in it replaced by the argument of that name: args are pairs of name and
// value. A text with plural forms is chosen by the argument n. A key that is missing is an error, which fails the page.
func (w *words) T(key string, args ...any) (string, error) {
	t, ok := w.texts[key]
	if !ok {
		return "", fmt.Errorf("no text %q in %s", key, w.locale)
	}
	if len(args) == 0 {
		return t.plain, nil
	}
	pattern := t.plain
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		name, value := args[i], args[i+1]
		if n, isInt := value.(int); isInt && name == "n" && t.forms != nil {
			pattern = t.form(w.tag, n)
		}
		pairs = append(pairs, "{"+fmt.Sprint(name)+"}", fmt.Sprint(value))
	}
	return strings.NewReplacer(pairs...).Replace(pattern), nil
}

// pluralForms names the categories of CLDR as Intl.PluralRules does.
var pluralForms = map[plural.Form]string{
	plural.Other: "other", plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many",
}

func (t text) form(tag language.Tag, n int) string {
	if s, ok := t.forms[pluralForms[plural.Cardinal.MatchPlural(tag, max(n, -n), 0, 0, 0, 0)]]; ok {
		return s
	}
	return t.forms["other"]
}

// must is T for keys that Go code names; the tests prove that each is in every language.
func (w *words) must(key string, args ...any) string {
	s, err := w.T(key, args...)
	if err != nil {
		return key
	}
	return s
}

// roomTitle is the name of a room as people see it.
func (w *words) roomTitle(room string) string {
	if room == "lobby" {
		return w.must("room.lobby")
	}
	return room
}

// scriptWords are the keys that the page hands to its scripts, in #words.
var scriptWords = []string{
	"a11y.more", "cmd.failed", "cmd.help", "cmd.help.line", "cmd.join", "cmd.join.need", "cmd.leave", "cmd.leave.lobby", "cmd.me", "cmd.me.need", "cmd.nick", "cmd.nick.bad", "cmd.nick.login", "cmd.nick.need",
	"cmd.nick.taken", "cmd.unknown", "cmd.who", "cmd.who.here", "composer.left", "composer.slow", "composer.slowmode", "composer.toolong", "composer.wait",
	"log.today", "log.yesterday", "msg.copied", "msg.edit.unknown", "msg.failed",
	"msg.queued", "msg.sending", "net.back", "net.closed", "net.connecting", "net.now", "net.queue", "net.restart", "net.retry",
	"notify.mention", "sys.reset",
}

// hostWords are those that hosts need besides.
var hostWords = []string{"host.ban", "host.close", "host.kick", "host.mute", "host.open", "host.slow", "host.unban", "host.unmute"}

// loginWords are those of the login page.
var loginWords = []string{"net.now", "net.retry"}

// scriptWord is one <span> of #words.
type scriptWord struct{ Key, Form, Text string }

// scriptLists are #words of those who come in, who talk and who are hosts, rendered once.
type scriptLists struct{ login, room, host safeHTML }

func (w *words) forScripts(keys []string) []scriptWord {
	list := make([]scriptWord, 0, len(keys)+8)
	for _, key := range keys {
		t := w.texts[key]
		if t.forms == nil {
			list = append(list, scriptWord{Key: key, Text: t.plain})
			continue
		}
		for _, form := range []string{"one", "few", "many", "other"} {
			if s, ok := t.forms[form]; ok {
				list = append(list, scriptWord{Key: key, Form: form, Text: s})
			}
		}
	}
	return list
}
