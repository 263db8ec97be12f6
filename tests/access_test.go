package tests

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axeSource is axe-core, which finds what people with a screen reader or weak eyes would stumble over.
func axeSource(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("js", "node_modules", "axe-core", "axe.min.js"))
	if err == nil {
		return string(data)
	}
	if os.Getenv("GOVOR_REQUIRE_BROWSER") == "1" {
		t.Fatalf("GOVOR_REQUIRE_BROWSER=1, and axe-core is not installed (make axe): %v", err)
	}
	t.Skip("skipped: axe-core is not installed (make axe)")
	return ""
}

// runAxe returns what axe finds in the page as it is.
const runAxe = `axe.run(document.querySelector(%s), {resultTypes: ["violations"], runOnly: %s}).then((r) => JSON.stringify(r.violations.map((v) =>
	v.id + ": " + v.help + "\n" + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + " " + n.any.concat(n.all, n.none).map((c) => c.message).join("; ")).join("\n"))))`

// Nothing is in the way of anybody, whatever the page looks like: each state, language, theme, on a desk and on a phone.
func TestBrowserEveryStateIsAccessible(t *testing.T) {
	t.Parallel()
	source := axeSource(t)
	b := openBrowser(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			eachState(t, b, lang, func(w *walk, st state) {
				began := time.Now()
				if !eval[bool](w.p, `"axe" in window`) {
					w.p.do(chromedp.Evaluate[chromedp.Void](source))
				}
				for _, width := range []int64{1440, 360} {
					w.p.do(chromedp.EmulateViewport(width, 900))
					for _, theme := range []string{"light", "dark"} {
						w.p.theme(theme)
						w.p.still()
						w.picture(st.name, width, theme)
						for _, violation := range w.axe(parts[st.name], theme == "dark") {
							t.Errorf("%s, %d px, %s: %s", st.name, width, theme, violation)
						}
					}
				}
				w.p.media("forced-colors", "active")
				if gone := eval[string](w.p, unseenInForcedColours); gone != "" {
					t.Errorf("%s, with forced colours: nobody sees\n%s", st.name, gone)
				}
				w.p.theme("light")
				w.finger(st.name)
				t.Logf("%s: %v", st.name, time.Since(began).Round(time.Millisecond))
			})
		})
	}
}

// picture keeps what the page looks like in the directory GOVOR_STATES_DIR, to be looked at beside the others.
func (w *walk) picture(name string, width int64, theme string) {
	w.t.Helper()
	dir := os.Getenv("GOVOR_STATES_DIR")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(w.p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.t.Fatal(err)
	}
	file := fmt.Sprintf("%s-%d-%s-%s.png", strings.ReplaceAll(name, " ", "-"), width, theme, w.lang)
	if err := os.WriteFile(filepath.Join(dir, file), png, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// axe returns what axe-core finds in a part of the page ("" is all of it), or only what it says of colours: the rest does
// not depend on the theme.
func (w *walk) axe(part string, colours bool) []string {
	w.t.Helper()
	rules := `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`
	if colours {
		rules = `["color-contrast"]`
	}
	found, err := chromedp.Run(w.p.ctx, chromedp.Evaluate[string](fmt.Sprintf(runAxe, quote(cmp.Or(part, "html")), rules), chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("run axe: %v", err)
	}
	var violations []string
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		w.t.Fatal(err)
	}
	return violations
}

// theme is what the system of the person says.
func (p *person) theme(name string) {
	p.t.Helper()
	p.media("prefers-color-scheme", name)
}

// media sets one feature of the medium, with nothing moving.
func (p *person) media(name, value string) {
	p.t.Helper()
	p.call(browserCall(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: name, Value: value}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	}))
}

// still waits until the page is drawn as it will stay.
func (p *person) still() {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`, chromedp.EvalAwaitPromise))
}

// smallTargets lists what a finger could miss: everything that one can press has 44 px both ways, counting what reacts
// around it. Links within a text are exempt, as everywhere. It looks in one part of the page.
const smallTargets = `(() => {
	const small = [];
	const all = "a[href], button, input:not([type=hidden]), textarea, select, summary, [role=button], [role=option], [role=menuitem]";
	for (const target of document.querySelector(%s).querySelectorAll(all)) {
		if (!target.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
		if (target.closest(".prose, [aria-hidden=true], .skip") || target.matches(":disabled")) continue;
		target.scrollIntoView({block: "center", inline: "nearest", behavior: "instant"});
		const box = target.getBoundingClientRect();
		if (!box.width || !box.height) continue;
		const x = box.x + box.width / 2, y = box.y + box.height / 2;
		const hit = (dx, dy) => {
			const there = document.elementFromPoint(x + dx, y + dy);
			return there && (target.contains(there) || there.closest("label")?.control === target);
		};
		if (!hit(0, 0)) continue; // something lies above it
		const reach = (dx, dy) => { let n = 0; while (n < 44 && hit(dx * (n + 1), dy * (n + 1))) n++; return n; };
		const wide = reach(-1, 0) + reach(1, 0) + 1, high = reach(0, -1) + reach(0, 1) + 1;
		if (Math.max(wide, box.width) < 43.5 || Math.max(high, box.height) < 43.5) {
			small.push(target.outerHTML.slice(0, 120) + " " + wide + "×" + high);
		}
	}
	return small.join("\n");
})()`

// tooWide names what is wider than the screen, "" if nothing is.
const tooWide = `(() => {
	const over = document.documentElement.scrollWidth - innerWidth;
	if (over <= 0) return "";
	const wide = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1);
	return over + " px: " + wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 100)).join("\n");
})()`

// cutHints names the fields whose placeholder is longer than they are, "" if there is none.
const cutHints = `[...document.querySelectorAll("[placeholder]")].filter((field) => {
	if (!field.checkVisibility() || !field.clientWidth) return false;
	const style = getComputedStyle(field), pen = document.createElement("canvas").getContext("2d");
	pen.font = style.font;
	return pen.measureText(field.placeholder).width > field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
}).map((field) => field.placeholder).join("\n")`

// badlySet names what nobody would print: words of a button that are torn apart, letters at the edge of the screen, and
// texts that are cut off.
const badlySet = `(() => {
	const clips = (e) => { // the box in which a text disappears without a sign that it goes on
		for (; e; e = e.parentElement) {
			const {overflowX, textOverflow} = getComputedStyle(e);
			if (textOverflow === "ellipsis" || ["auto", "scroll"].includes(overflowX)) return null;
			if (overflowX !== "visible" && e !== document.body) return e.getBoundingClientRect();
		}
		return null;
	};
	const bad = [], range = document.createRange(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let text; (text = walker.nextNode()); ) {
		const holder = text.parentElement;
		if (!text.data.trim() || holder.offsetWidth < 2 || holder.closest("pre, .visually-hidden, .skip, template") || !holder.checkVisibility({visibilityProperty: true})) continue;
		const [from, to] = [text.data.search(/\S/), text.data.trimEnd().length];
		range.setStart(text, from);
		range.setEnd(text, to);
		const boxes = [...range.getClientRects()].filter((box) => box.width > 1);
		if (boxes.some((box) => (box.left >= 0 && box.left < 4) || (box.right <= innerWidth && box.right > innerWidth - 4))) bad.push("at the edge: " + text.data.trim());
		const clip = clips(holder);
		if (clip && boxes.some((box) => box.left < clip.right && box.right > clip.right + 1)) bad.push("cut off: " + text.data.trim());
		if (!holder.closest("button, .button, .menu, label")) continue;
		for (const word of text.data.matchAll(/\S+/g)) {
			range.setStart(text, word.index);
			range.setEnd(text, word.index + word[0].length);
			const lines = new Set([...range.getClientRects()].filter((box) => box.width > 1).map((box) => box.top));
			if (lines.size > 1 && word[0].length < 20) bad.push("torn apart: " + word[0]);
		}
	}
	return bad.slice(0, 3).join("\n");
})()`

// finger looks at the page as it is on the smallest phone, which is also how it is at 400 % on a desk.
func (w *walk) finger(name string) {
	w.t.Helper()
	w.p.do(chromedp.EmulateViewport(320, 640, chromedp.EmulateMobile, chromedp.EmulateTouch))
	w.p.still()
	if !eval[bool](w.p, `matchMedia("(pointer: coarse)").matches`) {
		w.t.Fatal("no finger is emulated")
	}
	if wide := eval[string](w.p, tooWide); wide != "" {
		w.t.Errorf("%s: wider than 320 px by %s", name, wide)
	}
	if bad := eval[string](w.p, badlySet); bad != "" {
		w.t.Errorf("%s: %s", name, bad)
	}
	if cut := eval[string](w.p, cutHints); cut != "" {
		w.t.Errorf("%s: a placeholder is cut: %s", name, cut)
	}
	if small := eval[string](w.p, fmt.Sprintf(smallTargets, quote(cmp.Or(parts[name], "html")))); small != "" {
		w.t.Errorf("%s: too small for a finger:\n%s", name, small)
	}
}
