//go:build linux

package generator

import "testing"

func TestQuantiles(t *testing.T) {
	var h histogram
	for i := range int64(100_000) {
		h.add(i * 1000)
	}
	got := h.quantiles()
	for _, q := range []struct{ got, want float64 }{{got.P50, 50_000}, {got.P99, 99_000}, {got.P999, 99_900}, {got.Max, 99_999}} {
		if q.got < q.want*.97 || q.got > q.want*1.03 {
			t.Errorf("quantile %v, want %v within 3 %%", q.got, q.want)
		}
	}
}
