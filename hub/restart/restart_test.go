package restart

import (
	"slices"
	"testing"
)

func TestInheritedAt(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		at   []int
		ok   bool
		fail bool
	}{
		{nil, nil, false, false},
		{map[string]string{"LISTEN_FDS": "1"}, nil, false, false},
		{map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "8"}, nil, false, false},
		{map[string]string{"LISTEN_FDS": "0", "LISTEN_PID": "7"}, nil, false, false},
		{map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "7"}, []int{3}, true, false},
		{map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "7", "GOVOR_LISTEN_FD": "17"}, []int{17}, true, false},
		{map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "7", "GOVOR_LISTEN_FD": "2"}, nil, false, true},
		{map[string]string{"LISTEN_FDS": "2", "LISTEN_PID": "7"}, []int{3, 4}, true, false},
		{map[string]string{"LISTEN_FDS": "2", "LISTEN_PID": "7", "GOVOR_LISTEN_FD": "9,5"}, []int{9, 5}, true, false},
		{map[string]string{"LISTEN_FDS": "2", "LISTEN_PID": "7", "GOVOR_LISTEN_FD": "9"}, nil, false, true},
		{map[string]string{"LISTEN_FDS": "-1", "LISTEN_PID": "7"}, nil, false, true},
	} {
		at, ok, err := inheritedAt(func(key string) string { return tt.env[key] }, 7)
		if !slices.Equal(at, tt.at) || ok != tt.ok || (err != nil) != tt.fail {
			t.Errorf("%v: %v, %v, %v", tt.env, at, ok, err)
		}
	}
}

func TestWithout(t *testing.T) {
	got := without([]string{"A=1", "LISTEN_FDS=1", "LISTEN_FDS_X=2", "B="}, "LISTEN_FDS", "LISTEN_PID")
	if want := []string{"A=1", "LISTEN_FDS_X=2", "B="}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
