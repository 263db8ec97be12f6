package store

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"govor/hub/protocol"
)

// The export has what the list has, from the first entry on, while the store is open.
func TestAuditIsExported(t *testing.T) {
	s := hosted(t)
	why := to(member1)
	why.Why = "спам"
	done(t, s, act(protocol.KindBan, moderator, why))
	deletion := undertakings(moderator)["deletion"]
	deletion.Target, deletion.Body = member2, "флуд"
	done(t, s, deletion)
	entries, err := s.Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var want, got bytes.Buffer
	for _, e := range slices.Backward(entries) {
		want.Write(append(e.JSON(), '\n'))
	}
	if err := ExportAudit(t.Context(), s.dir, &got); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() || !strings.Contains(got.String(), "флуд") || !strings.Contains(got.String(), `"target":6`) {
		t.Errorf("exported:\n%s\nwant:\n%s", got.String(), want.String())
	}
}

func TestAuditIsPagedByNumber(t *testing.T) {
	s := hosted(t)
	for i := range 7 {
		done(t, s, act(protocol.KindKick, moderator, func() protocol.ActBody { b := to(member1); b.Why = fmt.Sprint("reason ", i); return b }()))
	}
	refused(t, s, act(protocol.KindKick, member1, to(member2)), protocol.CodeForbidden) // leaves no trace
	var nums []int64
	for before := int64(0); ; {
		entries, err := s.Audit(t.Context(), before, 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			break
		}
		for _, e := range entries {
			nums = append(nums, e.Num)
		}
		before = entries[len(entries)-1].Num
	}
	if fmt.Sprint(nums) != "[11 10 9 8 7 6 5 4 3 2 1]" {
		t.Errorf("numbers %v", nums)
	}
}
