package setting_test

import (
	"errors"
	"strings"
	"testing"

	"govor/hub/setting"
)

// known is what can be set in these tests.
func known() []setting.Known {
	return []setting.Known{{Name: "listen"}, {Name: "max-text"}, {Name: "pprof", Switch: true}}
}

func env(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestEachSourceSaysWhereItIs(t *testing.T) {
	file := write(t, "# our chat\nlisten = \":1 # \\\"x\\\"\" # comment\n\nmax-text=1 # comment\n")
	tests := []struct {
		name, setting string
		args          []string
		vars          map[string]string
		value, source string
	}{
		{"default", "listen", nil, nil, "default", "the default of --listen"},
		{"file", "max-text", nil, map[string]string{"GOVOR_CONFIG": file}, "1", `"max-text" in ` + file},
		{"quotes", "listen", []string{"--config", file}, map[string]string{"GOVOR_CONFIG": "/nowhere"}, `:1 # "x"`, `"listen" in ` + file},
		{"port", "listen", []string{"--config", file}, map[string]string{"PORT": "2"}, ":2", "PORT"},
		{"port is of listen", "max-text", nil, map[string]string{"PORT": "2"}, "default", "the default of --max-text"},
		{"variable", "listen", nil, map[string]string{"PORT": "2", "GOVOR_LISTEN": ":3"}, ":3", "GOVOR_LISTEN"},
		{"flag", "listen", []string{"--listen", ":4"}, map[string]string{"PORT": "2", "GOVOR_LISTEN": ":3"}, ":4", "--listen"},
		{"flag that is empty", "listen", []string{"--listen="}, map[string]string{"GOVOR_LISTEN": ":3"}, "", "--listen"},
		{"switch", "pprof", []string{"--pprof"}, nil, "true", "--pprof"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sources, err := setting.Read(known(), tt.args, env(tt.vars))
			if err != nil {
				t.Fatal(err)
			}
			if value, source := sources.Value(tt.setting, "default"); value != tt.value || source != tt.source {
				t.Errorf("%q of %s, want %q of %s", value, source, tt.value, tt.source)
			}
		})
	}
}

func TestMistakesAreSentences(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"unknown flag", []string{"--nats", "x"}, []string{"--nats", "--help"}},
		{"argument", []string{"start"}, []string{`"start"`, "--help"}},
		{"no value", []string{"--listen"}, []string{"--listen"}},
		{"no file", []string{"--config", "/nowhere/x"}, []string{"/nowhere/x"}},
		{"line of the file", []string{"--config", write(t, "rate 5\n")}, []string{"Line 1", "name = value"}},
		{"quotes of the file", []string{"--config", write(t, "\nlisten = \"x\n")}, []string{"Line 2"}},
		{"text after the quotes", []string{"--config", write(t, "listen = \"x\" y\n")}, []string{"Line 1", "name = value"}},
		{"name in the file", []string{"--config", write(t, "speed = 5\n")}, []string{"Line 1", `"speed"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := setting.Read(known(), tt.args, env(nil))
			if !errors.As(err, new(*setting.UsageError)) || !strings.HasSuffix(err.Error(), ".") {
				t.Fatalf("error %v, want a sentence about a mistake of usage", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %s", err, want)
				}
			}
		})
	}
	if _, err := setting.Read(known(), []string{"-h"}, env(nil)); !errors.Is(err, setting.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
}
