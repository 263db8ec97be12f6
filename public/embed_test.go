package public

import "testing"

func TestHashChangesWithContentAndName(t *testing.T) {
	file := func(name, text string) map[string][]byte { return map[string][]byte{name: []byte(text)} }
	seen := map[string]string{}
	for label, files := range map[string]map[string][]byte{
		"one": file("css/a.css", "a"), "content": file("css/a.css", "b"), "name": file("css/b.css", "a"),
	} {
		sum := sum(files)
		if len(sum) != 12 {
			t.Fatalf("sum(%s) = %q", label, sum)
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
