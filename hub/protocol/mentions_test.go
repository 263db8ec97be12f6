package protocol

import (
	"slices"
	"strings"
	"testing"
)

func TestMentions(t *testing.T) {
	for text, want := range map[string][]string{
		"":            {},
		"ничего":      {},
		"@Мария":      {"мария"},
		"да, @МАРИЯ!": {"мария"},
		"(@Мария)":    {"мария"},
		"@Мария.":     {"мария"},
		"@Анна Ковалёва, привет": {"анна", "анна ковалёва"},
		"@a @b":                       {"a", "b"},
		"ivan@example.org":            {},
		"@@Мария":                     {"мария"},
		"@":                           {},
		"@ Мария":                     {},
		"**@Мария** и `@Пётр`":        {"мария", "пётр"},
		"@Иван-2":                     {"иван-2"},
		"@admin":                      {},
		"@" + strings.Repeat("я", 33): {},
		"@Ян один два три четыре пять шесть": {"ян", "ян один", "ян один два", "ян один два три"},
	} {
		if got := Mentions(text); !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("Mentions(%q) = %q, want %q", text, got, want)
		}
	}
	if n := len(Mentions(strings.Repeat("@a ", 1000))); n != maxAts {
		t.Errorf("of a thousand, %d are looked at, want %d", n, maxAts)
	}
}
