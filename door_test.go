package main

import (
	"net"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestPlainHTTPThatOthersReachIsSaidLoudly(t *testing.T) {
	outside := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8000}
	for _, tt := range []struct {
		name string
		args []string
		addr net.Addr
		want bool
	}{
		{"an address of the network", nil, outside, true},
		{"every address", nil, &net.TCPAddr{IP: net.IPv6unspecified, Port: 8000}, true},
		{"people come by http", []string{"--base-url", "http://chat.example"}, outside, true},
		{"this machine only", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8000}, false},
		{"this machine only, IPv6", nil, &net.TCPAddr{IP: net.IPv6loopback, Port: 8000}, false},
		{"a file", nil, &net.UnixAddr{Name: "/run/govor.sock", Net: "unix"}, false},
		{"TLS", []string{"--tls-cert", "c.pem", "--tls-key", "k.pem"}, outside, false},
		{"TLS by ACME", []string{"--tls-domain", "chat.example"}, outside, false},
		{"a proxy in front", []string{"--trusted-proxies", "192.0.2.9"}, outside, false},
		{"people come by https", []string{"--base-url", "https://chat.example"}, outside, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := parseConfig(tt.args, env(nil))
			if err != nil {
				t.Fatal(err)
			}
			core, said := observer.New(zapcore.WarnLevel)
			warnPlain(zap.New(core), cfg, []net.Addr{tt.addr})
			lines := said.All()
			if (len(lines) == 1) != tt.want || len(lines) > 1 {
				t.Fatalf("said %v", lines)
			}
			if tt.want && (!strings.Contains(lines[0].Message, "IN THE CLEAR") || lines[0].ContextMap()["address"] != tt.addr.String()) {
				t.Errorf("said %q, %v", lines[0].Message, lines[0].ContextMap())
			}
		})
	}
}

func TestServerOnEveryAddressWarns(t *testing.T) {
	const loud = "LOGINS AND PASSWORDS TRAVEL IN THE CLEAR"
	for listen, want := range map[string]bool{":0": true, "127.0.0.1:0": false} {
		p := start(t, "--listen", listen, "--data-dir", t.TempDir())
		p.url()
		p.stop()
		p.wait()
		if said := strings.Contains(p.output(p.stderr), loud); said != want {
			t.Errorf("--listen %s: said = %v, want %v\n%s", listen, said, want, p.output(p.stderr))
		}
	}
}
