package views

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"govor/hub/protocol"
)

func TestLocale(t *testing.T) {
	for _, c := range []struct{ accept, chosen, want string }{
		{"", "", "ru"},
		{"*", "", "ru"},
		{"not a language at all;;", "", "ru"},
		{"ru-RU,ru;q=0.9,en;q=0.8", "", "ru"},
		{"en-GB,en;q=0.9,ru;q=0.8", "", "en"},
		{"en;q=0.5,ru;q=0.9", "", "ru"},
		{"en;q=0, ru", "", "ru"},
		{"ja", "", "en"},
		{"ja,zh;q=0.9", "", "en"},
		{"ja,ru;q=0.2", "", "ru"},
		{"ru", "en", "en"},
		{"en", "ru", "ru"},
		{"en", "xx", "en"},
		{"", "../../etc", "ru"},
	} {
		if got := Locale(c.accept, c.chosen); got != c.want {
			t.Errorf("Locale(%q, %q) = %q, want %q", c.accept, c.chosen, got, c.want)
		}
	}
}

func TestPluralForms(t *testing.T) {
	v := newViews(t)
	for _, c := range []struct {
		locale string
		n      int
		want   string
	}{
		{"ru", 1, "1 сообщение ждёт отправки"},
		{"ru", 3, "3 сообщения ждут отправки"},
		{"ru", 5, "5 сообщений ждут отправки"},
		{"ru", 11, "11 сообщений ждут отправки"},
		{"ru", 21, "21 сообщение ждёт отправки"},
		{"ru", 0, "0 сообщений ждут отправки"},
		{"ru", 112, "112 сообщений ждут отправки"},
		{"en", 1, "1 waiting to be sent"},
		{"en", 2, "2 waiting to be sent"},
	} {
		if got, err := v.Page(c.locale).T("net.queue", "n", c.n); err != nil || got != c.want {
			t.Errorf("%s: T(net.queue, %d) = %q, %v, want %q", c.locale, c.n, got, err, c.want)
		}
	}
}

func TestValuesAreNotReadAgain(t *testing.T) {
	got, err := newViews(t).Page("en").T("login.taken", "name", "{alt}", "alt", "{name}")
	if want := "“{alt}” is taken. Try {name}?"; err != nil || got != want {
		t.Errorf("T = %q, %v, want %q", got, err, want)
	}
}

func TestMissingTextFails(t *testing.T) {
	if _, err := newViews(t).Page("ru").T("no.such.text"); err == nil {
		t.Error("T of a key that does not exist gave no error")
	}
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

func TestLocalesHaveTheSameTexts(t *testing.T) {
	v := newViews(t)
	ru, en := v.words[Russian].texts, v.words[English].texts
	want := map[string][]string{Russian: {"few", "many", "one", "other"}, English: {"one", "other"}}
	for key := range maps.Keys(union(ru, en)) {
		r, inRu := ru[key]
		e, inEn := en[key]
		if !inRu || !inEn {
			t.Errorf("%s: in ru %v, in en %v", key, inRu, inEn)
			continue
		}
		if (r.forms == nil) != (e.forms == nil) {
			t.Errorf("%s has plural forms in one language only", key)
		}
		for locale, text := range map[string]text{Russian: r, English: e} {
			if forms := slices.Sorted(maps.Keys(text.forms)); text.forms != nil && !slices.Equal(forms, want[locale]) {
				t.Errorf("%s: forms of %s are %v, want %v", key, locale, forms, want[locale])
			}
			if places(text) != places(r) && key != "log.date.year" {
				t.Errorf("%s: places in %s are %s, in ru %s", key, locale, places(text), places(r))
			}
		}
	}
}

func union(a, b map[string]text) map[string]text {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func places(t text) string {
	all := placeholder.FindAllString(t.plain, -1)
	for _, form := range t.forms {
		all = append(all, placeholder.FindAllString(form, -1)...)
	}
	slices.Sort(all)
	return fmt.Sprint(slices.Compact(all))
}

// templates returns the sources of all templates by path.
func templates(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(templateFiles, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := templateFiles.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil || len(all) < 10 {
		t.Fatalf("read templates: %d, %v", len(all), err)
	}
	return all
}

var textCall = regexp.MustCompile(`\.T "([^"]+)"`)

func TestTextsOfTemplatesExist(t *testing.T) {
	v := newViews(t)
	for path, source := range templates(t) {
		for _, m := range textCall.FindAllStringSubmatch(source, -1) {
			if _, ok := v.words[Russian].texts[m[1]]; !ok {
				t.Errorf("%s uses %q, which does not exist", path, m[1])
			}
		}
	}
}

func TestTextsAreUsed(t *testing.T) {
	used := ""
	for _, source := range templates(t) {
		used += source
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		used += string(data)
	}
	for key := range newViews(t).words[Russian].texts {
		if strings.HasPrefix(key, "error.") { // made from the status
			continue
		}
		if !strings.Contains(used, `"`+key+`"`) {
			t.Errorf("%q is used nowhere", key)
		}
	}
}

func TestEveryStatusAndCodeHasWords(t *testing.T) {
	for _, w := range newViews(t).words {
		for status := 400; status < 600; status++ {
			p := ErrorPage{Page: Page{words: w}, Status: status}
			if strings.HasPrefix(p.Title(), "error.") || strings.HasPrefix(p.Text(), "error.") {
				t.Errorf("%s: no words for status %d", w.locale, status)
			}
		}
		if p := (ErrorPage{Page: Page{words: w}, Status: 413}); p.Title() == w.must("error.other.title") || p.Text() == w.must("error.other.text") {
			t.Errorf("%s: whoever sends too much reads %q", w.locale, p.Text())
		}
		for code, key := range problems {
			if w.problem(code) == key {
				t.Errorf("%s: no words for %s", w.locale, code)
			}
		}
		for _, key := range slices.Concat(scriptWords, hostWords) {
			if _, ok := w.texts[key]; !ok {
				t.Errorf("%s: scripts want %q, which does not exist", w.locale, key)
			}
		}
		if got := w.problem("of_tomorrow"); got != w.problem(protocol.CodeInternal) {
			t.Errorf("%s: an unknown code is %q", w.locale, got)
		}
	}
}

// Whoever is refused by a limit is told on every page for how long, in words that people count in.
func TestLimitsSayHowLong(t *testing.T) {
	for locale, span := range map[string]string{Russian: "59 мин", English: "59 min"} {
		wait := 58*time.Minute + 30*time.Second
		for _, code := range []protocol.Code{protocol.CodeTooFast, protocol.CodeTooMany} {
			page := newViews(t).Page(locale)
			problem := &protocol.Error{Code: code, RetryAfter: wait}
			for name, text := range map[string]string{
				"login":   LoginPage{Page: page, Error: code, Wait: wait}.Problem(),
				"account": AccountPage{Page: page, Form: "password", Error: code, Wait: wait}.Problem("password"),
				"enter":   EnterPage{Page: page, Error: code, Wait: wait}.Problem(),
				"rooms":   RoomsPage{Page: page, Error: code, Wait: wait}.Problem(),
				"room":    RoomPage{Page: page, Error: code, RetryAfter: wait}.Problem(),
				"message": MessagePage{Page: page, Error: code, RetryAfter: wait}.Problem(),
				"person":  PersonPage{Page: page, Error: problem}.Problem(),
				"error":   ErrorPage{Page: page, Status: 429, Problem: problem}.Text(),
			} {
				if !strings.Contains(text, span) {
					t.Errorf("%s, %s: %q does not say that it takes %s", name, code, text, span)
				}
			}
		}
	}
}

// The page carries the words that its scripts ask for and no others.
func TestScriptsGetTheirWords(t *testing.T) {
	files, err := filepath.Glob("../public/js/*.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	source := ""
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source += string(data)
	}
	for _, key := range hostWords {
		if name := strings.TrimPrefix(key, "host."); !strings.Contains(source, `"`+name+`"`) || !strings.Contains(source, "`host.${") {
			t.Errorf("no script asks for %q", key)
		}
	}
	for _, key := range scriptWords {
		made := strings.HasPrefix(key, "msg.") && strings.Contains(source, "`msg.${") // from the state of a message
		if !made && !strings.Contains(source, `"`+key+`"`) {
			t.Errorf("no script asks for %q", key)
		}
	}
	asked := regexp.MustCompile(`"((?:a11y|code|composer|log|msg|net|sys)\.[a-z.]+)"`)
	for _, m := range asked.FindAllStringSubmatch(source, -1) {
		if !slices.Contains(scriptWords, m[1]) {
			t.Errorf("scripts ask for %q, which the page does not carry", m[1])
		}
	}
}

var (
	action     = regexp.MustCompile(`\{\{[^}]*\}\}`)
	tag        = regexp.MustCompile(`<[^>]*>`)
	spokenAttr = regexp.MustCompile(`(?:placeholder|title|alt|aria-label)="([^"]*)"`)
)

// Every word that somebody reads or hears is in the locale files.
func TestTemplatesHaveNoWords(t *testing.T) {
	for path, source := range templates(t) {
		source = action.ReplaceAllString(source, "")
		spoken := tag.ReplaceAllString(source, "")
		for _, m := range spokenAttr.FindAllStringSubmatch(source, -1) {
			spoken += m[1]
		}
		if i := strings.IndexFunc(spoken, unicode.IsLetter); i >= 0 {
			t.Errorf("%s has words of its own: %.40q", path, spoken[i:])
		}
		if i := strings.IndexFunc(source, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }); i >= 0 {
			t.Errorf("%s has Cyrillic letters: %.40q", path, source[i:])
		}
	}
}
