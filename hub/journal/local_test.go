package journal_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"govor/hub/journal"
	"govor/hub/journal/journaltest"
	"govor/hub/store"
)

func newLocal(t *testing.T) (journal.Journal, *store.Store) {
	t.Helper()
	s, err := store.Open(t.TempDir(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	j := journal.NewLocal(s, zap.NewNop(), prometheus.NewRegistry())
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return j, s
}

func TestLocal(t *testing.T) { journaltest.Run(t, newLocal) }
