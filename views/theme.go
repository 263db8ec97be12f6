package views

// The themes that somebody may have chosen. "" is that of their system.
const (
	ThemeLight = "light"
	ThemeDark  = "dark"
)

// themeAuto is how the choice of no theme is written in links.
const themeAuto = "auto"

// Theme reads a choice, a cookie or ?theme=: ok tells whether it is one, theme is "" for that of the system.
func Theme(choice string) (theme string, ok bool) {
	switch choice {
	case ThemeLight, ThemeDark:
		return choice, true
	}
	return "", choice == themeAuto
}

// ThemeChoice is one link of Page.Themes.
type ThemeChoice struct {
	Code, Name, Href string
	Current          bool
}

// Themes are the links to this page in each theme.
func (p Page) Themes() []ThemeChoice {
	list := make([]ThemeChoice, 0, 3)
	for _, t := range []struct{ code, key string }{
		{themeAuto, "theme.auto"}, {ThemeLight, "theme.light"}, {ThemeDark, "theme.dark"},
	} {
		theme, _ := Theme(t.code)
		list = append(list, ThemeChoice{
			Code: t.code, Name: p.words.must(t.key), Href: p.Path + "?theme=" + t.code, Current: theme == p.Theme,
		})
	}
	return list
}

// Background is the colour in which browsers draw what is around the page; CSS has the same, as --color-bg.
func (p Page) Background(theme string) string {
	if theme == ThemeDark {
		return "#16181b"
	}
	return "#fdfcfa"
}

// Media says when the colour of a theme counts.
func (p Page) Media(theme string) string {
	switch p.Theme {
	case "":
		return "(prefers-color-scheme: " + theme + ")"
	case theme:
		return "all"
	}
	return "not all"
}
