package views

import (
	"strings"
	"testing"

	"govor/hub/protocol"
)

// An action is a line that begins with the name, in history and live, and begins or goes on no group.
func TestActionsBeginWithTheName(t *testing.T) {
	v := newViews(t)
	p := sampleRoom(samplePage(v, Russian))
	p.Messages = []protocol.Event{
		said(41, anna, 9, 41, "привет"), said(42, anna, 9, 41, "/me машет **рукой** @Мария"), said(43, anna, 9, 41, "вот так"),
		said(44, anna, 9, 41, " /me не машет"), said(45, anna, 9, 41, "/me 🎉"), said(46, anna, 9, 42, "/me"),
	}
	page := render(t, v, sample{"room", p})
	actor := `<bdi class="message__actor">Анна Ковалёва</bdi> <p>`
	for _, want := range []string{actor + "машет <strong>рукой</strong> <bdi", actor + "🎉</p>", "<p>/me не машет</p>", "<p>/me</p>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if n := strings.Count(page, " data-does"); n != 2 {
		t.Errorf("%d actions, want 2", n)
	}
	if n := strings.Count(page, " data-grouped"); n != 1 { // " /me не машет", alone
		t.Errorf("%d messages are in a group, want 1", n)
	}
	if strings.Contains(page, " data-emoji") {
		t.Error("an action is not large")
	}
	v.Prerender(p.Messages[1].Body, p.Messages[1].Mentions)
	if _, kept := v.markdown.kept.get("машет **рукой** @Мария"); !kept {
		t.Error("what is rendered before the append is not what is shown")
	}
	v.Forget(p.Messages[1].Body)
	if _, kept := v.markdown.kept.get("машет **рукой** @Мария"); kept {
		t.Error("an action is not forgotten")
	}
}
