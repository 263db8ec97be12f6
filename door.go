package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"go.uber.org/zap"

	"govor/hub"
	"govor/hub/data"
)

// setPasswordFile reads the server's password, the first line of a file. The word itself is never on a command line.
func setPasswordFile(c *config, path string) error {
	c.Password = ""
	if path == "" {
		return nil
	}
	b, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if c.Password = strings.TrimSuffix(line, "\r"); c.Password == "" {
		return errors.New("its first line is empty")
	}
	return nil
}

// setProxyHeader takes the name of a header.
func setProxyHeader(c *config, s string) error {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}) {
		return errors.New("a header is made of letters, digits and -, like X-Forwarded-User")
	}
	c.ProxyHeader = s
	return nil
}

// checkDoor looks at the settings that say who may come in.
func (c *config) checkDoor(getenv func(string) string) error {
	if c.Mode == string(hub.ModePassword) && c.Password == "" {
		c.Password = getenv("GOVOR_PASSWORD")
	}
	switch {
	case c.Mode == string(hub.ModePassword) && c.Password == "":
		return &usageError{"--mode password needs a password: the first line of --password-file FILE, or GOVOR_PASSWORD."}
	case c.Mode != string(hub.ModePassword) && c.Password != "":
		return &usageError{"--password-file is the server's password, and only --mode password has one. People set that of their name on the page /account."}
	case c.Mode == string(hub.ModeProxy) && len(c.TrustedProxies) == 0 && !strings.HasPrefix(c.Listen, unixPrefix):
		return &usageError{"--mode proxy needs --trusted-proxies: from nobody else a name is taken."}
	}
	return nil
}

// warnPlain says loudly that logins can be read on the way, where they can be.
func warnPlain(logger *zap.Logger, cfg config, addr net.Addr) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || tcp.IP.IsLoopback() || cfg.speaksTLS() || len(cfg.TrustedProxies) > 0 || strings.HasPrefix(cfg.BaseURL, "https:") {
		return
	}
	logger.Warn("LOGINS AND PASSWORDS TRAVEL IN THE CLEAR: this server speaks plain http on an address that others reach;"+
		" put a TLS proxy in front of it (--trusted-proxies, --base-url https://...), or listen on 127.0.0.1",
		zap.Stringer("address", addr))
}

// invite is the command that makes invite links. It gives its order to the server that runs, which knows its own secret.
func invite(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	return data.Invite(ctx, args, func(settings []string) (data.Server, error) {
		cfg, err := parseConfig(settings, getenv)
		if err != nil {
			return data.Server{}, err
		}
		client, url, err := ownClient(cfg)
		if err != nil {
			return data.Server{}, err
		}
		return data.Server{URL: url, Dir: cfg.DataDir, Token: hub.AdminToken, Do: client.Do}, nil
	}, stdout)
}
