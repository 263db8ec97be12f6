package terminal

import (
	"errors"
	"strings"
	"testing"

	"govor/hub/protocol"
)

func TestOptions(t *testing.T) {
	env := map[string]string{}
	getenv := func(key string) string { return env[key] }
	parse := func(args ...string) (options, error) { return parseOptions(args, &english, getenv) }

	o, err := parse("Иван")
	if err != nil || o.name != "Иван" || o.room != "lobby" || o.server.String() != defaultServer || o.timeout != defaultTimeout ||
		o.history != -1 || !o.historyFile || o.timeoutSet {
		t.Errorf("defaults: %+v, %v", o, err)
	}
	env["GOVOR_SERVER"], env["GOVOR_NAME"], env["GOVOR_ROOM"] = "wss://Chat.Example/", "Анна", "Планы"
	o, err = parse("--timeout", "0", "--no-history-file")
	if err != nil || o.name != "Анна" || o.room != "планы" || o.server.String() != "https://chat.example" || !o.timeoutSet || o.historyFile {
		t.Errorf("environment: %+v, %v", o, err)
	}
	o, err = parse("-s", "host:1", "-r", "b", "--json", "Пётр")
	if err != nil || o.name != "Пётр" || o.room != "b" || o.server.String() != "http://host:1" || !o.json {
		t.Errorf("flags over environment: %+v, %v", o, err)
	}
	clear(env)
	for _, args := range [][]string{
		{},
		{"a", "b"},
		{"-n", "a", "b"},
		{"a", "--nonsense"},
		{"a", "-s", "ftp://x"},
		{"a", "-s", "http://"},
		{"a", "-s", "http://u:p@h"},
		{"a", "-r", "a b"},
		{"a", "--color", "blue"},
		{"a", "--history", "-2"},
		{"a", "--history", "1001"},
		{"a", "--timeout", "-1s"},
	} {
		var usage *usageError
		if _, err := parse(args...); !errors.As(err, &usage) {
			t.Errorf("parse(%q): %v, want a usage error", args, err)
		}
	}
	var name *nameError
	if _, err := parse("a:b"); !errors.As(err, &name) {
		t.Errorf("a bad name: %v", err)
	}
	if o, err := parse("admin"); err != nil || o.name != "admin" {
		t.Errorf("a reserved name is the server's to change: %v, %v", o.name, err)
	}
}

func TestSocketURL(t *testing.T) {
	for in, want := range map[string]string{
		"localhost:8000":              "ws://localhost:8000/ws?name=%D0%AF&room=lobby",
		"https://chat.example":        "wss://chat.example/ws?name=%D0%AF&room=lobby",
		"ws://h/ws":                   "ws://h/ws?name=%D0%AF&room=lobby",
		"https://h/govor/":            "wss://h/govor/ws?name=%D0%AF&room=lobby",
		"http://[::1]:8000/?x=1#frag": "ws://[::1]:8000/ws?name=%D0%AF&room=lobby",
	} {
		u, err := parseServer(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
		} else if got := socketURL(u, "lobby", "Я"); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLanguageAndColor(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want *words
	}{
		{map[string]string{"LANG": "ru_RU.UTF-8"}, &russian},
		{map[string]string{"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}, &english},
		{map[string]string{"LANG": "C", "GOVOR_LANG": "ru"}, &russian},
		{nil, &english},
	} {
		if got := chooseWords(func(k string) string { return test.env[k] }); got != test.want {
			t.Errorf("%v: the wrong language", test.env)
		}
	}
	for _, test := range []struct {
		color    string
		env      map[string]string
		terminal bool
		plain    bool
		want     bool
	}{
		{"auto", nil, true, false, true},
		{"auto", nil, false, false, false},
		{"auto", nil, true, true, false},
		{"auto", map[string]string{"NO_COLOR": "1"}, true, false, false},
		{"auto", map[string]string{"TERM": "dumb"}, true, false, false},
		{"auto", map[string]string{"CLICOLOR_FORCE": "1"}, false, false, true},
		{"auto", map[string]string{"CLICOLOR_FORCE": "0"}, false, false, false},
		{"always", map[string]string{"NO_COLOR": "1"}, false, true, true},
		{"never", map[string]string{"CLICOLOR_FORCE": "1"}, true, false, false},
	} {
		o := &options{color: test.color, plain: test.plain}
		if got := wantsColor(o, test.terminal, func(k string) string { return test.env[k] }); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

func TestWordsAreComplete(t *testing.T) {
	for code := range russian.codes {
		if english.errorText(protocol.Errorf(code, "")) == "" {
			t.Errorf("no words for %s", code)
		}
	}
	var v flagValues
	for _, w := range []*words{&russian, &english} {
		if text := usageText(w, func(string) string { return "" }); strings.Contains(text, "%!") || !strings.Contains(text, "--no-history-file") {
			t.Errorf("usage:\n%s", text)
		}
		for _, line := range strings.Split(usageText(w, func(string) string { return "" }), "\n") {
			if width(line) > 80 {
				t.Errorf("usage is wider than 80 columns: %q", line)
			}
		}
		newFlagSet(&v, w, func(string) string { return "" })
	}
}
