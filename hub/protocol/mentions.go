package protocol

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is looked at for names in one text.
const (
	maxAts       = 32 // @ signs
	maxNameWords = 4  // words of a name after one of them
)

// Mentions are the keys (see CheckName) of all names that a text may mention: after each @ that begins a word, the
// longest and every shorter run of words that could be a name. Which of them are names of somebody is for the caller to
// know. It is fast where there is no @.
func Mentions(text string) []string {
	var keys []string
	before := ' '
	for ats := 0; ats < maxAts; {
		i := strings.IndexByte(text, '@')
		if i < 0 {
			break
		}
		if i > 0 {
			before, _ = utf8.DecodeLastRuneInString(text[:i])
		}
		text = text[i+1:]
		if unicode.IsLetter(before) || unicode.IsDigit(before) { // an address of mail
			before = '@'
			continue
		}
		before = '@'
		ats++
		keys = appendNames(keys, text)
	}
	return keys
}

// appendNames adds the keys of the names that text could begin with.
func appendNames(keys []string, text string) []string {
	end, chars, words := 0, 0, 0
	for words < maxNameWords {
		size := wordLen(text[end:])
		if size == 0 {
			break
		}
		chars += utf8.RuneCountInString(text[end : end+size])
		if end += size; chars > MaxNameLen {
			break
		}
		words++
		if _, key, bad := CheckName(strings.TrimRight(text[:end], ".-_")); bad == nil {
			keys = append(keys, key)
		}
		if !strings.HasPrefix(text[end:], " ") {
			break
		}
		end++
		chars++
	}
	return keys
}

// wordLen is the length of the word that text begins with, in bytes.
func wordLen(text string) int {
	for i, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune(".-_", r) {
			return i
		}
	}
	return len(text)
}
