package terminal

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"govor/hub/protocol"
)

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text        string
		first, rest int
		want        []string
	}{
		{"", 10, 10, []string{""}},
		{"короткий текст", 20, 20, []string{"короткий текст"}},
		{"короткий текст", 10, 10, []string{"короткий", "текст"}},
		{"раз два три", 3, 7, []string{"раз", "два три"}},
		{"оченьдлинноеслово", 5, 6, []string{"очень", "длинно", "еслово"}},
		{"а оченьдлинноеслово", 6, 6, []string{"а", "оченьд", "линное", "слово"}},
		{"日本語日本語", 5, 4, []string{"日本", "語日", "本語"}},
		{"🙏🙏🙏", 4, 4, []string{"🙏🙏", "🙏"}},
		{"👩‍👩‍👧👩‍👩‍👧", 2, 2, []string{"👩‍👩‍👧", "👩‍👩‍👧"}},
		{"  отступ дальше", 9, 9, []string{"  отступ", "дальше"}},
		{"слово      ", 5, 5, []string{"слово"}},
		{"см. https://a.b/c/d?e", 16, 18, []string{"см.", "https://a.b/c/d?e"}},
		{"https://a.b/c/d?e", 10, 10, []string{"https://a.", "b/c/d?e"}},
		{"из-за", 4, 4, []string{"из-", "за"}},
		{"日", 1, 1, []string{"日"}},
		{"абвг\u2001", 4, 4, []string{"абвг", "\u2001"}}, // a space that is not left out takes its column
		{"абв", 0, -3, []string{"а", "б", "в"}},
	} {
		var got []string
		for _, p := range wrap(test.text, test.first, test.rest) {
			got = append(got, test.text[p.from:p.to])
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("wrap(%q, %d, %d) = %q, want %q", test.text, test.first, test.rest, got, test.want)
		}
	}
}

func FuzzWrapLosesNothing(f *testing.F) {
	f.Add("раз два 日本語 👩‍👩‍👧 оченьдлинноеслово", 7)
	f.Add("оченьдлинн\u2001", 130)
	f.Add("\u0602\u0602?", 0)       // one grapheme of three columns
	f.Add("\u0612\u0602\u0602?", 0) // after one of none
	f.Fuzz(func(t *testing.T, text string, columns int) {
		text = clean(strings.ToValidUTF8(text, "?"))
		columns = 2 + columns&63
		at := 0
		for _, p := range wrap(text, columns, columns) {
			if p.from < at || strings.Trim(text[at:p.from], " ") != "" {
				t.Fatalf("wrap(%q, %d) leaves out %q", text, columns, text[at:p.from])
			}
			if piece := text[p.from:p.to]; width(piece) > columns && uniseg.GraphemeClusterCount(piece) > 1 {
				t.Fatalf("wrap(%q, %d) makes %q of %d columns", text, columns, piece, width(piece))
			}
			at = p.to
		}
		if strings.Trim(text[at:], " ") != "" {
			t.Fatalf("wrap(%q, %d) leaves out %q at the end", text, columns, text[at:])
		}
	})
}

func TestTruncate(t *testing.T) {
	for _, test := range []struct {
		text    string
		columns int
		want    string
	}{{"абв", 3, "абв"}, {"абвг", 3, "аб…"}, {"日本語", 4, "日…"}, {"абв", 1, "…"}, {"абв", 0, ""}} {
		if got := truncate(test.text, test.columns); got != test.want {
			t.Errorf("truncate(%q, %d) = %q, want %q", test.text, test.columns, got, test.want)
		}
	}
}

func testPainter(look palette) *painter {
	return &painter{words: &russian, look: look, now: func() time.Time { return noon }, zone: time.UTC, me: "Мария"}
}

func TestMessageHangsUnderTheName(t *testing.T) {
	p := testPainter(palette{})
	e := &protocol.Event{Name: "Пётр", Body: "Проверил на живом, так и есть\n$ код", At: noon.UnixMilli()}
	want := []string{"12:00 Пётр: Проверил на", "      живом, так и есть", "      $ код"}
	if got := p.message(e, 24); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	e.Erased = true
	if got := p.message(e, 80); !slices.Equal(got, []string{"12:00 Пётр: Сообщение удалено"}) {
		t.Errorf("erased: %q", got)
	}
}

func TestActionsBeginWithAStar(t *testing.T) {
	p := testPainter(palette{})
	e := &protocol.Event{Name: "Пётр", At: noon.UnixMilli(), Body: "/me машет рукой и уходит\nсовсем"}
	if got, want := p.message(e, 26), []string{"12:00 * Пётр машет рукой и", "      уходит", "      совсем"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := p.plain(e), []string{"12:00 * Пётр машет рукой и уходит", "12:00 * Пётр совсем"}; !slices.Equal(got, want) {
		t.Errorf("in a pipe: %q, want %q", got, want)
	}
}

func TestStyles(t *testing.T) {
	p := testPainter(newPalette(true, "xterm-256color", ""))
	e := &protocol.Event{Name: "Мария", At: noon.UnixMilli()}
	for _, test := range []struct{ body, want string }{
		{"**жирный** и `**код**`", "\x1b[1mжирный\x1b[0m и `**код**`"},
		{"2 ** 3 ** 4", "2 ** 3 ** 4"},
		{"см. https://a.b/c.", "см. \x1b[4mhttps://a.b/c\x1b[0m."},
		{"@Мария, да", "\x1b[7m@Мария\x1b[0m, да"},
		{"@Марияна и @Мария", "@Марияна и \x1b[7m@Мария\x1b[0m"},
		{"\x1b[31mкрасный", "\uFFFD[31mкрасный"},
		{"```\n**код**\n```", "\n      \x1b[38;5;243m│\x1b[0m **код**"},
		{"```\nне код", "```\n      не код"},
	} {
		e.Body = test.body
		head := "\x1b[38;5;243m12:00\x1b[0m \x1b[1;" + p.look.names[nameHue("Мария")] + "mМария\x1b[0m:"
		got := strings.Join(p.message(e, 80), "\n")
		if got != head+strings.TrimPrefix(" "+test.want, " \n") && got != head+test.want {
			t.Errorf("%q is painted %q, want %q", test.body, got, head+" "+test.want)
		}
	}
}

func TestNameHueIsFNV1a(t *testing.T) {
	for name, want := range map[string]uint32{"": 2166136261, "a": 0xe40c292c, "foobar": 0xbf9cf968} {
		if got := nameHue(name); got != int(want%10) {
			t.Errorf("nameHue(%q) = %d, want %d", name, got, want%10)
		}
	}
}

func TestDateRule(t *testing.T) {
	p := testPainter(palette{})
	for _, test := range []struct {
		at   time.Time
		want string
	}{
		{noon.AddDate(-1, 0, 0), "── 23 ноября 2025 г. ─"},
		{noon.AddDate(0, 0, -2), "── 21 ноября ─────────"},
		{noon.AddDate(0, 0, -1), "── Вчера ────────────"},
		{noon, "── Сегодня ──────────"},
		{noon.Add(time.Hour), ""},
	} {
		got := p.rule(test.at, 21)
		if want := truncate(test.want, 21); got != want && got != strings.TrimSuffix(test.want, "─") {
			t.Errorf("rule(%v) = %q, want %q", test.at, got, test.want)
		}
	}
}

func TestPresenceLines(t *testing.T) {
	p := testPainter(palette{})
	got := p.presence(&protocol.Presence{Joined: []string{"Анна"}, JoinedCount: 1, Left: []string{"Пётр"}, LeftCount: 1})
	if !slices.Equal(got, []string{"Анна теперь в чате", "Пётр покидает чат"}) {
		t.Errorf("got %q", got)
	}
	got = p.presence(&protocol.Presence{Joined: []string{"Анна"}, JoinedCount: 4, LeftCount: 2})
	if !slices.Equal(got, []string{"6 событий: вошли 4, вышли 2"}) {
		t.Errorf("got %q", got)
	}
}

func TestPlurals(t *testing.T) {
	for n, want := range map[int]string{
		1: "1 сообщение ждёт отправки", 3: "3 сообщения ждут отправки", 5: "5 сообщений ждут отправки",
		11: "11 сообщений ждут отправки", 21: "21 сообщение ждёт отправки", 112: "112 сообщений ждут отправки",
	} {
		if got := russian.waiting(n); got != want {
			t.Errorf("waiting(%d) = %q, want %q", n, got, want)
		}
	}
}
