package protocol

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/mtibben/confusables"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Looks is what a name looks like: its skeletons by UTS 39, folded to lower case. Two names that share one of them can be
// taken for one another. There is one of the name as it is compared, one of the name as it is shown (the capital I of
// "AIice" is seen only there), and one of the name in capitals, which is the same name to us ("ИBАН" with a Latin B);
// "" where it is the same as one before it.
//
// The zero value looks like nothing. Looks travel with the event that takes a name and are stored beside it, so that
// every node compares the same, whatever tables it was built with.
type Looks [3]string

// LooksOf computes the looks of a name or a room, with what CheckName or CheckRoom returned.
func LooksOf(shown, key string) Looks {
	// A capital i stays what it is in the last one, or Lia could be taken for Ila.
	l := Looks{skeleton(key), "", skeleton(strings.ReplaceAll(strings.ToUpper(shown), "I", "i"))}
	if shown != key {
		l[1] = skeleton(shown)
	}
	if l[1] == l[0] {
		l[1] = ""
	}
	if l[2] == l[0] || l[2] == l[1] {
		l[2] = ""
	}
	return l
}

// LookOf is the first of the looks of a name, by its key alone.
func LookOf(key string) string { return skeleton(key) }

// Like tells whether one could be taken for the other.
func (l Looks) Like(o Looks) bool {
	for _, look := range l {
		if look != "" && slices.Contains(o[:], look) {
			return true
		}
	}
	return false
}

// newerConfusables are those letters of living scripts for names that later versions of the table have added.
var newerConfusables = strings.NewReplacer("\u04cf", "l", "ш", "w", "þ", "p", "Þ", "P", "ẞ", "ß")

// skeleton follows UTS 39 §4. Lower case makes letters confusable that were not before ("M" is no "rn", "m" is), so it
// goes on until nothing changes any more.
func skeleton(s string) string {
	var b strings.Builder
	one := letterSkeletons()
	if strings.Contains(s, "  ") || strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ") {
		return slowSkeleton(s)
	}
	for _, r := range s {
		if r >= letters || one[r] == "" {
			return slowSkeleton(s)
		}
		b.WriteString(one[r])
	}
	return b.String()
}

// letters is where the alphabets end that most names here are written in: Latin, Greek, Cyrillic.
const letters = '\u0500'

// letterSkeletons are the skeletons of what does not change its neighbour's: a word of it looks like its letters one after
// the other. "" is for everything else: other blanks, marks, and what becomes one of them.
var letterSkeletons = sync.OnceValue(func() *[letters]string {
	var all [letters]string
	for r := rune('!'); r < letters; r++ {
		look := slowSkeleton(string(r))
		first, _ := utf8.DecodeRuneInString(look)
		if look != "" && !unicode.IsMark(r) && !unicode.IsMark(first) && !strings.ContainsFunc(look, unicode.IsSpace) {
			all[r] = look
		}
	}
	all[' '] = " " // between two words
	return &all
})

func slowSkeleton(s string) string {
	const rounds = 4 // a test proves that the result is stable
	for range rounds {
		before := s
		s = strings.Join(strings.Fields(width.Fold.String(s)), " ")
		s = confusables.Skeleton(newerConfusables.Replace(strings.Map(visible, norm.NFD.String(s))))
		s = dotted.Replace(norm.NFD.String(cases.Fold().String(s)))
		if s == before {
			break
		}
	}
	return s
}

// dotted takes a second dot off letters that have one.
var dotted = strings.NewReplacer("i\u0307", "i", "j\u0307", "j")

// visible drops what chooses between forms of the character before it.
func visible(r rune) rune {
	if unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) {
		return -1
	}
	return r
}

// looksReserved tells whether a name could be taken for a reserved one.
func looksReserved(l Looks) bool {
	for _, look := range l {
		if look != "" && reservedLooks()[look] {
			return true
		}
	}
	return false
}

// reservedLooks are the looks of reservedNames: in lower case, with a capital first, and in capitals.
var reservedLooks = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for name := range reservedNames {
		r := []rune(name)
		for _, shown := range []string{name, string(unicode.ToUpper(r[0])) + string(r[1:]), strings.ToUpper(name)} {
			for _, look := range LooksOf(shown, name) {
				if look != "" {
					all[look] = true
				}
			}
		}
	}
	return all
})
