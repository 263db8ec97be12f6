package views

import (
	"strings"
	"testing"
	"time"

	"govor/hub/protocol"
)

func TestSpansAreSaidAsPeopleDo(t *testing.T) {
	w := newViews(t).words[English]
	for d, want := range map[time.Duration]string{
		0: "1 s", 1: "1 s", 1500 * time.Millisecond: "2 s", 59 * time.Second: "59 s", time.Minute: "1 min", 61 * time.Second: "61 s",
		2*time.Minute + time.Second: "3 min", time.Hour - time.Millisecond: "1 h", time.Hour: "1 h", 90 * time.Minute: "90 min",
		24 * time.Hour: "1 d", 36 * time.Hour: "36 h", 7 * 24 * time.Hour: "7 d",
	} {
		if got := w.span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

// Every act has its sentence in every language, to others and to whom it is done, and no name in it is markup.
func TestNoticesHaveWords(t *testing.T) {
	v := newViews(t)
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, action := range []protocol.Action{
		protocol.ActionKick, protocol.ActionMute, protocol.ActionUnmute, protocol.ActionBan, protocol.ActionUnban, protocol.ActionRole,
		protocol.ActionClose, protocol.ActionOpen, protocol.ActionSlow, protocol.ActionDelete,
	} {
		for _, role := range []protocol.Role{protocol.RoleNone, protocol.RoleModerator, protocol.RoleOwner} {
			for _, you := range []bool{false, true} {
				n := &protocol.Notice{
					Action: action, Role: role, You: you, Name: "<b>Пётр", By: "Мария", Room: "lobby", Why: "<i>спам", At: at, Until: at.Add(time.Hour),
				}
				for _, locale := range []string{Russian, English} {
					text := v.words[locale].notice(n)
					if strings.Contains(text, "act.") || strings.ContainsAny(text, "{}") || !strings.Contains(text, "Мария") || !strings.Contains(text, "спам") {
						t.Errorf("%s %s %v %s: %q", action, role, you, locale, text)
					}
					out := string(v.formats[locale].Append(nil, n))
					if strings.Contains(out, "<b>") || strings.Contains(out, "<i>") || !strings.Contains(out, "спам") {
						t.Errorf("%s %s %v %s: %s", action, role, you, locale, out)
					}
					if you != strings.Contains(out, `data-frame="notice"`) {
						t.Errorf("%s, you %v: %s", action, you, out)
					}
				}
			}
		}
	}
}

func TestAddressesAndServerHaveWords(t *testing.T) {
	w := newViews(t).words[English]
	for want, n := range map[string]*protocol.Notice{
		"The server bans addresses":                   {Action: protocol.ActionBan},
		"The server lifts the ban of addresses":       {Action: protocol.ActionUnban},
		"The server ends slow mode in the room Lobby": {Action: protocol.ActionSlow, Room: "lobby"},
		"The server makes you an owner":               {Action: protocol.ActionRole, Role: protocol.RoleOwner, You: true},
		"The server makes \u2068x\u2069 a host":       {Action: protocol.ActionRole, Role: protocol.RoleModerator, Name: "x"},
	} {
		if got := w.notice(n); got != want {
			t.Errorf("notice = %q, want %q", got, want)
		}
	}
}
