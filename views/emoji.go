package views

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// maxLargeEmoji is how many emoji a message may have, and nothing else, to be shown large.
const maxLargeEmoji = 3

// onlyEmoji tells whether text is one to three emoji and nothing else but spaces.
func onlyEmoji(text string) bool {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > 128 {
		return false
	}
	n := 0
	for state := -1; text != ""; {
		var cluster string
		cluster, text, _, state = uniseg.FirstGraphemeClusterInString(text, state)
		if cluster == " " {
			continue
		}
		if n++; n > maxLargeEmoji || !isEmoji(cluster) {
			return false
		}
	}
	return true
}

// isEmoji tells whether a grapheme cluster is shown as a picture: a keycap, or two cells wide and a pictograph or a pair
// of regional indicators. CJK symbols are as wide, but they are letters to their readers.
func isEmoji(cluster string) bool {
	if strings.HasSuffix(cluster, "\ufe0f\u20e3") { // keycap
		return true
	}
	if uniseg.StringWidth(cluster) != 2 {
		return false
	}
	first := []rune(cluster)[0]
	switch {
	case first >= 0x1f1e6 && first <= 0x1f1ff: // regional indicator
		return true
	case first >= 0x2e80 && first <= 0x33ff, first >= 0x1f200 && first <= 0x1f2ff: // CJK
		return false
	case strings.ContainsRune(cluster, '\ufe0f'):
		return true
	}
	return first > 0x2000 && unicode.In(first, unicode.So, unicode.Sk)
}
