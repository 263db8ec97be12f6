package journal_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"govor/hub/journal"
	"govor/hub/protocol"
	"govor/hub/store"
)

// seeded is a data directory with a million messages in 500 rooms: that of GOVOR_BENCH_DIR, which the benchmark then
// appends to, or a new one.
var seeded = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("GOVOR_BENCH_DIR"); dir != "" {
		return dir, nil
	}
	dir, err := os.MkdirTemp("", "govor-bench")
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(context.Background(), "go", "run", "govor/tests/seed", "--dir", dir).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("seed: %w: %s", err, out)
	}
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv("GOVOR_BENCH_DIR") == "" {
		if dir, err := seededIfMade(); err == nil && dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

var seedMade atomic.Bool

func seededIfMade() (string, error) {
	if !seedMade.Load() {
		return "", nil
	}
	return seeded()
}

func openSeeded(b *testing.B) *store.Store {
	b.Helper()
	seedMade.Store(true)
	dir, err := seeded()
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(dir, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkAppend has that many senders which each wait for a receipt before they send again, one of 500 members into
// one of 500 rooms.
func BenchmarkAppend(b *testing.B) {
	for _, senders := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) { benchAppend(b, senders) })
	}
}

func benchAppend(b *testing.B, senders int) {
	b.Helper()
	s := openSeeded(b)
	reg := prometheus.NewRegistry()
	j := journal.NewLocal(s, zap.NewNop(), reg)
	const text = "Посмотри, сборка снова упала; вечером чиним, кто идёт? Я взял чай и лодку, завтра на реку."
	var next atomic.Int64
	var wg sync.WaitGroup
	var slowest atomic.Int64
	members := make([]protocol.MemberID, 500)
	for i := range members {
		members[i] = protocol.NewMemberID()
	}
	b.ResetTimer()
	for range senders {
		wg.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				m := int(n*7919) % 500
				e := protocol.Event{
					Room: fmt.Sprintf("room-%d", (n*104729)%500), Kind: protocol.KindMessage, V: 1, ID: protocol.NewID(), Member: members[m],
					Name: fmt.Sprintf("m%d", m), NameKey: fmt.Sprintf("m%d", m), At: time.Now().UnixMilli(), Body: text,
				}
				start := time.Now()
				if _, err := journal.Wait(context.Background(), j, e); err != nil {
					b.Error(err)
					return
				}
				if d := int64(time.Since(start)); d > slowest.Load() {
					slowest.Store(d)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(slowest.Load())/1e6, "max-ms")
	b.ReportMetric(meanBatch(b, reg), "events/batch")
	if err := j.Close(); err != nil {
		b.Error(err)
	}
}

func meanBatch(b *testing.B, reg *prometheus.Registry) float64 {
	b.Helper()
	families, err := reg.Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "chat_append_batch_events" {
			h := f.GetMetric()[0].GetHistogram()
			return h.GetSampleSum() / float64(h.GetSampleCount())
		}
	}
	return 0
}

// BenchmarkPage reads the last 50 messages before a place somewhere in a room of 2,000.
func BenchmarkPage(b *testing.B) {
	s := openSeeded(b)
	for n := range b.N {
		events, err := s.Page(context.Background(), fmt.Sprintf("room-%d", n*7919%500), int64(1000+n%900), 50)
		if err != nil || len(events) != 50 {
			b.Fatalf("Page = %d events, %v", len(events), err)
		}
	}
}

// BenchmarkOpen opens and closes the file.
func BenchmarkOpen(b *testing.B) {
	for range b.N {
		b.StopTimer()
		b.StartTimer()
		s := openSeeded(b)
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
