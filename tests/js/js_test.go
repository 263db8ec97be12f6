// Package js tests the scripts of the page: by Node what needs no page, by a browser what does, and by reading what
// they promise about themselves. Without Node or a browser those tests are skipped; with GOVOR_REQUIRE_BROWSER=1 they
// fail.
package js

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"

	"govor/public"
)

// scripts are the modules by name.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	tree, err := fs.Sub(public.FS(), "js")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(tree, "*.js")
	if err != nil || len(names) == 0 {
		t.Fatalf("Glob = %v, %v", names, err)
	}
	modules := map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(tree, name)
		if err != nil {
			t.Fatal(err)
		}
		modules[name] = string(data)
	}
	return modules
}

// require skips the test, or fails it where everything has to run.
func require(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("GOVOR_REQUIRE_BROWSER") != "" {
		t.Fatalf("%s is required", what)
	}
	t.Skipf("no %s", what)
}

func TestByNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		require(t, "node")
	}
	version, err := exec.Command(node, "--version").Output()
	var major, minor int
	if _, serr := fmt.Sscanf(string(version), "v%d.%d", &major, &minor); err != nil || serr != nil ||
		major < 20 || major == 20 && minor < 19 {
		require(t, "node from 20.19 on") // which takes .js with imports for a module
	}
	files, err := fs.Glob(os.DirFS("."), "*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob = %v, %v", files, err)
	}
	out, err := exec.Command(node, append([]string{"--no-warnings", "--test", "--test-reporter=spec"}, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("node --test: %v\n%s", err, out)
	}
}

func TestHTMLEntersByOneDoor(t *testing.T) {
	door := regexp.MustCompile(`createElement|innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|DOMParser|` +
		`document\.write|setHTML|srcdoc|createPolicy`)
	for name, text := range scripts(t) {
		if name == "fragment.js" {
			if !door.MatchString(text) {
				t.Errorf("%s is the door, and nothing in it is", name)
			}
			continue
		}
		if found := door.FindString(text); found != "" {
			t.Errorf("%s has %s, which is for fragment.js only", name, found)
		}
	}
}

func TestScriptsKeepToTheHouse(t *testing.T) {
	page := regexp.MustCompile(`document\.(querySelector|getElement)`)
	forbidden := regexp.MustCompile(`\beval\(|new Function|setTimeout\(["'` + "`" + `]|console\.|\bvar |from "(?:[^.]|\.\.)`)
	for name, text := range scripts(t) {
		if found := forbidden.FindString(text); found != "" {
			t.Errorf("%s has %q", name, found)
		}
		if found := page.FindString(text); found != "" && name != "app.js" {
			t.Errorf("%s has %s: app.js alone looks for elements in the whole page", name, found)
		}
		if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*\.js$`).MatchString(name) {
			t.Errorf("%s is not kebab-case", name)
		}
		if lines := strings.Count(text, "\n"); lines > maxLines {
			t.Errorf("%s has %d lines, want at most %d", name, lines, maxLines)
		}
	}
}

const (
	maxLines  = 300
	maxZipped = 36 << 10 // bytes of all modules as they are sent; what the first visit takes of them, TestFirstLoadIsLight has
)

func TestScriptsAreSmall(t *testing.T) {
	var sum int
	for name, text := range public.Served() {
		if path.Ext(name) != ".js" {
			continue
		}
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%6d %s", b.Len(), name)
		sum += b.Len()
	}
	t.Logf("%6d together", sum)
	if sum > maxZipped {
		t.Errorf("the scripts have %d bytes zipped, want at most %d", sum, maxZipped)
	}
}
