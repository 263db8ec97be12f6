package data

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestArguments(t *testing.T) {
	dir := func(general []string) (string, error) { return strings.Join(general, " "), nil }
	for _, tt := range []struct {
		command, args string
		want          arguments
	}{
		{"backup", "b.zst", arguments{file: "b.zst"}},
		{"backup", "--data-dir d b.zst --config=c", arguments{file: "b.zst", dir: "--data-dir=d --config=c"}},
		{"restore", "b --force", arguments{file: "b", force: true}},
		{"export", "", arguments{format: "jsonl"}},
		{"export", "--format txt --room lobby f", arguments{format: "txt", room: "lobby", file: "f"}},
		{"export", "--audit f", arguments{format: "jsonl", audit: true, file: "f"}},
		{"check", "", arguments{}},
	} {
		if got, err := parse(tt.command, strings.Fields(tt.args), dir); err != nil || got != tt.want {
			t.Errorf("%s %s = %+v, %v; want %+v", tt.command, tt.args, got, err, tt.want)
		}
	}
	for _, wrong := range []string{"backup", "backup a b", "backup --force a", "restore", "check a", "export a b", "check --nope", "export --audit --room lobby", "export --audit --format txt", "check --audit"} {
		command, args, _ := strings.Cut(wrong, " ")
		if _, err := parse(command, strings.Fields(args), dir); !errors.As(err, new(*UsageError)) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, command := range []string{"backup", "restore", "export", "check"} {
		var b bytes.Buffer
		if err := Run(t.Context(), command, []string{"--help"}, nil, &b); err != nil || !strings.HasPrefix(b.String(), "govor "+command) {
			t.Errorf("%s --help = %q, %v", command, b.String(), err)
		}
	}
}
