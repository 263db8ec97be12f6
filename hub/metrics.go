package hub

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"govor/hub/line"
	"govor/hub/protocol"
)

type metrics struct {
	connections   prometheus.Counter
	messages      prometheus.Counter
	duplicates    prometheus.Counter
	slowConsumers prometheus.Counter
	ended         *prometheus.CounterVec // reason: see endReason
	limited       *prometheus.CounterVec // limit: limitNames
	errors        *prometheus.CounterVec // code: protocol.Code
	acts          *prometheus.CounterVec // action: protocol.Action
	passwords     *prometheus.CounterVec // result: right, wrong, refused
	resumes       *prometheus.CounterVec // result: live, resumed, reset_ahead, reset_mismatch, reset_pruned
	fanout        prometheus.Histogram
}

func newMetrics(h *Hub, reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	f.NewGaugeFunc(prometheus.GaugeOpts{Name: "chat_active_connections", Help: "WebSocket connections now."}, func() float64 {
		h.mu.Lock()
		defer h.mu.Unlock()
		return float64(len(h.sessions))
	})
	f.NewGaugeFunc(prometheus.GaugeOpts{Name: "chat_members_online", Help: "Members with a connection now."}, func() float64 {
		return float64(h.Online())
	})
	f.NewGaugeFunc(prometheus.GaugeOpts{Name: "chat_rooms_resident", Help: "Rooms in which somebody is now."}, func() float64 {
		h.mu.Lock()
		defer h.mu.Unlock()
		return float64(len(h.rooms))
	})
	limited := vec("chat_limited_total", "How often a limit has slowed somebody down or refused something, by the limit's flag.", "limit")
	for _, name := range limitNames {
		limited.WithLabelValues(name)
	}
	return &metrics{
		limited:       limited,
		connections:   counter("chat_connections_total", "WebSocket connections that this node has accepted."),
		messages:      counter("chat_messages_total", "Messages that this node has accepted and stored."),
		duplicates:    counter("chat_duplicates_total", "Messages that were sent again and not stored again."),
		slowConsumers: counter("chat_slow_consumers_total", "Seats that fell out of their ring and were fed from the store."),
		ended:         vec("chat_sessions_ended_total", "Sessions that ended, by reason.", "reason"),
		errors:        vec("chat_errors_total", "Errors that clients were told, by code.", "code"),
		acts:          vec("chat_acts_total", "What hosts have done by way of this node, by action.", "action"),
		passwords:     vec("chat_password_checks_total", "Passwords that people logged in with, by what came of it.", "result"),
		resumes:       vec("chat_resumes_total", "Seats taken, by how they began.", "result"),
		fanout: f.NewHistogram(prometheus.HistogramOpts{
			Name: "chat_fanout_duration_seconds", Help: "From a committed batch to its frames in the rings.",
			Buckets: prometheus.ExponentialBuckets(10e-6, 4, 10),
		}),
	}
}

// limit counts that a limit has slowed somebody down or refused something.
func (m *metrics) limit(name string) { m.limited.WithLabelValues(name).Inc() }

// endLabels is a closed set: what a client wrote as its reason never becomes a label.
func endLabels(code int, reason string) prometheus.Labels {
	label := "other"
	switch reason {
	case line.TooManyControls:
		label = reasonTooFast
	case reasonSlow, reasonTooFast, reasonUnavailable, reasonLoggedOut, reasonReplaced, reasonKicked, reasonBanned:
		label = reason
	default:
		switch code {
		case protocol.CloseNormal, protocol.CloseGoingAway, 1005, 1006:
			label = "left"
		case protocol.CloseRestart:
			label = "restart"
		case protocol.CloseProtocol, protocol.CloseUnsupported, protocol.CloseBadText:
			label = "bad frame"
		case protocol.CloseTooBig:
			label = "too big"
		case protocol.CloseInternal:
			label = "internal"
		}
	}
	return prometheus.Labels{"reason": label}
}
