package handlers

import (
	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"govor/hub/protocol"
)

// healthz is GET /healthz: the process answers.
func (s *Server) healthz(c *fiber.Ctx) error { return c.SendString("ok\n") }

// readyz is GET /readyz: people may be sent here.
func (s *Server) readyz(c *fiber.Ctx) error {
	if s.draining.Load() {
		return c.Status(fiber.StatusServiceUnavailable).SendString("the server is stopping\n")
	}
	ctx, cancel := deadline()
	defer cancel()
	if err := s.hub.Ready(ctx); err != nil {
		return c.Status(fiber.StatusServiceUnavailable).SendString("not ready: " + err.Error() + "\n")
	}
	return c.SendString("ok\n")
}

// metrics of this package; those of requests are the middleware's.
type metrics struct{ refusals *prometheus.CounterVec }

// reasons are the values of the label reason.
var reasons = []string{
	"origin", "handshake", "format", "room", "history", "name", "login", "full", "open", "requests", "connects", "waiting", "metrics", "packed", "logins", "timeout",
	"owner", "account", "link", "invite", "password", "proxy", "banned",
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{refusals: promauto.With(r).NewCounterVec(prometheus.CounterOpts{
		Name: "chat_refusals_total", Help: "Requests that were refused before they reached the hub, by reason.",
	}, []string{"reason"})}
	for _, reason := range reasons {
		m.refusals.With(prometheus.Labels{"reason": reason})
	}
	return m
}

func (m *metrics) refused(reason string) {
	m.refusals.With(prometheus.Labels{"reason": reason}).Inc()
}

// needMetricsToken lets /metrics be read by who knows the token, if there is one.
func (s *Server) needMetricsToken(c *fiber.Ctx) error {
	if !metricsAllowed(s.metricsToken, c.Get(fiber.HeaderAuthorization)) {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return s.answer(c, s.refuse(c, "metrics", protocol.Errorf(protocol.CodeBadToken, "the metrics need their token, see --metrics-token-file")))
	}
	return c.Next()
}
