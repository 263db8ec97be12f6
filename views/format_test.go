package views

import (
	"strings"
	"testing"
	"time"

	"govor/hub/protocol"
)

func TestFormatsAreOnePerLanguage(t *testing.T) {
	v := newViews(t)
	var keys []string
	for _, f := range v.Formats() {
		keys = append(keys, f.Key())
	}
	if got := strings.Join(keys, " "); got != "govor.v1.html;ru govor.v1.html;en" {
		t.Errorf("keys = %s", got)
	}
	if v.Format("xx").Key() != "govor.v1.html;ru" || v.Format("en") != v.Formats()[1] {
		t.Error("Format does not return the one of Formats")
	}
}

func TestFragments(t *testing.T) {
	v := newViews(t)
	e := said(41, anna, 9, 41, "Доброе **утро** & <день>")
	erased := e
	erased.Seq, erased.Body, erased.Erased = 42, "", true
	emoji := said(43, maria, 9, 42, "🎉")
	deletion := said(44, anna, 10, 0, "")
	deletion.Kind, deletion.Target, deletion.Of, deletion.Taken = protocol.KindDeletion, 42, &erased, "gone"
	edited := e
	edited.Body, edited.Changed, edited.ChangedAt = "Добрый **день**", 45, e.At+60_000
	edit := said(45, anna, 10, 0, "old")
	edit.Kind, edit.Target, edit.Of, edit.Taken = protocol.KindEdit, 41, &edited, "gone"
	lost := deletion
	lost.Of = nil
	at := time.Date(2026, 11, 23, 9, 45, 0, 0, time.UTC)
	people := []protocol.Person{anna, maria}
	frames := []struct {
		name  string
		frame protocol.Frame
	}{
		{"message", protocol.Message{Event: &e}},
		{"erased", protocol.Message{Event: &erased}},
		{"deleted", protocol.Message{Event: &deletion}},
		{"edited", protocol.Message{Event: &edit}},
		{"edited before", protocol.Message{Event: &edited}},
		{"deleted, not there", protocol.Message{Event: &lost}},
		{"emoji", protocol.Message{Event: &emoji}},
		{"not for pages", protocol.Message{Event: &protocol.Event{Kind: protocol.KindRoom}}},
		{"presence", &protocol.Presence{Room: "lobby", Online: 2, Joined: []string{"Анна"}, JoinedCount: 1, Left: []string{"<b>"}, LeftCount: 1, People: people, At: at}},
		{"many", &protocol.Presence{Room: "lobby", Online: 140, Joined: []string{"Анна", "Олег"}, JoinedCount: 5, Left: []string{"Ира"}, LeftCount: 1, People: people, At: at}},
		{"welcome", protocol.Welcome{Session: "s1", Member: maria.Member, Name: `Мария "М"`, Token: "secret", MaxText: 8000}},
		{"joined", protocol.Joined{Room: "lobby", After: 40, Last: 48, Online: 2, People: people}},
		{"reset", protocol.Reset{Room: "lobby", Reason: protocol.ResetAhead, After: 0, Last: 12}},
		{"ack", protocol.Receipt{Room: "lobby", ID: "id-1", Seq: 49, Duplicate: true}},
		{"error", (&protocol.Error{Code: protocol.CodeTooFast, Message: "english", RetryAfter: 3500 * time.Millisecond}).About("lobby", "id-2")},
		{"taken", &protocol.Error{Code: protocol.CodeNameTaken, Suggestion: "Иван-2"}},
		{"left", protocol.Left{Room: "lobby"}},
		{"pong", protocol.Pong{}},
	}
	for _, locale := range []string{Russian, English} {
		var b strings.Builder
		for _, f := range frames {
			got := v.Format(locale).Append([]byte("kept"), f.frame)
			fragment, ok := strings.CutPrefix(string(got), "kept")
			if !ok {
				t.Fatalf("Append of %s wrote over what was there", f.name)
			}
			b.WriteString("== " + f.name + "\n" + strings.TrimRight(fragment, "\n") + "\n")
		}
		if strings.Contains(b.String(), "secret") {
			t.Error("a token is written into the page, where a cookie proves who one is")
		}
		golden(t, "fragments."+locale+".golden.html", inUTC(b.String()))
	}
}

// inUTC makes visible times independent of where the test runs: live frames are written in the server's zone.
func inUTC(s string) string {
	for _, stamp := range []string{"09:41", "09:42"} {
		when, err := time.Parse("2006-01-02 15:04", "2026-11-23 "+stamp)
		if err != nil {
			panic(err)
		}
		s = strings.ReplaceAll(s, `title="`+when.Local().Format("2006-01-02 15:04"), `title="`+when.Format("2006-01-02 15:04"))
		s = strings.ReplaceAll(s, ">"+when.Local().Format("15:04")+"</time>", ">"+stamp+"</time>")
	}
	return s
}

func TestPageSendsCommandsOfJSON(t *testing.T) {
	c, err := newViews(t).Format(Russian).Decode([]byte(`{"type":"send","id":"a","text":"привет"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := c.(protocol.Send); !ok || got.ID != "a" || got.Text != "привет" {
		t.Errorf("Decode = %#v", c)
	}
}

func TestRenamesAreSystemLines(t *testing.T) {
	v := newViews(t)
	p := &protocol.Presence{Renamed: []protocol.Rename{{Was: "Пётр <b>", Name: "Петя"}}, JoinedCount: 3, Joined: []string{"a", "b", "c"}, Online: 4}
	for locale, want := range map[string]string{Russian: "\u2068Пётр &lt;b&gt;\u2069 теперь \u2068Петя\u2069<", English: "\u2068Пётр &lt;b&gt;\u2069 is now \u2068Петя\u2069<"} {
		got := string(v.Format(locale).Append(nil, p))
		if !strings.Contains(got, `data-kind="presence"`) || !strings.Contains(got, want) || strings.Count(got, `class="system"`) != 2 {
			t.Errorf("%s: %s", locale, got)
		}
	}
}
