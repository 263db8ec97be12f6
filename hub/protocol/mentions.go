package protocol

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is looked at for names in one text.
const (
	MaxMentions = 32 // @ signs, and what is marked up as a mention
	maxTries    = 96 // what could be a name
	maxEnds     = 8  // where a name could end, behind one @
	costlyEnds  = 3  // the same in scripts in which a name takes long to compare
)

// Mentions are the members that a text names with an @, each once and in the order of the text, as they were called when
// it was said: "key:member,key:member", where key is that of CheckName; no name holds either sign. They travel with the
// event, so that they are the same on every node and for ever, whoever is called what later. "" is nobody.
type Mentions string

// FindMentions looks who is named in a text: after an @ that begins a word and is not in code, the longest run of
// characters that is somebody's name. who says whose name a key is. It is fast where there is no @.
func FindMentions(text string, who func(key string) (MemberID, bool)) Mentions {
	if strings.IndexByte(text, '@') < 0 {
		return ""
	}
	known := map[string]MemberID{} // the zero id is nobody
	is := func(key string) bool {
		m, asked := known[key]
		if !asked && len(known) < maxTries {
			m, _ = who(key)
			known[key] = m
		}
		return !m.IsZero()
	}
	var found Mentions
	signs := 0
	for _, part := range proseOf(text) {
		before := '\n'
		for at := 0; at < len(part) && signs < MaxMentions; {
			i := strings.IndexByte(part[at:], '@')
			if i < 0 {
				break
			}
			if at+i > 0 {
				before, _ = utf8.DecodeLastRuneInString(part[:at+i])
			}
			at += i + 1
			if !MayMention(before) {
				continue
			}
			signs++
			size, key := NameIn(part[at:], is)
			at += size
			if m := known[key]; size > 0 && !found.Has(m) {
				found = found.and(key, m)
			}
		}
	}
	return found
}

func (m Mentions) and(key string, id MemberID) Mentions {
	if m != "" {
		m += ","
	}
	return m + Mentions(key+":"+id.String())
}

// Has tells whether a member is mentioned.
func (m Mentions) Has(id MemberID) bool {
	return m != "" && strings.Contains(string(m), ":"+id.String())
}

// Of is who was mentioned by a name, and whether anybody was.
func (m Mentions) Of(key string) (id MemberID, ok bool) {
	for part := range strings.SplitSeq(string(m), ",") {
		if k, member, _ := strings.Cut(part, ":"); k == key && m != "" {
			id, err := ParseMemberID(member)
			return id, err == nil
		}
	}
	return id, false
}

// Members are the ids of those who are mentioned, as MemberID.String writes them.
func (m Mentions) Members() []string {
	if m == "" {
		return nil
	}
	parts := strings.Split(string(m), ",")
	for i, part := range parts {
		_, parts[i], _ = strings.Cut(part, ":")
	}
	return parts
}

// MayMention tells whether an @ behind a character may call somebody. Behind a letter it is an address of mail, behind a
// slash part of another address, and a second @, or a backslash, takes the meaning away from it.
func MayMention(before rune) bool {
	return !unicode.IsLetter(before) && !unicode.IsDigit(before) && !strings.ContainsRune(`@\/=&%#`, before)
}

// NameIn finds the longest name with which text begins, and its key; size is 0 where there is none. A name ends with a
// word, however many words it has, up to maxEnds.
func NameIn(text string, is func(key string) bool) (size int, key string) {
	ends := make([]int, 0, maxEnds)
	costly := false
	chars, space := 0, true // a name has no space at its ends
	for i, r := range text {
		costly = costly || !isPlain(string(r))
		if len(ends) == maxEnds || costly && len(ends) >= costlyEnds {
			break
		}
		if i > 0 && !space && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			ends = append(ends, i)
		}
		space = r == ' '
		if chars++; chars > MaxNameLen || i == 0 && space || unicode.IsControl(r) || strings.ContainsRune(`:<>"'/@#,?!`+"`\\", r) {
			break // neither this nor what follows is part of it
		}
		if i+utf8.RuneLen(r) == len(text) && !space {
			ends = append(ends, len(text))
		}
	}
	for i := len(ends) - 1; i >= 0; i-- {
		if _, key, bad := CheckAnyName(text[:ends[i]]); bad == nil && is(key) {
			return ends[i], key
		}
	}
	return 0, ""
}

// proseOf are the parts of a text that are not code: neither between backticks nor in a fenced block.
func proseOf(text string) []string {
	var parts []string
	fence, from, at := "", 0, 0
	for line := range strings.SplitAfterSeq(text, "\n") {
		bare := strings.TrimLeft(line, " ")
		opens := fence == "" && (strings.HasPrefix(bare, "```") || strings.HasPrefix(bare, "~~~"))
		switch {
		case opens:
			fence = bare[:len(bare)-len(strings.TrimLeft(bare, bare[:1]))]
			parts = append(parts, outsideTicks(text[from:at])...)
		case fence != "" && strings.HasPrefix(bare, fence) && strings.Trim(strings.TrimSpace(bare), fence[:1]) == "":
			fence, from = "", at+len(line)
		}
		at += len(line)
	}
	if fence == "" {
		parts = append(parts, outsideTicks(text[from:])...)
	}
	return parts
}

// outsideTicks are the parts of a text that are not between two equal runs of backticks.
func outsideTicks(text string) []string {
	var parts []string
	hopeless := map[int]bool{} // lengths of runs of which there is no second one
	from := 0
	for at := 0; at < len(text); {
		i := strings.IndexByte(text[at:], '`')
		if i < 0 {
			break
		}
		at += i
		run := len(text[at:]) - len(strings.TrimLeft(text[at:], "`"))
		end := -1
		if !hopeless[run] {
			end = secondRun(text[at+run:], run)
			hopeless[run] = end < 0
		}
		if end >= 0 {
			parts = append(parts, text[from:at])
			from = at + run + end + run
			at = from
		} else {
			at += run
		}
	}
	return append(parts, text[from:])
}

// secondRun is where the first run of exactly so many backticks begins, -1 if there is none in this paragraph.
func secondRun(text string, run int) int {
	for at := 0; at < len(text); {
		i := strings.IndexByte(text[at:], '`')
		if i < 0 {
			return -1
		}
		at += i
		n := len(text[at:]) - len(strings.TrimLeft(text[at:], "`"))
		if n == run {
			return at
		}
		at += n
	}
	return -1
}
