package certs

import (
	"net"
	"net/http"
	"strings"
)

// Redirect leads from plain HTTP to the same path by TLS. base is scheme://host[:port] if people reach the server by that,
// else "" and port is that of the TLS listener. Only what asks is led on: a form that came by plain HTTP has been read by
// whoever listened, and is refused.
func Redirect(base, port string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "this server speaks https", http.StatusForbidden)
			return
		}
		to := base
		if to == "" {
			host := hostname(r.Host)
			if host == "" {
				http.Error(w, "there is no Host", http.StatusBadRequest)
				return
			}
			to = "https://" + host
			if port != "443" {
				to += ":" + port
			}
		}
		w.Header().Set("Location", to+r.URL.RequestURI())
		w.WriteHeader(http.StatusPermanentRedirect)
	})
}

// hostname is host without its port, "" if it is not one that could be ours.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
		if strings.Contains(h, ":") {
			host = "[" + h + "]"
		}
	}
	if strings.ContainsAny(host, "/\\?#@ ") {
		return ""
	}
	return host
}
