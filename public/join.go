package public

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Of all that modules of ECMAScript can do ours use two lines: these. Anything else is an error, see join.
var (
	importLine = regexp.MustCompile(`(?m)^import \{([^}]*)\} from "\./([a-z0-9-]+\.js)";$`)
	exportLine = regexp.MustCompile(`(?m)^export ((?:async )?function|class|const) (\w+)`)
	otherLine  = regexp.MustCompile(`(?m)^(?:import|export)\b.*$`)
)

// joinScripts puts every module that Entry imports at once into it, and has the others, which are imported when they
// are needed, take from it what they share with it. Modules that import each other in a circle are an error.
func joinScripts(files map[string][]byte) error {
	j := joiner{files: files, exports: map[string][]string{}, shared: map[string]bool{}}
	if err := j.add(Entry, nil); err != nil {
		return fmt.Errorf("join the scripts: %w", err)
	}
	for name := range files {
		if path.Ext(name) == ".js" && !slices.Contains(j.order, name) {
			files[name] = importLine.ReplaceAllFunc(files[name], j.redirect)
		}
	}
	text := j.text.String()
	for _, name := range slices.Sorted(maps.Keys(j.shared)) {
		text += fmt.Sprintf("export const { %s } = %s;\n", strings.Join(j.exports[name], ", "), variable(name))
	}
	for _, name := range j.order {
		delete(files, name)
	}
	files[Entry] = []byte(text)
	return nil
}

type joiner struct {
	files   map[string][]byte
	order   []string            // what is joined already, each after what it imports
	exports map[string][]string // by module
	shared  map[string]bool     // modules of order that others import, too
	text    strings.Builder
}

// variable is where the exports of a module are kept.
func variable(module string) string {
	return "module_" + strings.NewReplacer("-", "_", ".js", "").Replace(path.Base(module))
}

// add joins module after whatever it imports: as a function that runs at once, so that its names are its own. above are
// the modules that wait for it.
func (j *joiner) add(module string, above []string) error {
	if slices.Contains(j.order, module) {
		return nil
	}
	if slices.Contains(above, module) {
		return fmt.Errorf("%s imports itself, by way of %v", module, above)
	}
	text, ok := j.files[module]
	if !ok {
		return fmt.Errorf("%s, which %s imports, is not there", module, above[len(above)-1])
	}
	above = append(above, module)
	for _, m := range importLine.FindAllSubmatch(text, -1) {
		if err := j.add("js/"+string(m[2]), above); err != nil {
			return err
		}
	}
	var names []string
	for _, m := range exportLine.FindAllSubmatch(text, -1) {
		names = append(names, string(m[2]))
	}
	body := importLine.ReplaceAllStringFunc(string(text), func(line string) string {
		m := importLine.FindStringSubmatch(line)
		return fmt.Sprintf("const {%s} = %s;", strings.ReplaceAll(m[1], " as ", ": "), variable(m[2]))
	})
	body = exportLine.ReplaceAllString(body, "$1 $2")
	if line := otherLine.FindString(body); line != "" {
		return fmt.Errorf("%s: %q is a line that cannot be joined", module, line)
	}
	fmt.Fprintf(&j.text, "const %s = (() => {\n%s\nreturn { %s };\n})();\n", variable(module), body, strings.Join(names, ", "))
	j.order = append(j.order, module)
	j.exports[module] = names
	return nil
}

// redirect has a line that imports a joined module import it from Entry.
func (j *joiner) redirect(line []byte) []byte {
	m := importLine.FindSubmatch(line)
	module := "js/" + string(m[2])
	if !slices.Contains(j.order, module) {
		return line
	}
	j.shared[module] = true
	return fmt.Appendf(nil, "import {%s} from \"./%s\";", m[1], path.Base(Entry))
}
