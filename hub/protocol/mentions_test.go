package protocol

import (
	"slices"
	"strings"
	"testing"
	"testing/quick"
)

// peopleOf answers as a chat does in which there are people of these names.
func peopleOf(t *testing.T, names ...string) (who func(string) (MemberID, bool), asked *int) {
	t.Helper()
	keys, n := map[string]MemberID{}, 0
	for i, name := range names {
		_, key, bad := CheckAnyName(name)
		if bad != nil {
			t.Fatalf("%q: %v", name, bad)
		}
		keys[key] = MemberID{byte(i + 1)}
	}
	return func(key string) (MemberID, bool) {
		n++
		m, ok := keys[key]
		return m, ok
	}, &n
}

func TestFindMentions(t *testing.T) {
	names := []string{"Мария", "Анна", "Анна Ковалёва", "a", "b", "Иван-2", "a.*b[c]$", "snake_case_", "山田 太郎", "Ян один два три четыре пять", "D. J.", "🦊"}
	who, _ := peopleOf(t, names...)
	for text, want := range map[string][]string{
		"":                    {},
		"ничего":              {},
		"@Мария":              {"мария"},
		"да, @МАРИЯ!":         {"мария"},
		"(@Мария)":            {"мария"},
		"@Мария.":             {"мария"},
		"@Мария @мария @Анна": {"мария", "анна"},
		"@Марияна":            {},
		"@Анна Ковалёва, привет": {"анна ковалёва"},
		"@Анна Ковалёва и @Анна": {"анна ковалёва", "анна"},
		"@Анна\nКовалёва":        {"анна"},
		"@Анна Ковалёвой":        {"анна"},
		"@a @b":                  {"a", "b"},
		"@a.*b[c]$ так":          {"a.*b[c]$"},
		"@snake_case_, @D. J.":   {"snake_case_", "d. j."},
		"@山田 太郎さん":               {},
		"@山田 太郎 さん":              {"山田 太郎"},
		"@🦊🦊":                    {"🦊"},
		"@Ян один два три четыре пять, да": {"ян один два три четыре пять"},
		"ivan@a":                             {},
		"https://x.example/@a ?q=@a":         {},
		"@@Мария, @Мария":                    {"мария"},
		"@@Мария":                            {},
		`\@Мария`:                            {},
		"@":                                  {},
		"@ Мария":                            {},
		"**@Мария**":                         {"мария"},
		"`@Мария` @a":                        {"a"},
		"``@Мария ` @a`` @b":                 {"b"},
		"`@Мария":                            {"мария"},
		"```\n@Мария\n``` нет\n```\n@a":      {"a"},
		"~~~ @Мария\n```\n@a\n~~~\n@b":       {"b"},
		"```\n@Мария":                        {},
		"> @Мария":                           {"мария"},
		"@Никто":                             {},
		"@" + strings.Repeat("я", 33):        {},
		strings.Repeat("@Никто ", 32) + "@a": {},
	} {
		got := FindMentions(text, who)
		keys := []string{}
		for part := range strings.SplitSeq(string(got), ",") {
			if key, _, ok := strings.Cut(part, ":"); ok {
				keys = append(keys, key)
			}
		}
		if !slices.Equal(keys, want) {
			t.Errorf("FindMentions(%q) = %q, want %q", text, keys, want)
		}
	}
}

func TestMentionsSayWho(t *testing.T) {
	who, _ := peopleOf(t, "Мария", "Анна Ковалёва")
	m := FindMentions("@мария и @Анна Ковалёва", who)
	if id, ok := m.Of("анна ковалёва"); !ok || id != (MemberID{2}) || !m.Has(id) {
		t.Errorf("%q: %v, %v", m, id, ok)
	}
	if _, ok := m.Of("анна"); ok || m.Has(MemberID{3}) || Mentions("").Has(MemberID{}) {
		t.Errorf("%q mentions others, too", m)
	}
	if got := m.Members(); !slices.Equal(got, []string{MemberID{1}.String(), MemberID{2}.String()}) {
		t.Errorf("Members = %q", got)
	}
}

// What somebody types costs a bounded number of questions, whatever it is.
func TestMentionsAreBounded(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("@a ", 1000), strings.Repeat("@$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$ ", 200), strings.Repeat("@", 8000),
		strings.Repeat("` `` ``` ", 900) + "@a", "@" + strings.Repeat("a ", 4000),
	} {
		who, asked := peopleOf(t, "b")
		if m := FindMentions(text, who); m != "" || *asked > maxTries {
			t.Errorf("%.20q…: %q after %d questions", text, m, *asked)
		}
	}
}

// Behind one @ only so many ends of a name are tried, and fewer in scripts in which each takes long.
func TestEndsOfANameAreBounded(t *testing.T) {
	for text, want := range map[string]int{
		strings.Repeat("a ", 16): maxEnds, strings.Repeat("ё ", 16): maxEnds, strings.Repeat("한 ", 16): costlyEnds,
		"a b 한 c d e f g h i": costlyEnds, "a b c d e 한": 5, "a": 1,
	} {
		asked := 0
		NameIn(text, func(string) bool { asked++; return false })
		if asked != want {
			t.Errorf("%q: %d ends were tried, want %d", text, asked, want)
		}
	}
}

func TestAnyTextCanBeSearchedForMentions(t *testing.T) {
	who, _ := peopleOf(t, "a")
	alphabet := []rune("@a b`~\n\\я.*\u0301\u202e🦊")
	if err := quick.Check(func(picks []byte) bool {
		var b strings.Builder
		for _, p := range picks {
			b.WriteRune(alphabet[int(p)%len(alphabet)])
		}
		FindMentions(b.String(), who)
		return true
	}, nil); err != nil {
		t.Error(err)
	}
}
