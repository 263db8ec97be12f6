package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/dependencies.md lists what go.mod requires, each with a licence and a reason, and tells what is in the program from
// what only tests need.
func TestDependenciesAreListed(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var required []string
	for _, m := range regexp.MustCompile(`(?m)^\s+(\S+\.\S+/\S+|\S+\.\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1) {
		required = append(required, m[1])
	}
	page, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	program, tests, ok := strings.Cut(string(page), "## In tests only")
	if !ok || len(required) < 20 {
		t.Fatalf("the page has no part for tests, or go.mod was read wrongly: %d modules", len(required))
	}
	out, err := exec.Command("go", "list", "-deps", "-f", `{{with .Module}}{{if .Main}}{{join $.Imports " "}}{{end}}{{end}}`, ".", "./client").Output()
	if err != nil {
		t.Fatal(err)
	}
	imported := func(module string) bool {
		return slices.ContainsFunc(strings.Fields(string(out)), func(path string) bool {
			return path == module || strings.HasPrefix(path, module+"/")
		})
	}
	row := regexp.MustCompile(`(?m)^\| (\S+\.\S+) \| (MIT|ISC|Apache-2\.0|BSD-[23]-Clause|MPL-2\.0) \| [^|]{5,} \| [^|]{5,} \|$`)
	var listed []string
	for _, part := range []struct {
		text      string
		inProgram bool
	}{{program, true}, {tests, false}} {
		for _, m := range row.FindAllStringSubmatch(part.text, -1) {
			listed = append(listed, m[1])
			if imported(m[1]) != part.inProgram {
				t.Errorf("%s stands in the wrong part of docs/dependencies.md", m[1])
			}
		}
	}
	slices.Sort(required)
	slices.Sort(listed)
	if !slices.Equal(required, listed) {
		t.Errorf("go.mod requires\n%q, docs/dependencies.md lists\n%q", required, listed)
	}
}
