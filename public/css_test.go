package public

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	comment  = regexp.MustCompile(`(?s)/\*.*?\*/`)
	literal  = regexp.MustCompile(`url\("[^"]*"\)|"[^"]*"`)
	declared = regexp.MustCompile(`(?:^|[{;\s])(--[a-z0-9-]+)\s*:`)
	used     = regexp.MustCompile(`var\((--[a-z0-9-]+)(,)?`)
	colour   = regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(|\boklch\(`)
	sibling  = regexp.MustCompile(`[+~]\s*\*[^{};]*\{`)
	idRule   = regexp.MustCompile(`(?m)^\s*[^:;{}]*#[a-zA-Z]`)
)

// styles returns the style sheets by name, without comments and quoted text.
func styles(t *testing.T) map[string]string {
	t.Helper()
	files, err := fs.Glob(Files, "css/*.css")
	if err != nil || len(files) < 10 {
		t.Fatalf("styles: %v, %v", files, err)
	}
	all := map[string]string{}
	for _, file := range files {
		data, err := fs.ReadFile(Files, file)
		if err != nil {
			t.Fatal(err)
		}
		all[path.Base(file)] = literal.ReplaceAllString(comment.ReplaceAllString(string(data), ""), "x")
	}
	return all
}

func TestStylesKeepTheRules(t *testing.T) {
	for name, css := range styles(t) {
		if strings.Contains(css, "!important") || strings.Contains(css, "@import") {
			t.Errorf("%s has !important or @import", name)
		}
		if strings.Count(css, "{") != strings.Count(css, "}") {
			t.Errorf("%s: braces do not pair", name)
		}
		if found := colour.FindString(css); found != "" && name != "tokens.css" {
			t.Errorf("%s has the colour %s; colours are tokens", name, found)
		}
		if found := idRule.FindString(css); found != "" && name != "tokens.css" {
			t.Errorf("%s selects by id: %s", name, strings.TrimSpace(found))
		}
		if found := sibling.FindString(css); found != "" { // an element that comes to the top of the log would have all of it styled again
			t.Errorf("%s selects any element by what stands before it: %s", name, found)
		}
		if name != "layers.css" {
			outside(t, name, css)
		}
	}
}

// outside checks that everything stands in a layer.
func outside(t *testing.T, name, css string) {
	t.Helper()
	depth, start := 0, 0
	for i, r := range css {
		switch r {
		case '{':
			if depth == 0 && !strings.HasPrefix(strings.TrimSpace(css[start:i]), "@layer ") {
				t.Errorf("%s: %q is in no layer", name, strings.TrimSpace(css[start:i]))
			}
			depth++
		case '}':
			if depth--; depth == 0 {
				start = i + 1
			}
		}
	}
}

// A token that is used but not there makes a declaration void without a word.
func TestTokensExist(t *testing.T) {
	have := map[string]bool{}
	for _, css := range styles(t) {
		for _, m := range declared.FindAllStringSubmatch(css, -1) {
			have[m[1]] = true
		}
	}
	for name, css := range styles(t) {
		for _, m := range used.FindAllStringSubmatch(css, -1) {
			if !have[m[1]] && m[2] == "" {
				t.Errorf("%s uses %s, which nobody sets", name, m[1])
			}
		}
	}
}
