package views

import (
	"os"
	"strings"
	"testing"
)

func TestThemeIsChosenOnTheServer(t *testing.T) {
	v := newViews(t)
	for choice, want := range map[string]struct {
		root, scheme, bar string
	}{
		"":      {`<html lang="en">`, `content="light dark"`, `media="(prefers-color-scheme: dark)"`},
		"light": {`<html lang="en" data-theme="light">`, `content="light"`, `content="#16181b" media="not all"`},
		"dark":  {`<html lang="en" data-theme="dark">`, `content="dark"`, `content="#16181b" media="all"`},
	} {
		p := v.Page(English)
		p.Theme = choice
		page := render(t, v, sample{"login", LoginPage{Page: p}})
		for _, part := range []string{want.root, want.scheme, want.bar} {
			if !strings.Contains(page, part) {
				t.Errorf("theme %q: the page has no %s", choice, part)
			}
		}
		if n := strings.Count(page, `aria-current="true"><span class="icon`); n != 1 {
			t.Errorf("theme %q: %d choices are current", choice, n)
		}
	}
	for choice, ok := range map[string]bool{"auto": true, "light": true, "dark": true, "": false, "x": false, `"><script>`: false} {
		if theme, isOne := Theme(choice); isOne != ok || theme != "" && theme != choice {
			t.Errorf("Theme(%q) = %q, %v", choice, theme, isOne)
		}
	}
}

// What the browser draws around the page has the colour of the page.
func TestBackgroundIsThatOfTheStyles(t *testing.T) {
	tokens, err := os.ReadFile("../public/css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	p := newViews(t).Page(English)
	for _, line := range []string{
		"--color-bg: light-dark(var(--paper-99), var(--grey-21));",
		"--paper-99: " + p.Background(ThemeLight) + ";", "--grey-21: " + p.Background(ThemeDark) + ";",
	} {
		if !strings.Contains(string(tokens), line) {
			t.Errorf("tokens.css has no %s", line)
		}
	}
}
