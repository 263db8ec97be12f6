package data

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSecretIsMadeOnceAndForItsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	first, err := Secret(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Secret(dir)
	if err != nil || string(first) != string(second) || len(first) != secretBytes {
		t.Errorf("%d bytes, then %d: %v", len(first), len(second), err)
	}
	entries, _ := os.ReadDir(dir)
	info, err := os.Stat(filepath.Join(dir, "secret"))
	if err != nil || info.Mode().Perm() != 0o600 || len(entries) != 1 {
		t.Errorf("mode %v, %d files: %v", info.Mode(), len(entries), err)
	}
}
