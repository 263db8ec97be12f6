package views

import (
	"fmt"
	"html/template"
	"runtime"
	"strings"
	"testing"
	"time"
)

const a = ` rel="noopener nofollow ugc" target="_blank">`

func TestMarkdown(t *testing.T) {
	m := newMarkdown(markdownCacheBytes)
	for text, want := range map[string]string{
		"привет":                            "<p>привет</p>",
		"два\nслова":                        "<p>два<br>\nслова</p>",
		"**b** *i* _i_ ~~s~~ `c<d`":         "<p><strong>b</strong> <em>i</em> <em>i</em> <del>s</del> <code>c&lt;d</code></p>",
		"> цитата\n\nответ":                 "<blockquote>\n<p>цитата</p>\n</blockquote>\n<p>ответ</p>",
		"5. пять\n6. шесть":                 "<ol start=\"5\">\n<li>пять</li>\n<li>шесть</li>\n</ol>",
		"- один\n- два":                     "<ul>\n<li>один</li>\n<li>два</li>\n</ul>",
		"```go\nif a < b {}\n```":           "<pre tabindex=\"0\"><code>if a &lt; b {}\n</code></pre>",
		"# не заголовок":                    "<p># не заголовок</p>",
		"текст\n===":                        "<p>текст<br>\n===</p>",
		"---":                               "<p>---</p>",
		"    код":                           "<pre tabindex=\"0\"><code>код\n</code></pre>",
		"```привет, мир\nx":                 "<pre tabindex=\"0\"><code>привет, мир\nx\n</code></pre>",
		"~~~go":                             "<pre tabindex=\"0\"><code>go\n</code></pre>",
		"[имя]: /url":                       "<p>[имя]: /url</p>",
		"<b>не HTML</b>":                    "<p>&lt;b&gt;не HTML&lt;/b&gt;</p>",
		"a & b &lt; c":                      "<p>a &amp; b &lt; c</p>",
		"[сайт](https://a.example)":         `<p><a href="https://a.example"` + a + `сайт</a></p>`,
		"![x](https://a.example/p)":         `<p><a href="https://a.example/p"` + a + `x</a></p>`,
		"[x](javascript:1)":                 "<p>x</p>",
		"[x](/r/lobby)":                     "<p>x</p>",
		"см. https://a.example/b?c=d&e, да": `<p>см. <a href="https://a.example/b?c=d&amp;e"` + a + `https://a.example/b?c=d&amp;e</a>, да</p>`,
		"http://192.168.1.20:8000":          `<p><a href="http://192.168.1.20:8000"` + a + `http://192.168.1.20:8000</a></p>`,
		"http://localhost:8000/r/x.":        `<p><a href="http://localhost:8000/r/x"` + a + `http://localhost:8000/r/x</a>.</p>`,
		"«https://a.example/»":              `<p>«https://a.example/»</p>`,
		"(https://a.example/(b))":           `<p>(<a href="https://a.example/(b)"` + a + `https://a.example/(b)</a>)</p>`,
		"https://ru.wikipedia.org/wiki/Москва": `<p><a href="https://ru.wikipedia.org/wiki/%D0%9C%D0%BE%D1%81%D0%BA%D0%B2%D0%B0"` + a +
			`https://ru.wikipedia.org/wiki/Москва</a></p>`,
		"ftp://a.example mail@a.example":   "<p>ftp://a.example mail@a.example</p>",
		"<mail@a.example>":                 "<p>mail@a.example</p>",
		"http://bank.example@evil.example": `<p><a href="http://bank.example"` + a + `http://bank.example</a>@evil.example</p>`,
	} {
		if got := string(m.render(text, "")); got != want {
			t.Errorf("render(%q) =\n%s, want\n%s", text, got, want)
		}
	}
}

// Whatever stands before a word, the word is shown. With the race detector, every 31st of the texts is tried: it finds
// nothing in a function without state.
func TestNothingIsDropped(t *testing.T) {
	m := newMarkdown(0)
	starts := []string{"", " ", "  ", "    ", "\t", "> ", ">", "- ", "-\t", "* ", "1. ", "12) ", "# ", "---", "```", "~~~", "===", "|", "+", "+ ", "a\n", "\n", "\\"}
	ends := []string{"", "\n", "\n===", "\n---", "\n    ", "\n```"}
	n, step := len(starts), 1
	if raceEnabled {
		step = 31
	}
	for i := 0; i < n*n*n*len(ends); i += step {
		text := starts[i%n] + starts[i/n%n] + starts[i/n/n%n] + "слово" + ends[i/n/n/n]
		if got := string(m.render(text, "")); !strings.Contains(got, "слово") {
			t.Errorf("render(%q) = %q", text, got)
		}
	}
}

// What would take the parser long is shown as it was typed.
func TestWildTextStaysAsItIs(t *testing.T) {
	m := newMarkdown(markdownCacheBytes)
	for name, text := range map[string]string{
		"quotes": strings.Repeat("> ", maxNesting+1) + "x",
		"lists":  strings.Repeat("- ", maxNesting+1) + "x",
		"mixed":  strings.Repeat("> - ", maxNesting/2) + "1. x",
		"deep":   strings.Repeat("  ", 2*maxNesting) + "- x",
		"stars":  strings.Repeat("*a_ ", maxDelimiters),
		"links":  strings.Repeat("[a](", maxDelimiters),
		"lines":  strings.Repeat("a\n", maxLines),
	} {
		if got, want := m.render(text, ""), plainHTML(text); got != want {
			t.Errorf("%s: %.200s", name, got)
		}
	}
	for name, text := range map[string]string{
		"nested":      strings.Repeat("> ", maxNesting) + "x",
		"code":        "```\n" + strings.Repeat("a[i] = *(b_c)\n", 200) + "```\n**b**",
		"tilde code":  "~~~\n" + strings.Repeat("[][][]\n", 200) + "~~~\n**b**",
		"long prose":  strings.Repeat("Слово (да), слово. ", 90),
		"open fence":  "```\n" + strings.Repeat("a[i]\n", 300),
		"inner ticks": "````\n```\n" + strings.Repeat("[](\n", 300) + "````",
	} {
		if wild(text) {
			t.Errorf("%s is taken for wild", name)
		}
	}
	// What only looks like a fence must not hide what follows from the count.
	for name, text := range map[string]string{
		"in a list":  "- a\n  ```\nb\n" + strings.Repeat("[a](", 300),
		"with ticks": "``` `\n" + strings.Repeat("[a](", 300),
		"closed":     "```\n```\n" + strings.Repeat("[a](", 300),
		"reopened":   "```\n``\n```\n" + strings.Repeat("[a](", 300),
	} {
		if !wild(text) {
			t.Errorf("%s hides what follows", name)
		}
	}
}

// hard are texts of 8,000 characters that parsers of Markdown are slow with.
func hard() map[string]string {
	const n = 8000
	full := func(s string) string { return string([]rune(strings.Repeat(s, n/len([]rune(s))+1))[:n]) }
	texts := map[string]string{"no space": full("ж"), "list and code": "- a\n  ```\n" + full("[a](")[:n-20]}
	for _, s := range []string{
		"[a](", "[", "]", "![", "[a][", "> ", ">", "> > - ", "*a_ ", "**a ", "*", "_", "~", "a_", "`", "` ``", "``` ", "```\n", "~~~\n", "- ", "- \n",
		"* a\n", "1. ", "1) a\n", "  - a\n", "\n", "a\n", "a\n\n", ">\n", "> a\n", "> a\n\n", "<", "<a", "<https://a.b>", "https://a.b ",
		"www.a.b ", "http://", "http://a(", "a@b.c ", "&", "&amp;", "\\", "\\*", "(", ")", "((", "\t", " ", "-\t", "# ", "|a", "🎉", "\u0301",
		"http://a.b/(((", "[a](http://b.c)\n", "`a` ", "**a**", "~~a~~ ", "***a", "[](", "]()", "\x00", "<!--", "a  \n", "\u202e",
	} {
		texts[fmt.Sprintf("%q", s)] = full(s)
	}
	for _, k := range []int{3, 10, 33, 80} { // close to the bounds, with long stretches between
		gap := strings.Repeat("a ", n/2/k)
		for _, s := range []string{"[", "*", "`", "<", "~~", "[a](", "**", "_a", "](", "![", "(", "https://"} {
			texts[fmt.Sprintf("%q each %d", s, len(gap))] = string([]rune(strings.Repeat(s+gap, k))[:min(n, k*(len(s)+len(gap)))])
		}
	}
	nested := ""
	for i := range 8 {
		nested += strings.Repeat("  ", i) + "- " + strings.Repeat("a ", 400) + "\n"
	}
	texts["nested lists"] = nested
	ticks := ""
	for i := 1; len(ticks) < n && strings.Count(ticks, "`")+i < maxDelimiters; i++ {
		ticks += strings.Repeat("`", i) + strings.Repeat(" x", 200)
	}
	texts["runs of ticks"] = ticks
	return texts
}

// A hard text costs at most so many times what ordinary prose of its length does; what grows with the square of the
// length costs twenty to eighty times as much. It is the ratio of processor times of one thread, so that neither the machine
// nor what else runs on it matters.
func TestHardTextsAreQuick(t *testing.T) {
	const limit = 12
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m := newMarkdown(0) // keeps nothing
	cost := func(text string, enough time.Duration) time.Duration {
		best := time.Hour
		for range 15 {
			start := threadTime()
			m.render(text, "")
			if best = min(best, threadTime()-start); best < enough {
				break
			}
		}
		return best
	}
	prose := string([]rune(strings.Repeat("Слово за словом, и ни одного знака. ", 300))[:8000])
	plain := cost(prose, 0)
	worst := ""
	highest := time.Duration(0)
	for name, text := range hard() {
		took := cost(text, 2*plain)
		if took > limit*plain {
			t.Errorf("%s takes %s, %.1f times as long as prose, want at most %d", name, took, float64(took)/float64(plain), limit)
		}
		if took > highest {
			highest, worst = took, name
		}
	}
	t.Logf("prose takes %s, the hardest, %s, %.1f times as long", plain, worst, float64(highest)/float64(plain))
}

func TestPrerenderIsRemembered(t *testing.T) {
	v := newViews(t)
	v.Prerender("**да**", "")
	if h, ok := v.markdown.kept.get("**да**"); !ok || h.html != template.HTML("<p><strong>да</strong></p>") {
		t.Errorf("after Prerender the cache has %q, %v", h, ok)
	}
}

func FuzzMarkdownIsSafe(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	m := newMarkdown(0)
	f.Fuzz(func(t *testing.T, s string) {
		checkBody(t, string(m.render(s, "")))
	})
}
