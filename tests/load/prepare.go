//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// logins is how many people have a login cookie.
const logins = 10_000

// prepare builds everything and makes the file that Govor begins with, once.
func (b *bench) prepare() error {
	bin := b.path("bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	for _, peer := range []string{peerFloor, peerGorilla, peerGws} {
		if err := command(filepath.Join(b.root, "tests", "load"), "go", "build", "-o", bin, "./peers/"+peer); err != nil {
			return err
		}
	}
	if b.govor == "" {
		b.govor = filepath.Join(bin, "govor")
		if err := command(b.root, "go", "build", "-trimpath", "-o", b.govor, "."); err != nil {
			return err
		}
	}
	migrations, err := filepath.Glob(filepath.Join(b.root, "hub", "store", "migrations", "*.sql"))
	if err != nil {
		return fmt.Errorf("find the migrations: %w", err)
	}
	b.schema = len(migrations)
	cookies := filepath.Join(b.seedDir(), "cookies.txt")
	text, err := os.ReadFile(cookies)
	if errors.Is(err, os.ErrNotExist) {
		if err = b.seed(cookies); err == nil {
			text, err = os.ReadFile(cookies)
		}
	}
	if err != nil {
		return fmt.Errorf("make the seed: %w", err)
	}
	b.cookies = strings.Fields(string(text))
	return nil
}

// command runs one step of the preparation.
func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// seed makes the file and logs people in. The cookies are written last: with them the seed is whole.
func (b *bench) seed(cookies string) error {
	fmt.Fprintf(os.Stderr, "making a file of %d messages, once\n", b.events)
	if err := os.RemoveAll(b.seedDir()); err != nil {
		return err
	}
	err := command(b.root, "go", "run", "./tests/seed", "--dir", filepath.Join(b.seedDir(), "data"),
		"--events", fmt.Sprint(b.events), "--rooms", "500", "--members", "500")
	if err != nil {
		return err
	}
	if err := b.restore(); err != nil {
		return err
	}
	srv, err := b.serve(peerGovor)
	if err != nil {
		return err
	}
	list, err := logIn(fmt.Sprintf("http://127.0.0.1:%d", srv.port))
	srv.stop()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(b.seedDir(), "data")); err != nil {
		return err
	}
	if err := os.Rename(b.dataDir(), filepath.Join(b.seedDir(), "data")); err != nil {
		return err
	}
	return os.WriteFile(cookies, []byte(strings.Join(list, "\n")), 0o600)
}

// logIn logs everybody in and returns their cookies.
func logIn(base string) ([]string, error) {
	const workers = 16
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: workers},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	list, errs := make([]string, logins), make([]error, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < logins && errs[w] == nil; i += workers {
				list[i], errs[w] = logInAs(client, base, fmt.Sprintf("login%d", i))
			}
		})
	}
	all.Wait()
	return list, errors.Join(errs...)
}

func logInAs(client *http.Client, base, name string) (string, error) {
	form := url.Values{"name": {name}, "room": {"lobby"}}.Encode()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, base+"/login", strings.NewReader(form))
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", base)
	response, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	for _, c := range response.Cookies() {
		if c.Name == "govor" && c.Value != "" {
			return c.Name + "=" + c.Value, nil
		}
	}
	return "", fmt.Errorf("log in as %s: %s and no cookie", name, response.Status)
}

// restore gives Govor a fresh copy of the seed.
func (b *bench) restore() error {
	if err := os.RemoveAll(b.dataDir()); err != nil {
		return fmt.Errorf("remove the last data: %w", err)
	}
	if err := os.CopyFS(b.dataDir(), os.DirFS(filepath.Join(b.seedDir(), "data"))); err != nil {
		return fmt.Errorf("copy the seed: %w", err)
	}
	return os.Chmod(b.dataDir(), 0o700)
}
