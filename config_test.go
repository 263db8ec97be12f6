package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"govor/hub"
	"govor/hub/setting"
)

// env is an environment of these variables and HOME.
func env(vars map[string]string) func(string) string {
	return func(name string) string {
		if v, ok := vars[name]; ok {
			return v
		}
		if name == "HOME" {
			return "/home/anna"
		}
		return ""
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "govor.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	got, err := parseConfig(nil, env(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		Listen: []string{":8000"}, DataDir: got.DataDir, LogLevel: zapcore.InfoLevel, LogFormat: "auto", EventLoop: "auto",
		MaxText: 8000, MaxFrameBytes: 65536, SocketMode: 0o660, Rate: 5, Burst: 20, RatePatience: 30 * time.Second, MaxConnsPerIP: 1000,
		ByteRate: 16 << 10, RatePerMember: 10, ByteRatePerMember: 32 << 10, RatePerIP: 100, ByteRatePerIP: 512 << 10,
		FrameRate: 50, FrameRatePerIP: 500, ControlRate: 50, RequestsPerIP: 30, ConnectsPerIP: 30, PagesPerMember: 2, LoginsPerIP: 60, LoginsPerName: 10, MaxConnsPerMember: 100, MaxRooms: 64, NewRooms: 60, NameChanges: 10,
		RingBytes: 1 << 20, PresenceGrace: 5 * time.Second, PingInterval: 25 * time.Second, IdleTimeout: time.Minute,
		StallTimeout: time.Minute, RequestTimeout: 10 * time.Second, Mode: "open", ProxyHeader: "X-Forwarded-User", ShutdownTimeout: 8 * time.Second,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("defaults\n%+v, want\n%+v", got, want)
	}
	if !strings.HasPrefix(got.DataDir, "/home/anna/") {
		t.Errorf("data in %q", got.DataDir)
	}
}

func TestFlagWinsOverVariableOverFileOverDefault(t *testing.T) {
	file := writeFile(t, "listen = \":1\" # comment\nrate=1\nburst = 1\nmax-text = 1\n")
	vars := map[string]string{"GOVOR_LISTEN": ":2", "GOVOR_RATE": "2", "GOVOR_BURST": "2", "GOVOR_CONFIG": "/nowhere"}
	c, err := parseConfig([]string{"--config", file, "--listen=:3", "--rate", "3"}, env(vars))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Listen, []string{":3"}) || c.Rate != 3 || c.Burst != 2 || c.MaxText != 1 || c.IdleTimeout != time.Minute {
		t.Errorf("listen %s, rate %v, burst %d, max-text %d", c.Listen, c.Rate, c.Burst, c.MaxText)
	}
	vars["GOVOR_CONFIG"] = file
	if c, err := parseConfig(nil, env(vars)); err != nil || c.MaxText != 1 {
		t.Errorf("GOVOR_CONFIG: max-text %d, %v", c.MaxText, err)
	}
	for port, vars := range map[string]map[string]string{
		":9": {"PORT": "9"}, ":2": {"PORT": "9", "GOVOR_LISTEN": ":2"},
	} {
		if c, err := parseConfig(nil, env(vars)); err != nil || !slices.Equal(c.Listen, []string{port}) {
			t.Errorf("%v: listens on %s, want %s (%v)", vars, c.Listen, port, err)
		}
	}
}

func TestMistakesAreSentencesThatNameWhatIsWrong(t *testing.T) {
	tests := []struct {
		name string
		args []string
		vars map[string]string
		file string
		want []string
	}{
		{"address", []string{"--listen", "8000"}, nil, "", []string{"--listen", `"8000"`, ":8000"}},
		{"variable", nil, map[string]string{"GOVOR_BURST": "many"}, "", []string{"GOVOR_BURST", `"many"`, "from 0 to"}},
		{"PORT", nil, map[string]string{"PORT": "http"}, "", []string{"PORT", `"http"`}},
		{"rate", []string{"--rate", "NaN"}, nil, "", []string{"--rate", "from 0 to"}},
		{"size", []string{"--ring-bytes", "1G"}, nil, "", []string{"--ring-bytes", "k or M"}},
		{"text without limit", []string{"--max-text", "0"}, nil, "", []string{"--max-text", "from 1 to"}},
		{"event loop", []string{"--event-loop", "maybe"}, nil, "", []string{"--event-loop", "auto, on, off"}},
		{"base URL", []string{"--base-url", "chat.example"}, nil, "", []string{"--base-url", "https://host"}},
		{"mode", []string{"--mode", "closed"}, nil, "", []string{"--mode", "open, password, members, proxy"}},
		{"mode password without one", []string{"--mode", "password"}, nil, "", []string{"--password-file", "GOVOR_PASSWORD"}},
		{"no password file", []string{"--mode", "password", "--password-file", "/nowhere/x"}, nil, "", []string{"--password-file", "/nowhere/x"}},
		{"mode proxy without one", []string{"--mode", "proxy"}, nil, "", []string{"--trusted-proxies"}},
		{"frame too small for a text", []string{"--max-frame-bytes", "4k"}, nil, "", []string{"--max-frame-bytes", "--max-text"}},
		{"ping after the end", []string{"--ping-interval", "2m"}, nil, "", []string{"--ping-interval", "--idle-timeout"}},
		{"value in the file", nil, nil, "rate = fast\n", []string{`"rate" in`, `"fast"`}},
		{"no place for the data", nil, map[string]string{"HOME": "", "LocalAppData": ""}, "", []string{"--data-dir"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			if tt.file != "" {
				args = append(args, "--config", writeFile(t, tt.file))
			}
			_, err := parseConfig(args, env(tt.vars))
			if !errors.As(err, new(*usageError)) {
				t.Fatalf("error %v, want a mistake of usage", err)
			}
			if !strings.HasSuffix(err.Error(), ".") {
				t.Errorf("%q is not a sentence", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %s", err, want)
				}
			}
		})
	}
}

func TestListsAndAddresses(t *testing.T) {
	c, err := parseConfig([]string{
		"--base-url", "https://Chat.Example/", "--allowed-origins", " https://a.example, ,http://b.example:81 ",
		"--trusted-proxies", "10.0.0.0/8,::1", "--listen", "[::1]:8000", "--no-limits", "--data-dir", "x", "--ring-bytes", "2M",
	}, env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.BaseURL != "https://chat.example" || strings.Join(c.AllowedOrigins, " ") != "https://a.example http://b.example:81" ||
		strings.Join(c.TrustedProxies, " ") != "10.0.0.0/8 ::1" || c.RingBytes != 2<<20 || c.DataDir != "x" {
		t.Errorf("%+v", c)
	}
	l := c.hubLimits()
	if !c.NoLimits || l.Rate != 0 || l.MaxConnectionsPerAddr != 0 || l.MaxText == 0 || l.RingBytes == 0 || l.PerAddr != (hub.Pace{}) || c.LoginsPerIP != 0 {
		t.Errorf("--no-limits leaves %+v", l)
	}
}

func TestDataDirOfEachSystem(t *testing.T) {
	tests := []struct {
		goos string
		vars map[string]string
		want string
	}{
		{"linux", map[string]string{"STATE_DIRECTORY": "/var/lib/govor:/x", "XDG_STATE_HOME": "/s", "HOME": "/h"}, "/var/lib/govor"},
		{"linux", map[string]string{"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/govor"},
		{"linux", map[string]string{"HOME": "/h"}, "/h/.local/state/govor"},
		{"freebsd", map[string]string{"HOME": "/h"}, "/h/.local/state/govor"},
		{"darwin", map[string]string{"HOME": "/h"}, "/h/Library/Application Support/govor"},
		{"windows", map[string]string{"LocalAppData": "/l", "HOME": "/h"}, "/l/govor"},
		{"linux", nil, ""},
		{"windows", nil, ""},
	}
	for _, tt := range tests {
		if got := filepath.ToSlash(defaultDataDir(tt.goos, func(s string) string { return tt.vars[s] })); got != tt.want {
			t.Errorf("%s %v: %q, want %q", tt.goos, tt.vars, got, tt.want)
		}
	}
}

func TestHelpTellsEverySetting(t *testing.T) {
	var b bytes.Buffer
	writeHelp(&b, env(nil))
	help := b.String()
	for _, g := range settings(env(nil)) {
		for _, s := range g.settings {
			if !strings.Contains(help, "--"+s.name+" "+s.value) || !strings.Contains(help, s.help) || !strings.Contains(help, setting.EnvName(s.name)) {
				t.Errorf("the help does not tell of --%s", s.name)
			}
		}
	}
	for i, line := range strings.Split(help, "\n") {
		if len(line) > 120 {
			t.Errorf("line %d has %d columns: %s", i+1, len(line), line)
		}
	}
}
