package views

import (
	"strings"
	"testing"
)

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"Мария": "М", "Анна Ковалёва": "АК", "Константин Задунайский-Преображенский": "КЗ", "ci": "ci", "sam": "S", "Иван-2": "И",
		"Юлия Б.": "ЮБ", "a b c": "AB", "👩‍👩‍👧 семья": "👩‍👩‍👧С", "é́é́é́x": "É́", "": "",
		"z" + strings.Repeat("\u0301", 31): "",
	} {
		if got := initials(name); got != want {
			t.Errorf("initials(%q) = %q, want %q", name, got, want)
		}
	}
}

// The hue of a name is the same on every node and in every version: people know one another by it.
func TestHueIsFixed(t *testing.T) {
	for name, want := range map[string]int{"": 1, "Мария": 6, "Пётр": 2, "Sam": 2} {
		if got := hue(name); got != want {
			t.Errorf("hue(%q) = %d, want %d", name, got, want)
		}
	}
}

func TestOnlyEmoji(t *testing.T) {
	for text, want := range map[string]bool{
		"🎉": true, "🎉🚀": true, " 👩‍👩‍👧  🇷🇺 3️⃣ ": true, "❤️": true, "👍🏽": true, "☀️": true, "⭐": true,
		"": false, " ": false, "🎉🚀👍🎉": false, "привет 🎉": false, "a": false, "漢": false, "㈱": false, "12": false, "#": false,
		"©": false, "→": false, "　": false,
	} {
		if got := onlyEmoji(text); got != want {
			t.Errorf("onlyEmoji(%q) = %v, want %v", text, got, want)
		}
	}
}
