package hub

import (
	"slices"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestWhyItIsNotReadyIsLoggedOncePerTime(t *testing.T) {
	core, logs := observer.New(zap.ErrorLevel)
	h := &Hub{log: zap.New(core)}
	for _, why := range []string{"disk full", "disk full", "", "disk full", "file replaced", ""} {
		h.logUnready(why)
	}
	var got []string
	for _, entry := range logs.All() {
		got = append(got, entry.ContextMap()["reason"].(string))
	}
	if want := []string{"disk full", "disk full", "file replaced"}; !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}
