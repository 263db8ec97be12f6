package public

import (
	"io/fs"
	"path"
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
		if original, err := fs.ReadFile(Files, name); err == nil && len(data) > len(original) {
			t.Errorf("%s has %d bytes, served %d", name, len(original), len(data))
		}
	}
}

func BenchmarkServe(b *testing.B) {
	for b.Loop() {
		if _, err := serve(Files); err != nil {
			b.Fatal(err)
		}
	}
}
