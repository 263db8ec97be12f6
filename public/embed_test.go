package public

import (
	"testing"
	"testing/fstest"
)

func TestHashChangesWithContentAndName(t *testing.T) {
	file := func(name, text string) fstest.MapFS { return fstest.MapFS{name: {Data: []byte(text)}} }
	seen := map[string]string{}
	for label, tree := range map[string]fstest.MapFS{
		"one": file("css/a.css", "a"), "content": file("css/a.css", "b"), "name": file("css/b.css", "a"),
	} {
		sum, err := treeHash(tree)
		if err != nil || len(sum) != 12 {
			t.Fatalf("treeHash(%s) = %q, %v", label, sum, err)
		}
		if other, ok := seen[sum]; ok {
			t.Errorf("%s and %s have the same hash", label, other)
		}
		seen[sum] = label
	}
	if first, second := Hash(), Hash(); first != second || len(first) != 12 {
		t.Errorf("Hash = %q, then %q, want the same 12 digits each time", first, second)
	}
}
