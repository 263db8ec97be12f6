package terminal

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"govor/hub/protocol"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// keyboard is a screen under test, with keys to press.
type keyboard struct {
	*screen
	t  *testing.T
	vt *vt
	d  keyDecoder
}

func newKeyboard(t *testing.T, columns, rows int) *keyboard {
	t.Helper()
	v := newVT(t, columns, rows)
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	s := &screen{
		in: r, out: v, words: &russian, input: make(chan typed, 1), recall: newRecall(""),
		size:  func() (int, int) { return v.columns, v.rows },
		paint: &painter{words: &russian, now: func() time.Time { return noon }, zone: time.UTC, me: "Мария"},
	}
	s.write(bracketedPasteOn + s.redrawLocked(nil))
	return &keyboard{screen: s, t: t, vt: v}
}

// press does what the bytes ask for and returns what would be sent.
func (k *keyboard) press(bytes string) []typed {
	var out []typed
	for _, key := range k.d.feed([]byte(bytes)) {
		if in, ok := k.key(key); ok {
			out = append(out, in)
		}
	}
	return out
}

func (k *keyboard) say(name, text string) {
	k.message(&protocol.Event{Kind: protocol.KindMessage, Name: name, Body: text, At: noon.UnixMilli()}, nil)
}

func (k *keyboard) want(lines ...string) {
	k.t.Helper()
	if got := k.vt.lines(); !slices.Equal(got, lines) {
		k.t.Fatalf("on the screen:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

func (k *keyboard) wantCursor(x, y int) {
	k.t.Helper()
	if gx, gy := k.vt.cursor(); gx != x || gy != y {
		k.t.Fatalf("cursor at %d,%d, want %d,%d", gx, gy, x, y)
	}
}

func TestIncomingLinesDoNotTearWhatIsTyped(t *testing.T) {
	k := newKeyboard(t, 40, 10)
	k.press("Вечером")
	k.say("Пётр", "привет")
	k.press(" повторю")
	k.say("Анна Ковалёва", "Доброе утро! После обеда выкатываю 0.4")
	rule := "── Сегодня " + strings.Repeat("─", 29)
	k.want(rule, "12:00 Пётр: привет", "12:00 Анна Ковалёва: Доброе утро! После", "      обеда выкатываю 0.4", "> Вечером повторю")
	k.wantCursor(2+len([]rune("Вечером повторю")), 4)
	if got := k.press("\r"); len(got) != 1 || got[0].text != "Вечером повторю" {
		t.Fatalf("sent %v", got)
	}
	if last := k.vt.lines()[4]; last != ">" {
		t.Errorf("after Enter the last row is %q", last)
	}
}

func TestLongTextWrapsAndIsErased(t *testing.T) {
	k := newKeyboard(t, 12, 8)
	k.press("0123456789abcdefgh")
	k.want("> 012345678", "  9abcdefgh")
	k.wantCursor(11, 1)
	k.say("П", "я")
	k.want("── Сегодня ─", "12:00 П:", "      я", "> 012345678", "  9abcdefgh")
}

func TestWideCharactersKeepTheirColumns(t *testing.T) {
	k := newKeyboard(t, 12, 8)
	k.press("日本語🙏👩‍👩‍👧e\u0301") // 2+2+2+2+2+1
	k.want("> 日本語🙏", "  👩‍👩‍👧e\u0301")
	k.press("\x7f\x7f")
	k.want("> 日本語🙏")
	k.wantCursor(10, 0)
	k.press("\x1b[D\x1b[D!")
	k.want("> 日本!語🙏")
}

func TestKeysOfALineEditor(t *testing.T) {
	for _, test := range []struct{ keys, text, want string }{
		{"abc def\x01X", "Xabc def", ""},
		{"abc def\x01\x05X", "abc defX", ""},
		{"abc def\x17", "abc ", ""},
		{"abc def\x15", "", ""},
		{"abc def\x02\x02\x02\x0b", "abc ", ""},
		{"abc def\x17\x19\x19", "abc defdef", ""},
		{"abc\x1b[D\x1b[3~", "ab", ""},
		{"abc\x1b[H\x1b[C-\x1b[F+", "a-bc+", ""},
		{"один два\x1bb\x1bb+", "+один два", ""},
		{"один два\x1b[1;5D\x1b[1;5D\x1bd", " два", ""},
		{"ab\x14", "ba", ""},
		{"a\x1b\rb", "a\nb", ""},
		{"a\x04", "a", ""},
		{"a\x1b[99;9u\x1bOP\x1b]b", "a]b", ""},
		{"\x1b[200~раз\r\nдва\t\x1b[31m\x1b[201~", "раз\nдва\t[31m", ""},
		{"при\xd0", "при", ""},
	} {
		k := newKeyboard(t, 80, 24)
		for i := range len(test.keys) { // one byte at a time: nothing depends on how reads are cut
			k.press(test.keys[i : i+1])
		}
		if k.edit.text != test.text {
			t.Errorf("%q makes %q, want %q", test.keys, k.edit.text, test.text)
		}
	}
}

func TestPasteIsOneMessage(t *testing.T) {
	k := newKeyboard(t, 60, 12)
	got := k.press("\x1b[200~1\n2\n3\n4\n5\n6\n\x1b[201~")
	if len(got) != 0 {
		t.Fatalf("a paste sent %v", got)
	}
	k.want("* вставлено строк: 6, Enter — отправить одним сообщением", "> 1", "  2", "  3", "  4", "  5", "  6")
	if got := k.press("\r"); len(got) != 1 || got[0].text != "1\n2\n3\n4\n5\n6" {
		t.Errorf("sent %v", got)
	}
	k.want(">")
}

func TestATextThatIsTooLongStays(t *testing.T) {
	k := newKeyboard(t, 60, 12)
	k.member("Мария", 3)
	if got := k.press("абвг\r"); len(got) != 0 {
		t.Fatalf("sent %v", got)
	}
	k.want("* Слишком длинно: 1 лишних символов", "> абвг")
	if got := k.press("\x7f\r"); len(got) != 1 || got[0].text != "абв" {
		t.Errorf("sent %v", got)
	}
	if got := k.press("   \r"); len(got) != 0 {
		t.Errorf("sent %v", got)
	}
	k.want(">")
}

func TestHistoryAndDraft(t *testing.T) {
	k := newKeyboard(t, 60, 12)
	k.press("раз\rдва\r\x1b[200~три\nтри\x1b[201~\r")
	k.press("черновик\x1b[A")
	k.want("> три", "  три")
	k.press("\x1b[A\x1b[A\x1b[A\x1b[A") // first to the upper line
	k.want("> раз")
	k.press("\x1b[B\x1b[B\x1b[B\x1b[B\x1b[B")
	k.want("> черновик")
}

func TestTabCompletesNames(t *testing.T) {
	k := newKeyboard(t, 60, 12)
	k.people([]string{"Пётр", "Анна Ковалёва", "Павел"})
	k.press("п\t")
	k.want("> @Пётр")
	k.press("\t")
	k.want("> @Павел")
	k.press("ты с @ан\t!")
	k.want("> @Павел ты с @Анна Ковалёва !")
	before := k.edit.text
	k.press("\t \t zzz\t")
	if k.edit.text != before+"  zzz" {
		t.Errorf("Tab without a name changed %q to %q", before, k.edit.text)
	}
}

func TestStatusStandsAboveThePromptAndStays(t *testing.T) {
	k := newKeyboard(t, 60, 12)
	k.press("текст")
	k.status(warning, "Нет связи. Повтор через 4 с · 1 сообщение ждёт отправки")
	k.want("* Нет связи. Повтор через 4 с · 1 сообщение ждёт отправки", "> текст")
	k.status(warning, "Нет связи. Повтор через 3 с · 1 сообщение ждёт отправки")
	k.want("* Нет связи. Повтор через 3 с · 1 сообщение ждёт отправки", "> текст")
	k.back()
	k.want("* Нет связи. Повтор через 3 с · 1 сообщение ждёт отправки", "* Снова на связи", "> текст")
}

func TestResizeLeavesOnePrompt(t *testing.T) {
	k := newKeyboard(t, 40, 10)
	k.say("Пётр", "привет")
	k.press("0123456789 0123456789 0123456789")
	// What a terminal does that wraps its rows anew when it becomes narrower.
	k.vt.mu.Lock()
	old := k.vt.linesLocked()
	fresh := newVT(t, 20, 10)
	k.vt.columns, k.vt.cells, k.vt.x, k.vt.y = 20, fresh.cells, 0, 0
	for i, line := range old {
		if i > 0 {
			k.vt.x = 0
			k.vt.pending = false
			k.vt.down()
		}
		for _, r := range line {
			k.vt.put(string(r))
		}
	}
	k.vt.mu.Unlock()
	k.resized()
	if got := k.vt.lines(); strings.Count(strings.Join(got, "\n"), ">") != 1 || !slices.Contains(got, "12:00 Пётр: привет") {
		t.Errorf("after a resize:\n%s", strings.Join(got, "\n"))
	}
}

func TestTextTallerThanTheTerminal(t *testing.T) {
	k := newKeyboard(t, 20, 6)
	k.press("\x1b[200~" + strings.Repeat("строка\n", 100) + "конец\x1b[201~")
	if got := k.vt.lines(); len(got) > 6 || got[len(got)-1] != "  конец" {
		t.Errorf("on the screen:\n%s", k.vt)
	}
	k.say("П", "я")
	k.press("\x15\x7f")
	for range 200 {
		k.press("\x1b[A")
	}
	if got := k.vt.lines(); !slices.Contains(got, "> строка") {
		t.Errorf("at the beginning:\n%s", k.vt)
	}
	if len(k.vt.scrolled)+len(k.vt.lines()) > 12 {
		t.Errorf("rows were left behind:\n%s\n--\n%s", strings.Join(k.vt.scrolled, "\n"), k.vt)
	}
}

// Whatever is typed and whatever arrives, the screen is the log and below it the text as the editor has it.
func TestScreenIsAlwaysLogAndText(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	keys := []string{
		"а", "b", " ", "語", "🙏", "e\u0301", "\x7f", "\x1b[D", "\x1b[C", "\x01", "\x05", "\x17", "\x0b", "\x1b\r", "\x1b[A", "\x1b[B",
		"длинное-слово-", "\x14", "\x19", "\r", "\t",
	}
	k := newKeyboard(t, 24, 200)
	k.people([]string{"Анна Ковалёва", "b-boy"})
	var log []string
	for i := range 1500 {
		switch random.IntN(12) {
		case 0:
			k.say("Пётр", fmt.Sprint(i))
			if len(log) == 0 {
				log = append(log, "── Сегодня "+strings.Repeat("─", 13))
			}
			log = append(log, "12:00 Пётр: "+fmt.Sprint(i))
		default:
			k.press(keys[random.IntN(len(keys))])
		}
		rows, row, column := k.edit.layout(22)
		if len(rows) > maxEditRows {
			k.press("\r")
			continue
		}
		want := slices.Clone(log)
		for i, r := range rows {
			prefix := "  "
			if i == 0 {
				prefix = "> "
			}
			want = append(want, strings.TrimRight(prefix+r, " "))
		}
		for len(want) > 0 && want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		if got := append(slices.Clone(k.vt.scrolled), k.vt.lines()...); !slices.Equal(got, want) {
			t.Fatalf("step %d: on the screen:\n%s\nwant:\n%s", i, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if x, y := k.vt.cursor(); x != 2+column || y != len(log)+row-len(k.vt.scrolled) {
			t.Fatalf("step %d: cursor %d,%d, want %d,%d", i, x, y, 2+column, len(log)+row)
		}
		if len(log) > 150 {
			return
		}
	}
}

func TestOneWritePerChange(t *testing.T) {
	k := newKeyboard(t, 40, 10)
	before := k.vt.writes
	k.press("слово")
	k.say("Пётр", "привет")
	if n := k.vt.writes - before; n != 2 {
		t.Errorf("%d writes for two changes: a line could be seen torn", n)
	}
}

func TestCtrlCAndCtrlD(t *testing.T) {
	k := newKeyboard(t, 40, 10)
	if got := k.press("\x03"); len(got) != 1 || got[0].end != interrupted {
		t.Errorf("Ctrl+C: %v", got)
	}
	if got := k.press("a\x04"); len(got) != 0 {
		t.Errorf("Ctrl+D in a line: %v", got)
	}
	if got := k.press("\x7f\x04"); len(got) != 1 || got[0].end != endOfInput {
		t.Errorf("Ctrl+D on an empty line: %v", got)
	}
}

// Whatever a terminal sends: no panic, nothing unknown is written to it, and the cursor stands between graphemes.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("abc\x1b[D\x1b[200~\r\n\x1b[201~\x1bb\x14\xd0\xffe\u0301\r\x1b[A"))
	f.Fuzz(func(t *testing.T, data []byte) {
		k := newKeyboard(t, 20, 6)
		k.stop = nil
		k.people([]string{"Анна Ковалёва", "🙏"})
		k.press(string(data))
		k.say("Пётр", string(data))
		if !utf8.ValidString(k.edit.text) || k.edit.at != k.edit.boundary(k.edit.at) {
			t.Errorf("%q makes %q with the cursor at %d", data, k.edit.text, k.edit.at)
		}
		for _, r := range strings.Join(k.vt.all(), "") {
			if protocol.CleanText(string(r)) != string(r) {
				t.Errorf("%q reached the terminal", r)
			}
		}
	})
}
