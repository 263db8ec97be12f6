package views

import (
	"hash/fnv"
	"strings"

	"github.com/rivo/uniseg"
)

// hues is how many colours names have.
const hues = 10

// hue chooses the colour of a name: the same on every page and node.
func hue(name string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return int(h.Sum32() % hues)
}

// initials are what stands in the round picture of a member: the first letters of the first two words of the name, or
// all of a name that is not longer than that.
func initials(name string) string {
	if len(name) <= maxInitial && uniseg.GraphemeClusterCount(name) <= 2 {
		return name
	}
	var b strings.Builder
	taken := 0
	for word := range strings.FieldsSeq(name) {
		first, _, _, _ := uniseg.FirstGraphemeClusterInString(word, -1)
		if len(first) > maxInitial {
			continue
		}
		b.WriteString(strings.ToUpper(first))
		if taken++; taken == 2 {
			break
		}
	}
	return b.String()
}

// maxInitial bounds one letter with its marks, in bytes: a letter may carry any number of them, a circle may not.
const maxInitial = 32
