package protocol

import (
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/secure/precis"
)

func TestNamesAreShownAsWrittenAndComparedWithoutCaseAndWidth(t *testing.T) {
	tests := []struct{ name, shown, key string }{
		{"Иван", "Иван", "иван"},
		{"ИВАН", "ИВАН", "иван"},
		{"Alice", "Alice", "alice"},
		{"ＡＬＩＣＥ", "ＡＬＩＣＥ", "alice"},
		{"Jose\u0301", "Jos\u00e9", "jos\u00e9"}, // composed
		{"Anna  Maria", "Anna  Maria", "anna maria"},
		{"Anna\u00a0Maria", "Anna\u00a0Maria", "anna maria"},
		{"ﬁnn", "ﬁnn", "finn"},
		{"DJ Вася 2", "DJ Вася 2", "dj вася 2"},
		{"O_o", "O_o", "o_o"},
		{"עברית", "עברית", "עברית"},
		{"张伟", "张伟", "张伟"},
		{"🦊", "🦊", "🦊"},
		{"a*", "a*", "a*"},
		{"7", "7", "7"},
		{"Иван (работа)", "Иван (работа)", "иван (работа)"},
		{strings.Repeat("я", MaxNameLen), strings.Repeat("я", MaxNameLen), strings.Repeat("я", MaxNameLen)},
	}
	for _, tt := range tests {
		shown, key, err := CheckName(tt.name)
		if err != nil || shown != tt.shown || key != tt.key {
			t.Errorf("CheckName(%+q) = %+q, %+q, %v, want %+q, %+q", tt.name, shown, key, err, tt.shown, tt.key)
		}
	}
}

func TestHostileNamesAreRefused(t *testing.T) {
	bad := map[string]string{
		"empty":                  "",
		"space":                  " ",
		"no-break space":         "\u00a0",
		"ideographic space":      "\u3000",
		"space before":           " Иван",
		"space after":            "Иван ",
		"no-break space after":   "Иван\u00a0",
		"too long":               strings.Repeat("я", MaxNameLen+1),
		"300 letters":            strings.Repeat("a", 300),
		"newline":                "a\nИван: hello",
		"carriage return":        "a\rb",
		"tab":                    "a\tb",
		"NUL":                    "a\x00b",
		"escape":                 "\x1b[31mred",
		"DEL":                    "a\x7f",
		"C1 control":             "a\u009b31m",
		"not UTF-8":              "a\xffb",
		"half a character":       "\xd0",
		"colon":                  "Иван: привет",
		"full-width colon":       "Иван：привет",
		"star first":             "* Иван",
		"full-width star first":  "＊ Иван",
		"markup":                 "<b>a</b>",
		"quote":                  `a"b`,
		"apostrophe":             "a'b",
		"backquote":              "a`b",
		"slash":                  "a/b",
		"backslash":              `a\b`,
		"at":                     "@all",
		"hash":                   "#a",
		"comma":                  "a,b",
		"question":               "a?b",
		"exclamation":            "a!b",
		"double exclamation":     "a‼",
		"zero-width space":       "a\u200bb",
		"only zero-width":        "\u200b",
		"joiner":                 "a\u200db",
		"byte order mark":        "\ufeffa",
		"soft hyphen":            "a\u00adb",
		"right-to-left override": "\u202enavI",
		"right-to-left mark":     "a\u200f",
		"isolate":                "\u2066a\u2069",
		"arabic letter mark":     "a\u061c",
		"line separator":         "a\u2028b",
		"Hangul filler":          "\u3164",
		"halfwidth filler":       "\uffa0",
		"Jamo filler":            "\u115f",
		"grapheme joiner":        "a\u034f",
		"Braille blank":          "\u2800",
		"Braille blank after":    "Иван\u2800",
		"Braille blank inside":   "Ив\u2800ан",
		"joiner of Tifinagh":     "Иван\u2d7f",
		"joiner of Brahmi":       "Иван\U0001107f",
		"object replacement":     "Иван\ufffc",
		"replacement":            "Иван\ufffd",
		"blank hieroglyph":       "Иван\U00013441",
		"half blank hieroglyph":  "Иван\U00013442",
		"filler of Khitan":       "Иван\U00016fe4",
		"note without a head":    "Иван\U0001d159",
		"mark first":             "\u0301a",
		"only a mark":            "\u0301",
		"only a spacing accent":  "\u00b4",
		"only punctuation":       "...",
		"only dashes":            "--",
		"tag characters":         "a\U000e0041",
		"private use":            "\ue000",
		"unassigned":             "a\u0378",
		"noncharacter":           "a\ufffe",
	}
	for what, name := range bad {
		if shown, _, err := CheckName(name); err == nil || err.Code != CodeBadName {
			t.Errorf("%s: CheckName(%+q) = %+q, %v, want %s", what, name, shown, err, CodeBadName)
		}
	}
	for _, name := range []string{"admin", "Admin", "ＡＤＭＩＮ", "SYSTEM", "Govor", "Сервер", "АДМИНИСТРАТОР", "root", "Owner", "Владелец", "ведущий"} {
		if _, _, err := CheckName(name); err == nil || err.Code != CodeNameTaken {
			t.Errorf("CheckName(%q) = %v, want %s: the name is reserved", name, err, CodeNameTaken)
		}
	}
}

// The short way to the key of a plain name is that of the profile, for all neighbours.
func TestPlainNamesHaveTheKeyOfTheProfile(t *testing.T) {
	var plain []rune
	for r := rune(' '); r < 0x460; r++ {
		if isPlain(string(r)) && (r == ' ' || allowedInName("a"+string(r))) {
			plain = append(plain, r)
		}
	}
	if len(plain) < 150 {
		t.Fatalf("%d characters are plain", len(plain))
	}
	random := rand.New(rand.NewPCG(1, 2))
	times := 50_000
	if raceEnabled {
		times = 1000
	}
	for range times {
		runes := make([]rune, 1+random.IntN(6))
		for i := range runes {
			runes[i] = plain[random.IntN(len(plain))]
		}
		name := string(runes)
		shown, key, err := CheckAnyName(name)
		if err != nil || !isPlain(name) {
			continue
		}
		if want, perr := precis.Nickname.CompareKey(name); perr != nil || key != want || shown != name {
			t.Fatalf("CheckAnyName(%+q) = %+q, %+q; the profile says %+q, %v", name, shown, key, want, perr)
		}
	}
}

// What was allowed once is allowed again as it is shown, with the same key: names come back from cookies and files.
func TestAllowedNamesStayAllowed(t *testing.T) {
	for r := range someCharacters() {
		if !unicode.IsGraphic(r) {
			continue
		}
		for _, name := range []string{string(r), "a" + string(r), string(r) + "a"} {
			shown, key, err := CheckName(name)
			if err != nil {
				continue
			}
			if again, key2, err := CheckName(shown); err != nil || again != shown || key2 != key {
				t.Fatalf("CheckName(%+q) = %+q, %+q, then %+q, %+q, %v", name, shown, key, again, key2, err)
			}
			if strings.ContainsAny(key, ":\n") || strings.HasPrefix(key, "*") {
				t.Fatalf("CheckName(%+q) has the key %+q", name, key)
			}
		}
	}
}

// someCharacters gives every character of the scripts and signs, and some of each large block of ideographs. With the race
// detector, which finds nothing in functions without state and takes minutes for it, it gives every 31st of them.
func someCharacters() iter.Seq[rune] {
	return func(yield func(rune) bool) {
		step := rune(1)
		if raceEnabled {
			step = 31
		}
		for r := rune(' '); r <= unicode.MaxRune; {
			if !yield(r) {
				return
			}
			switch {
			case r >= 0x3400 && r < 0xa000, r >= 0xac00 && r < 0xd700:
				r += 101
			case r >= 0x20000 && r < 0xe0000, r >= 0xf0000:
				r += 4999
			default:
				r += step
			}
		}
	}
}

func TestWithSuffixCutsByGraphemes(t *testing.T) {
	flags := strings.Repeat("🇷🇺", 16) // 32 characters, 16 graphemes
	accents := strings.Repeat("я\u0308", 16)
	tests := []struct {
		name string
		n    int
		want string
	}{
		{"Иван", 2, "Иван-2"},
		{"Иван", 99, "Иван-99"},
		{strings.Repeat("я", 32), 2, strings.Repeat("я", 30) + "-2"},
		{strings.Repeat("я", 32), 99, strings.Repeat("я", 29) + "-99"},
		{flags, 2, strings.Repeat("🇷🇺", 15) + "-2"},
		{flags, 99, strings.Repeat("🇷🇺", 14) + "-99"},
		{accents, 10, strings.Repeat("я\u0308", 14) + "-10"},
		{strings.Repeat("a", 29) + " bc", 2, strings.Repeat("a", 29) + "-2"},
		{"a" + strings.Repeat("\u0300", 31), 2, "-2"}, // one grapheme fills the name
	}
	for _, tt := range tests {
		got := WithSuffix(tt.name, tt.n)
		if got != tt.want {
			t.Errorf("WithSuffix(%q, %d) = %q, want %q", tt.name, tt.n, got, tt.want)
		}
		if _, _, err := CheckName(got); err != nil {
			t.Errorf("WithSuffix(%q, %d) = %q, which is %v", tt.name, tt.n, got, err)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"Иван", "a\u0301", strings.Repeat("🇷🇺", 16), "ＡＬＩＣＥ", "a  b", "¨a", "аlice", "AIice", "İrem"} {
		f.Add(s, uint8(2))
	}
	f.Fuzz(func(t *testing.T, s string, n uint8) {
		shown, key, err := CheckName(s)
		if err != nil {
			return
		}
		again, key2, err := CheckName(shown)
		if err != nil || again != shown || key2 != key {
			t.Fatalf("CheckName(%+q) = %+q, %+q, then %+q, %+q, %v", s, shown, key, again, key2, err)
		}
		for _, look := range LooksOf(shown, key) {
			if slowSkeleton(look) != look {
				t.Fatalf("the skeleton %+q of %+q becomes %+q", look, shown, slowSkeleton(look))
			}
		}
		suffixed := WithSuffix(shown, 2+int(n)%98)
		if _, _, err := CheckName(suffixed); err != nil || utf8.RuneCountInString(suffixed) > MaxNameLen {
			t.Fatalf("WithSuffix(%+q) = %+q, %v", shown, suffixed, err)
		}
		if uniseg.GraphemeClusterCount(suffixed) > uniseg.GraphemeClusterCount(shown)+3 {
			t.Fatalf("WithSuffix(%+q) = %+q has torn a grapheme", shown, suffixed)
		}
	})
}

func TestRoomsAreWrittenInOneWay(t *testing.T) {
	good := map[string]string{
		"lobby": "lobby", "Lobby": "lobby", "ＬＯＢＢＹ": "lobby", "общий": "общий", "ЁЖ": "ёж", "2026": "2026",
		"2026-планы": "2026-планы", "１a": "1a", "a.b_c-d": "a.b_c-d", "a.": "a.", "e\u0301": "\u00e9", "עברית": "עברית",
		"हिन्दी": "हिन्दी", "房间": "房间", strings.Repeat("я", MaxNameLen): strings.Repeat("я", MaxNameLen),
	}
	for s, want := range good {
		got, err := CheckRoom(s)
		if err != nil || got != want {
			t.Errorf("CheckRoom(%q) = %q, %v, want %q", s, got, err, want)
		}
		if again, err := CheckRoom(got); err != nil || again != got {
			t.Errorf("CheckRoom(%q) = %q, %v, want the same again", got, again, err)
		}
	}
	bad := []string{
		"", " ", ".", "..", ".a", "-a", "_a", "$server", "a b", "a/b", `a\b`, "a%2fb", "a?b", "a#b", "a&b", "a:b", "<b>", "a\nb",
		"a\x00", "a\xff", "\u0301a", "a\u200bb", "a\u202eb", "a\u00adb", "\ufeffa", "🦊", "a²", "עabc", "abcע",
		strings.Repeat("я", MaxNameLen+1), strings.Repeat("a", 300),
	}
	for _, s := range bad {
		if got, err := CheckRoom(s); err == nil || err.Code != CodeBadRoom {
			t.Errorf("CheckRoom(%+q) = %q, %v, want %s", s, got, err, CodeBadRoom)
		}
	}
}

func TestRoomNamesAreStable(t *testing.T) {
	for r := range someCharacters() {
		for _, s := range []string{string(r), "a" + string(r), string(r) + "a"} {
			room, err := CheckRoom(s)
			if err != nil {
				continue
			}
			if again, err := CheckRoom(room); err != nil || again != room {
				t.Fatalf("CheckRoom(%+q) = %+q, then %+q, %v", s, room, again, err)
			}
		}
	}
}

func TestTextOfAMessage(t *testing.T) {
	tests := []struct {
		text string
		max  int
		want Code
	}{
		{"привет", 0, ""},
		{" a ", 0, ""},
		{"", 0, CodeEmpty},
		{" \t\r\n\u00a0\u3000", 0, CodeEmpty},
		{"a\xff", 0, CodeBadText},
		{"\xff", 0, CodeBadText},
		{strings.Repeat("я", DefaultMaxText), 0, ""},
		{strings.Repeat("я", DefaultMaxText+1), 0, CodeTooLong},
		{"абв", 3, ""},
		{"абвг", 3, CodeTooLong},
		{"a\x00b", 0, ""}, // formats show controls harmlessly, what was said stays as it was said
	}
	for _, tt := range tests {
		var got Code
		if err := CheckText(tt.text, tt.max); err != nil {
			got = err.Code
		}
		if got != tt.want {
			t.Errorf("CheckText(%.20q, %d) = %q, want %q", tt.text, tt.max, got, tt.want)
		}
	}
	if err := CheckText("абвгд", 3); !strings.Contains(err.Message, "2 more") {
		t.Errorf("CheckText says %q, want it to say that 2 are too many", err.Message)
	}
}

func TestIDs(t *testing.T) {
	for _, id := range []string{"a", "A-Z_09", NewID(), NewMemberID().String(), strings.Repeat("x", MaxIDLen)} {
		if err := CheckID(id); err != nil {
			t.Errorf("CheckID(%q) = %v", id, err)
		}
	}
	for _, id := range []string{"", " ", "a b", "é", "a.b", "a/b", "a\n", "a\x00", strings.Repeat("x", MaxIDLen+1)} {
		if err := CheckID(id); err == nil || err.Code != CodeBadID {
			t.Errorf("CheckID(%q) = %v, want %s", id, err, CodeBadID)
		}
	}
	m := NewMemberID()
	if got, err := ParseMemberID(m.String()); err != nil || got != m {
		t.Errorf("ParseMemberID(%q) = %v, %v", m, got, err)
	}
	for _, s := range []string{"", "a", m.String() + "A", m.String()[1:], strings.Repeat("=", 22)} {
		if _, err := ParseMemberID(s); err == nil {
			t.Errorf("ParseMemberID(%q) is allowed", s)
		}
	}
}
