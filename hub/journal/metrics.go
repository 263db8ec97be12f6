package journal

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What became of an event.
const (
	resultStored      = "stored"
	resultDuplicate   = "duplicate"
	resultRefused     = "refused"
	resultUnavailable = "unavailable"
)

type metrics struct {
	duration map[string]prometheus.Observer
	batch    prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, l *Local) *metrics {
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "chat_append_duration_seconds",
		Help:    "Time from appending an event to its receipt.",
		Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14),
	}, []string{"result"})
	m := &metrics{
		duration: make(map[string]prometheus.Observer),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "chat_append_batch_events",
			Help:    "Events that were stored in one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
	}
	for _, result := range []string{resultStored, resultDuplicate, resultRefused, resultUnavailable} {
		m.duration[result] = duration.With(prometheus.Labels{"result": result})
	}
	checkpoints := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "chat_store_checkpoint_duration_seconds",
		Help:    "Time of merging the write-ahead log into the database.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 13),
	})
	l.store.OnCheckpoint(func(d time.Duration) { checkpoints.Observe(d.Seconds()) })
	reg.MustRegister(duration, m.batch, checkpoints,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "chat_journal_queue_events",
			Help: "Events that wait to be stored.",
		}, func() float64 { return float64(l.queued()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "chat_store_wal_bytes",
			Help: "Bytes in the write-ahead log of the database.",
		}, func() float64 { return float64(l.store.WALBytes()) }),
	)
	return m
}

func (m *metrics) observe(result string, since time.Time) {
	m.duration[result].Observe(time.Since(since).Seconds())
}
