package restart

import (
	"slices"
	"testing"
)

func TestInheritedAt(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		at   int
		ok   bool
		fail bool
	}{
		{nil, 0, false, false},
		{map[string]string{"LISTEN_FDS": "1"}, 0, false, false},
		{map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "8"}, 0, false, false},
		{map[string]string{"LISTEN_FDS": "0", "LISTEN_PID": "7"}, 0, false, false},
		{map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "7"}, 3, true, false},
		{map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "7", "GOVOR_LISTEN_FD": "17"}, 17, true, false},
		{map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "7", "GOVOR_LISTEN_FD": "2"}, 0, false, true},
		{map[string]string{"LISTEN_FDS": "2", "LISTEN_PID": "7"}, 0, false, true},
		{map[string]string{"LISTEN_FDS": "-1", "LISTEN_PID": "7"}, 0, false, true},
	} {
		at, ok, err := inheritedAt(func(key string) string { return tt.env[key] }, 7)
		if at != tt.at || ok != tt.ok || (err != nil) != tt.fail {
			t.Errorf("%v: %d, %v, %v", tt.env, at, ok, err)
		}
	}
}

func TestWithout(t *testing.T) {
	got := without([]string{"A=1", "LISTEN_FDS=1", "LISTEN_FDS_X=2", "B="}, "LISTEN_FDS", "LISTEN_PID")
	if want := []string{"A=1", "LISTEN_FDS_X=2", "B="}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
