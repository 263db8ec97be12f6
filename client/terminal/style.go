package terminal

import (
	"hash/fnv"
	"strings"
)

// palette is how things are set off on a terminal, as parameters of SGR; the zero value sets nothing off. Whether the
// terminal is light or dark is not known, so every colour is a middle one that can be read on both (contrast 3.7 or
// more against the page's light and dark background).
type palette struct {
	on     bool
	names  [10]string // by nameHue, the nearest to the page's hues
	dim    string
	warn   string
	ok     string
	danger string
	prompt string
	own    string // added to one's own name
	me     string // a mention of oneself
	bold   string
	link   string
}

// newPalette picks the colours for a terminal: its 256 if it says that it has them, else its 16.
func newPalette(on bool, term, colorterm string) palette {
	if !on {
		return palette{}
	}
	p := palette{
		on:    true,
		names: [10]string{"34", "36", "36", "32", "32", "33", "33", "31", "35", "35"},
		dim:   "2", warn: "33", ok: "32", danger: "31", prompt: "34", own: "1", me: "7", bold: "1", link: "4",
	}
	if strings.Contains(term, "256") || strings.Contains(term, "direct") || colorterm != "" || term == "xterm-kitty" {
		p.names = [10]string{
			"38;5;32", "38;5;31", "38;5;30", "38;5;29", "38;5;64", "38;5;130", "38;5;166", "38;5;131", "38;5;132", "38;5;98",
		}
		p.dim, p.warn, p.ok, p.danger, p.prompt = "38;5;243", "38;5;130", "38;5;28", "38;5;167", "38;5;32"
	}
	return p
}

// set wraps s in a style; s must be clean.
func (p *palette) set(style, s string) string {
	if style == "" || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

// nameHue is the colour of a name, the same as on the page: FNV-1a of its UTF-8 bytes.
func nameHue(name string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return int(h.Sum32() % 10)
}

// wantsColor decides about colour: --color, then NO_COLOR, then CLICOLOR_FORCE, then what the output is.
func wantsColor(o *options, isTerminal bool, getenv func(string) string) bool {
	switch {
	case o.color == "always":
		return true
	case o.color == "never", o.json, getenv("NO_COLOR") != "":
		return false
	case getenv("CLICOLOR_FORCE") != "" && getenv("CLICOLOR_FORCE") != "0":
		return true
	}
	return isTerminal && !o.plain && getenv("TERM") != "dumb"
}
