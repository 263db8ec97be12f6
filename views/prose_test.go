package views

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

func hasCyrillic(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
}

// The program speaks Russian by the locale files only. The console client is a program of its own, with words of its own;
// code that compares letters may name them one by one.
func TestCodeHasNoRussianWords(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "client" || d.Name() == "tests" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != ".."):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		if filepath.ToSlash(path) == "../hub/protocol/names.go" { // names that nobody may take
			return nil
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && russianWord.MatchString(s) {
					t.Errorf("%s says %.60q", path, s)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || files < 50 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// russianWord is three Cyrillic letters together with two different ones among them.
var russianWord = regexp.MustCompile(`[а-яё]{3,}[ ,.!?»…]|^[А-ЯЁ]?[а-яё]{3,}$`)

var (
	scriptComment = regexp.MustCompile(`(?s)/\*.*?\*/|(?m)(?:^|\s)//.*$`)
	scriptError   = regexp.MustCompile(`(?s)Error\([^)]*\)`)
	scriptText    = regexp.MustCompile("\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`")
	prose         = regexp.MustCompile(`^[\p{L}][\p{L}'’-]* [\p{L}'’-]+[\p{L} ,.!?…'’-]*$`)
)

// Scripts speak by #words. What they say to developers, in errors, is English.
func TestScriptsHaveNoWords(t *testing.T) {
	files, err := filepath.Glob("../public/js/*.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	texts := 0
	for _, file := range files {
		source := scriptError.ReplaceAllString(scriptComment.ReplaceAllString(read(t, file), ""), "")
		if hasCyrillic(source) {
			t.Errorf("%s has Cyrillic letters", file)
		}
		for _, text := range scriptText.FindAllString(source, -1) {
			texts++
			if s := text[1 : len(text)-1]; prose.MatchString(s) && !notWords[s] {
				t.Errorf("%s says %s", file, text)
			}
		}
	}
	if texts < 100 {
		t.Errorf("only %d texts were looked at", texts)
	}
}

// notWords look like words and are none: they are compared, never shown.
var notWords = map[string]bool{
	"logged out": true, // the reason of a close frame
	"light dark": true, // of <meta name="color-scheme">
	"not all":    true, // a medium
	"use strict": true,
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
