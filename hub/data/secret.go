package data

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// secretBytes is the length of the secret that signs logins.
const secretBytes = 32

// Secret reads the secret of a data directory, by which logins are signed, and makes it the first time. The directory is
// locked by the store.
func Secret(dir string) ([]byte, error) {
	path := filepath.Join(dir, "secret")
	secret, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own
	switch {
	case err == nil && len(secret) == secretBytes:
		return secret, nil
	case err == nil:
		return nil, fmt.Errorf("%s should have %d bytes and has %d; if it is deleted, a new one is made and everybody logs in again",
			path, secretBytes, len(secret))
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	secret = make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program instead
	if err := writeWhole(path, secret); err != nil {
		return nil, fmt.Errorf("write the secret: %w", err)
	}
	return secret, nil
}

// writeWhole makes a file, readable for its owner only, that is there with all of its bytes or not at all.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
