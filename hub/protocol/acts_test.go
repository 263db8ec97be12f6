package protocol

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestActLines(t *testing.T) {
	net := netip.MustParsePrefix
	tests := map[string]Act{
		"/kick Пётр": {Action: ActionKick, Name: "Пётр"},
		"/kick @Пётр,  хватит   спамить ":  {Action: ActionKick, Name: "Пётр", Why: "хватит спамить"},
		`/kick "Анна Ковалёва" хватит`:     {Action: ActionKick, Name: "Анна Ковалёва", Why: "хватит"},
		"/kick «Анна Ковалёва»":            {Action: ActionKick, Name: "Анна Ковалёва"},
		"/mute Пётр 10m спам":              {Action: ActionMute, Name: "Пётр", For: 10 * time.Minute, Why: "спам"},
		"/mute Пётр 10м":                   {Action: ActionMute, Name: "Пётр", For: 10 * time.Minute},
		"/mute Пётр 10 спам":               {Action: ActionMute, Name: "Пётр", Why: "10 спам"},
		"/mute Пётр":                       {Action: ActionMute, Name: "Пётр"},
		"/unmute Пётр":                     {Action: ActionUnmute, Name: "Пётр"},
		"/ban Пётр 1d":                     {Action: ActionBan, Name: "Пётр", For: 24 * time.Hour},
		"/ban Пётр 2w\nспам":               {Action: ActionBan, Name: "Пётр", For: 14 * 24 * time.Hour, Why: "спам"},
		"/ban 203.0.113.7 1h":              {Action: ActionBan, Net: net("203.0.113.7/32"), For: time.Hour},
		"/ban 203.0.113.9/24":              {Action: ActionBan, Net: net("203.0.113.0/24")},
		"/ban ::ffff:203.0.113.7":          {Action: ActionBan, Net: net("203.0.113.7/32")},
		"/unban 2001:db8::/32":             {Action: ActionUnban, Net: net("2001:db8::/32")},
		"/slow 10s":                        {Action: ActionSlow, For: 10 * time.Second},
		"/slow 0":                          {Action: ActionSlow},
		"/close до утра":                   {Action: ActionClose, Why: "до утра"},
		"/open":                            {Action: ActionOpen},
		"/mod Пётр":                        {Action: ActionRole, Name: "Пётр", Role: RoleModerator},
		"/owner Пётр":                      {Action: ActionRole, Name: "Пётр", Role: RoleOwner},
		"/unmod Пётр":                      {Action: ActionRole, Name: "Пётр"},
		"/kick Пётр \x1b[31m\u202eкрасный": {Action: ActionKick, Name: "Пётр", Why: "\ufffd[31m\ufffdкрасный"},
	}
	for line, want := range tests {
		if got, ok, bad := ParseAct(line); !ok || bad != nil || got != want {
			t.Errorf("ParseAct(%q) = %+v, %v, %v, want %+v", line, got, ok, bad, want)
		}
	}
}

func TestOtherLinesAreNoActs(t *testing.T) {
	for _, line := range []string{"", "привет", "/", "//kick Пётр", " /kick Пётр", "/kicked Пётр", "/me машет", "/KICK Пётр", "kick Пётр"} {
		if a, ok, bad := ParseAct(line); ok || bad != nil {
			t.Errorf("ParseAct(%q) = %+v, %v, %v", line, a, ok, bad)
		}
	}
}

func TestActsThatAreNotWrittenAsTheyShouldBe(t *testing.T) {
	long := strings.Repeat("я", MaxWhyLen+1)
	for line, code := range map[string]Code{
		"/kick": CodeBadCommand, "/kick ": CodeBadCommand, `/kick "Анна`: CodeBadCommand, `/kick ""`: CodeBadCommand, "/mute": CodeBadCommand,
		"/slow": CodeBadCommand, "/slow скоро": CodeBadCommand, "/slow 7h": CodeBadCommand, "/slow -1s": CodeBadCommand, "/ban": CodeBadCommand,
		"/ban Пётр 99999d": CodeBadCommand, "/mod": CodeBadCommand, "/kick Пётр " + long: CodeTooLong,
	} {
		if a, ok, bad := ParseAct(line); !ok || bad == nil || bad.Code != code {
			t.Errorf("ParseAct(%q) = %+v, %v, %v, want %s", line, a, ok, bad, code)
		}
	}
	for object, code := range map[string]Code{
		`{"type":"act","id":"a","action":"promote","name":"Пётр"}`:                CodeBadCommand,
		`{"type":"act","id":"a","action":"kick"}`:                                 CodeBadCommand,
		`{"type":"act","id":"a","action":"kick","member":"me"}`:                   CodeBadCommand,
		`{"type":"act","id":"a","action":"mute","name":"Пётр","for":"soon"}`:      CodeBadCommand,
		`{"type":"act","id":"a","action":"ban","net":"home"}`:                     CodeBadCommand,
		`{"type":"act","id":"a","action":"role","name":"Пётр","role":"admin"}`:    CodeBadCommand,
		`{"type":"act","id":"a","line":"/dance"}`:                                 CodeBadCommand,
		`{"type":"act","id":"a"}`:                                                 CodeBadCommand,
		`{"type":"act","id":"a","action":["kick"]}`:                               CodeBadFrame,
		`{"type":"act","id":"a","action":"kick","name":"П","why":"` + long + `"}`: CodeTooLong,
	} {
		if c, bad := (JSON{}).Decode([]byte(object)); bad == nil || bad.Code != code || bad.ID != "a" {
			t.Errorf("Decode(%s) = %+v, %+v, want %s about a", object, c, bad, code)
		}
	}
}

func TestSpans(t *testing.T) {
	for _, s := range []string{"30s", "10m", "2h", "7d", "90m", "0s"} {
		d, ok := ParseSpan(s)
		if !ok || Span(d) != s {
			t.Errorf("ParseSpan(%q) = %v, %v, which is written %s", s, d, ok, Span(d))
		}
	}
	for _, s := range []string{"99999999999999999999d", "9999999999w"} {
		if d, ok := ParseSpan(s); !ok || d <= MaxSentence {
			t.Errorf("ParseSpan(%q) = %v, %v, want more than is allowed", s, d, ok)
		}
	}
	for _, s := range []string{"", "m", "10", "-5m", "+5m", "5 m", "1.5h", "10x", "1٢m"} {
		if d, ok := ParseSpan(s); ok {
			t.Errorf("ParseSpan(%q) = %v", s, d)
		}
	}
}

func FuzzParseAct(f *testing.F) {
	f.Add("/mute Пётр 10m спам")
	f.Add(`/ban "203.0.113.0/24" 1d`)
	f.Add("/slow \xff")
	f.Fuzz(func(t *testing.T, line string) {
		a, ok, bad := ParseAct(line)
		if !ok && (bad != nil || a != Act{}) {
			t.Fatalf("%q is no act and gives %+v, %v", line, a, bad)
		}
		if ok && bad == nil && a.Check() != nil {
			t.Fatalf("%q gives %+v, which does not pass", line, a)
		}
	})
}
