package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"govor/hub"
	"govor/hub/data"
	"govor/hub/front"
	"govor/hub/store"
)

// sayVersion is the command version. With --check-data DIR it fails unless this version can go on with the data there,
// which may be in use.
func sayVersion(args []string, stdout io.Writer) error {
	if len(args) == 2 && args[0] == "--check-data" {
		if err := store.CheckData(args[1]); err != nil {
			return err
		}
	} else if len(args) > 0 {
		return &usageError{Text: "The command is: govor version [--check-data DIR]."}
	}
	_, err := fmt.Fprintf(stdout, "govor %s (%s, %s/%s)\n", versionName(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// healthcheck asks the server with these settings whether it is ready.
func healthcheck(ctx context.Context, args []string, getenv func(string) string) error {
	cfg, err := parseConfig(args, getenv)
	if err != nil {
		return err
	}
	return front.Check(ctx, cfg.front())
}

// invite is the command that makes invite links. It gives its order to the server that runs, which knows its own secret.
func invite(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	return data.Invite(ctx, args, func(settings []string) (data.Server, error) {
		cfg, err := parseConfig(settings, getenv)
		if err != nil {
			return data.Server{}, err
		}
		client, url, err := front.Client(cfg.front())
		if err != nil {
			return data.Server{}, err
		}
		return data.Server{URL: url, Dir: cfg.DataDir, Token: hub.AdminToken, Do: client.Do}, nil
	}, stdout)
}

// versionName is what this program calls itself.
func versionName() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
