package public

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"
)

// StyleSheet is the one style sheet that pages link: all of css, in the order of Styles. There is one file for each
// component to read and one for all to load: over HTTP/1.1 two dozen requests before the first letter is drawn take
// longer than everything else.
const StyleSheet = "css/all.css"

// Entry is the one script that pages load. For the same reason it has in it whatever it imports at once; what is
// imported when it is needed are files of their own.
const Entry = "js/app.js"

// Styles are the files of css, in the order in which StyleSheet has them. The order counts within a layer.
var Styles = []string{
	"layers", "reset", "tokens", "base", "room", "icons", "hue", "button", "field", "login", "copy", "account", "header", "menu", "themes", "banner", "log",
	"message", "message-phone", "tools", "dialog", "completion", "prose", "system", "jump", "composer", "people", "rooms",
	"all-rooms", "error", "hosts", "help", "one", "touch", "utilities",
}

// Served are the files as browsers get them, by path: scripts and styles joined, and without what only their readers
// need. Names of functions, classes and members stay, so that an error in somebody's console can be understood. The map
// is shared: nobody changes it.
func Served() map[string][]byte { return served() }

var served = sync.OnceValue(func() map[string][]byte {
	files, err := serve(Files)
	if err != nil {
		panic("prepare the embedded files: " + err.Error()) // a test would have met it
	}
	return files
})

func serve(tree fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(tree, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	var sheets [][]byte
	for _, name := range Styles {
		file := "css/" + name + ".css"
		sheets = append(sheets, files[file])
		delete(files, file)
	}
	files[StyleSheet] = bytes.Join(sheets, []byte("\n"))
	if err := joinScripts(files); err != nil {
		return nil, err
	}
	m := minify.New()
	m.Add(".css", &css.Minifier{})
	m.Add(".js", &js.Minifier{KeepVarNames: true})
	for name, data := range files {
		if kind := path.Ext(name); kind == ".css" || kind == ".js" {
			if files[name], err = m.Bytes(kind, data); err != nil {
				return nil, fmt.Errorf("shorten %s: %w", name, err)
			}
		}
	}
	return files, nil
}
