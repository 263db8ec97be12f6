package handlers

import (
	"crypto/subtle"
	"net/http"
	"net/http/pprof" // it puts itself into the default mux, too, which nobody serves

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Admin is what an address for those who run the server answers: /metrics, and /debug/pprof/ if profiles is true. Who
// asks must show the token, if there is one. It is nothing for strangers: a profile costs time and tells what runs.
func Admin(registry *prometheus.Registry, token string, profiles bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	if profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		w.Header().Set("Cache-Control", "no-store")
		if !metricsAllowed(token, r.Header.Get("Authorization")) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "this needs the token of --metrics-token-file", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// metricsAllowed tells whether a header Authorization shows the token; "" needs none.
func metricsAllowed(token, authorization string) bool {
	return token == "" || subtle.ConstantTimeCompare([]byte(authorization), []byte("Bearer "+token)) == 1
}
