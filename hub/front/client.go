package front

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"govor/hub/restart"
)

// checkPatience bounds how long a server may take to say that it is ready.
const checkPatience = 5 * time.Second

// Check asks the server that listens as cfg says whether it is ready.
func Check(ctx context.Context, cfg Config) error {
	client, url, err := Client(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("the server answers %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// Client reaches the server that listens as cfg says, on this machine, and says by which address.
func Client(cfg Config) (*http.Client, string, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	listen := cfg.Listen[0] // one is as good as another
	if path, ok := strings.CutPrefix(listen, restart.UnixPrefix); ok {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
		return &http.Client{Transport: transport}, "http://localhost", nil
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, "", fmt.Errorf("read --listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if cfg.SpeaksTLS() {
		scheme = "https://"
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // on this machine, by an address that the certificate does not name
		if len(cfg.Domains) > 0 {
			transport.TLSClientConfig.ServerName = cfg.Domains[0]
		}
	}
	return &http.Client{Transport: transport}, scheme + net.JoinHostPort(host, port), nil
}
