package setting_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"govor/hub/setting"
)

func TestValues(t *testing.T) {
	var (
		text     string
		items    []string
		yes      bool
		n        int
		rate     float64
		size     int64
		duration time.Duration
		mode     os.FileMode
		level    zapcore.Level
	)
	token, short := write(t, "0123456789abcdef\n"), write(t, "short\n")
	password, empty := write(t, " pass word \r\nanother line\n"), write(t, "\nanother line\n")
	tests := []struct {
		name string
		read func(s string) error
		s    string
		ok   func() bool // nil = it is refused
		want string      // is in the error
	}{
		{"port", func(s string) error { return setting.Addr(&text, s) }, ":8000", func() bool { return text == ":8000" }, ""},
		{"IPv6", func(s string) error { return setting.Addr(&text, s) }, "[::1]:8000", func() bool { return text == "[::1]:8000" }, ""},
		{"no port", func(s string) error { return setting.Addr(&text, s) }, "8000", nil, "127.0.0.1:8000"},
		{"port too high", func(s string) error { return setting.Addr(&text, s) }, ":80000", nil, `from 0 to 65535, not "80000"`},
		{"brackets", func(s string) error { return setting.Addr(&text, s) }, "[localhost]:1", nil, "[::1]:8000"},
		{"no address", func(s string) error { return setting.OptionalAddr(&text, s) }, "", func() bool { return text == "" }, ""},
		{"address missing", func(s string) error { return setting.Listen(&text, s) }, "", nil, "host:port"},
		{"socket", func(s string) error { return setting.Listen(&text, s) }, "unix:/a", func() bool { return text == "unix:/a" }, ""},
		{"socket without path", func(s string) error { return setting.Listen(&text, s) }, "unix:", nil, "unix:PATH"},
		{"socket as a second address", func(s string) error { return setting.OptionalAddr(&text, s) }, "unix:/a", nil, "port is a number"},
		{"origin", func(s string) error { return setting.OptionalOrigin(&text, s) }, "https://Chat.Example:81/", func() bool { return text == "https://chat.example:81" }, ""},
		{"origin with path", func(s string) error { return setting.OptionalOrigin(&text, s) }, "https://chat.example/chat", nil, "nothing after it"},
		{"origin without scheme", func(s string) error { return setting.OptionalOrigin(&text, s) }, "chat.example", nil, "https://host"},
		{"origins", func(s string) error { return setting.Origins(&items, s) }, " https://a.example, ,http://B.example ", func() bool { return strings.Join(items, " ") == "https://a.example http://b.example" }, ""},
		{"origin of nobody", func(s string) error { return setting.Origins(&items, s) }, "https://a.example,null", nil, `"null"`},
		{"networks", func(s string) error { return setting.Networks(&items, s) }, "10.0.0.0/8,::1", func() bool { return strings.Join(items, " ") == "10.0.0.0/8 ::1" }, ""},
		{"network by name", func(s string) error { return setting.Networks(&items, s) }, "10.0.0.0/8, nginx", nil, `"nginx"`},
		{"header", func(s string) error { return setting.Header(&text, s) }, "X-User", func() bool { return text == "X-User" }, ""},
		{"header with a space", func(s string) error { return setting.Header(&text, s) }, "a b", nil, "X-Forwarded-User"},
		{"no header", func(s string) error { return setting.Header(&text, s) }, "", nil, "X-Forwarded-User"},
		{"word", func(s string) error { return setting.OneOf(&text, s, "on", "off") }, "off", func() bool { return text == "off" }, ""},
		{"another word", func(s string) error { return setting.OneOf(&text, s, "on", "off") }, "Off", nil, "on, off"},
		{"level", func(s string) error { return setting.Level(&level, s) }, "warn", func() bool { return level == zapcore.WarnLevel }, ""},
		{"another level", func(s string) error { return setting.Level(&level, s) }, "trace", nil, "debug, info, warn, error"},
		{"bool", func(s string) error { return setting.Bool(&yes, s) }, "true", func() bool { return yes }, ""},
		{"no bool", func(s string) error { return setting.Bool(&yes, s) }, "yes", nil, "true or false"},
		{"lowest", func(s string) error { return setting.Int(&n, s, 1, 9) }, "1", func() bool { return n == 1 }, ""},
		{"highest", func(s string) error { return setting.Int(&n, s, 1, 9) }, "9", func() bool { return n == 9 }, ""},
		{"too low", func(s string) error { return setting.Int(&n, s, 1, 9) }, "0", nil, "from 1 to 9"},
		{"too high", func(s string) error { return setting.Int(&n, s, 1, 9) }, "10", nil, "from 1 to 9"},
		{"rate", func(s string) error { return setting.Rate(&rate, s) }, "0.5", func() bool { return rate == 0.5 }, ""},
		{"no number", func(s string) error { return setting.Rate(&rate, s) }, "NaN", nil, "from 0 to"},
		{"negative rate", func(s string) error { return setting.Rate(&rate, s) }, "-1", nil, "from 0 to"},
		{"k", func(s string) error { return setting.Size(&size, s, 1, 4<<20) }, "2k", func() bool { return size == 2048 }, ""},
		{"M", func(s string) error { return setting.Size(&n, s, 1, 4<<20) }, "2M", func() bool { return n == 2<<20 }, ""},
		{"G", func(s string) error { return setting.Size(&size, s, 1, 4<<20) }, "1G", nil, "k or M"},
		{"too large", func(s string) error { return setting.Size(&size, s, 1, 4<<20) }, "5M", nil, "from 1 to 4194304"},
		{"no limit", func(s string) error { return setting.OptionalSize(&size, s) }, "0", func() bool { return size == 0 }, ""},
		{"duration", func(s string) error { return setting.Duration(&duration, s, 0, time.Hour) }, "2m", func() bool { return duration == 2*time.Minute }, ""},
		{"no unit", func(s string) error { return setting.Duration(&duration, s, 0, time.Hour) }, "60", nil, "90s"},
		{"negative", func(s string) error { return setting.Duration(&duration, s, 0, time.Hour) }, "-1s", nil, "from 0s to 1h"},
		{"mode", func(s string) error { return setting.FileMode(&mode, s) }, "0600", func() bool { return mode == 0o600 }, ""},
		{"mode in other digits", func(s string) error { return setting.FileMode(&mode, s) }, "0689", nil, "0660"},
		{"mode with more", func(s string) error { return setting.FileMode(&mode, s) }, "4755", nil, "0660"},
		{"token", func(s string) error { return setting.TokenFile(&text, s) }, token, func() bool { return text == "0123456789abcdef" }, ""},
		{"token too short", func(s string) error { return setting.TokenFile(&text, s) }, short, nil, "at least 16"},
		{"token nowhere", func(s string) error { return setting.TokenFile(&text, s) }, "/nowhere/x", nil, "/nowhere/x"},
		{"no token", func(s string) error { return setting.TokenFile(&text, s) }, "", func() bool { return text == "" }, ""},
		{"password", func(s string) error { return setting.PasswordFile(&text, s) }, password, func() bool { return text == " pass word " }, ""},
		{"password empty", func(s string) error { return setting.PasswordFile(&text, s) }, empty, nil, "first line is empty"},
		{"password nowhere", func(s string) error { return setting.PasswordFile(&text, s) }, "/nowhere/x", nil, "/nowhere/x"},
		{"no password", func(s string) error { return setting.PasswordFile(&text, s) }, "", func() bool { return text == "" }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.read(tt.s)
			switch {
			case tt.ok != nil && (err != nil || !tt.ok()):
				t.Errorf("%q is read wrongly: %v", tt.s, err)
			case tt.ok == nil && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%q: error %v, want one that says %s", tt.s, err, tt.want)
			}
		})
	}
}

// write makes a file that holds text.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
