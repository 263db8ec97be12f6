package public

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A style sheet that is not in Styles is never loaded.
func TestStylesAreAllServed(t *testing.T) {
	files, err := fs.Glob(Files, "css/*.css")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, file := range files {
		have = append(have, strings.TrimSuffix(path.Base(file), ".css"))
	}
	slices.Sort(have)
	if want := slices.Sorted(slices.Values(Styles)); !slices.Equal(have, want) {
		t.Errorf("css has %v, Styles has %v", have, want)
	}
	if Styles[0] != "layers" {
		t.Errorf("the first style is %s, but layers says in which order the others count", Styles[0])
	}
	for name := range Served() {
		if path.Dir(name) == "css" && name != StyleSheet {
			t.Errorf("%s is served, but not a part of %s", name, StyleSheet)
		}
	}
}

func TestServedIsShorterAndWhole(t *testing.T) {
	sheet := string(Served()[StyleSheet])
	for name, css := range styles(t) {
		for _, m := range declared.FindAllStringSubmatch(css, -1) {
			if !strings.Contains(sheet, m[1]+":") {
				t.Errorf("%s is in %s, but not in what is served", m[1], name)
			}
		}
	}
	if strings.Count(sheet, "{") != strings.Count(sheet, "}") {
		t.Error("braces do not pair in what is served")
	}
	for name, data := range Served() {
		if ext := path.Ext(name); (ext == ".js" || ext == ".css") && strings.Contains(string(data), "/**") {
			t.Errorf("%s is served with its comments", name)
		}
	}
	read, sent := 0, 0
	for _, name := range scripts(t) {
		data, err := fs.ReadFile(Files, name)
		if err != nil {
			t.Fatal(err)
		}
		read += len(data)
	}
	for name, data := range Served() {
		if path.Ext(name) == ".js" {
			sent += len(data)
		}
	}
	if sent < read/4 || sent > read*3/4 {
		t.Errorf("scripts have %d bytes, served %d", read, sent)
	}
}

func scripts(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(Files, "js/*.js")
	if err != nil || len(names) == 0 {
		t.Fatalf("scripts: %v, %v", names, err)
	}
	return names
}

var (
	imported = regexp.MustCompile(`(?:from|import)\s*"\./([^"]+)"`)
	later    = regexp.MustCompile(`\bimport\("\./([^"]+)"\)`)
)

// Whatever a script imports is there, a page names what is imported at once, and files have names that stay.
func TestScriptsFindWhatTheyImport(t *testing.T) {
	found := map[string]bool{Entry: true}
	for name, data := range Served() {
		if path.Ext(name) != ".js" {
			continue
		}
		for _, m := range imported.FindAllSubmatch(data, -1) {
			file := "js/" + string(m[1])
			found[file] = true
			if Served()[file] == nil {
				t.Errorf("%s imports %s, which is not served", name, file)
			}
			if name == Entry {
				t.Errorf("%s is not joined", file)
			}
		}
		for _, m := range later.FindAllSubmatch(data, -1) {
			file := "js/" + string(m[1])
			found[file] = true
			if Served()[file] == nil || !slices.Contains(scripts(t), file) {
				t.Errorf("%s imports %s, which is not served, or not under the name of its module", name, file)
			}
		}
	}
	for name := range Served() {
		if path.Ext(name) == ".js" && !found[name] {
			t.Errorf("nothing imports %s", name)
		}
	}
}

func TestJoinedScripts(t *testing.T) {
	const app = `import { a, b as c } from "./one.js";
import { d } from "./two.js";
const same = a + c() + d;
console.log(same, () => import("./late.js"));
`
	tree := map[string][]byte{
		Entry:        []byte(app),
		"js/one.js":  []byte("import { d } from \"./two.js\";\nconst same = 1;\nexport const a = same;\nexport function b() { return d; }\n"),
		"js/two.js":  []byte("export const d = \"import\";\nexport class E {}\n"),
		"js/late.js": []byte("import { E as F } from \"./two.js\";\nimport { g } from \"./apart.js\";\nnew F(g);\n"),
	}
	tree["js/apart.js"] = []byte("export const g = 1;\n")
	if err := joinScripts(tree); err != nil {
		t.Fatal(err)
	}
	want := `const module_two = (() => {
const d = "import";
class E {}

return { d, E };
})();
const module_one = (() => {
const { d } = module_two;
const same = 1;
const a = same;
function b() { return d; }

return { a, b };
})();
const module_app = (() => {
const { a, b: c } = module_one;
const { d } = module_two;
const same = a + c() + d;
console.log(same, () => import("./late.js"));

return {  };
})();
export const { d, E } = module_two;
`
	if got := string(tree[Entry]); got != want {
		t.Errorf("joined:\n%s\nwant:\n%s", got, want)
	}
	if got, want := string(tree["js/late.js"]), "import { E as F } from \"./app.js\";\nimport { g } from \"./apart.js\";\nnew F(g);\n"; got != want {
		t.Errorf("what is loaded later: %q, want %q", got, want)
	}
	if got := slices.Sorted(maps.Keys(tree)); !slices.Equal(got, []string{"js/apart.js", "js/app.js", "js/late.js"}) {
		t.Errorf("served: %q", got)
	}
}

func TestScriptsThatCannotBeJoined(t *testing.T) {
	for text, want := range map[string]string{
		`import all from "./one.js";`:             "cannot be joined",
		`import { a } from "../one.js";`:          "cannot be joined",
		`export default 1;`:                       "cannot be joined",
		`export let a = 1;`:                       "cannot be joined",
		`export { a };`:                           "cannot be joined",
		"import {\n a } from \"./one.js\";\na();": "", // over several lines is fine
		`import { a } from "./none.js";`:          "none.js, which js/app.js imports, is not there",
		`import { a } from "./circle.js";`:        "imports itself",
		"const text = `\nimport me\n`;":           "cannot be joined", // rather than be wrong
		`import { a } from "./one.js"; a();`:      "cannot be joined",
	} {
		err := joinScripts(map[string][]byte{
			Entry: []byte(text), "js/one.js": []byte("export const a = 1;"), "js/circle.js": []byte("import { b } from \"./app.js\";\nexport const a = b;"),
		})
		if want == "" && err == nil || want != "" && err != nil && strings.Contains(err.Error(), want) {
			continue
		}
		t.Errorf("%s: %v, want %q", text, err, want)
	}
}

func BenchmarkServe(b *testing.B) {
	for b.Loop() {
		if _, err := serve(Files); err != nil {
			b.Fatal(err)
		}
	}
}
