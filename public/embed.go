// Package public is what browsers load besides pages: styles, scripts and images. The files are part of the program,
// and their address carries a hash of them all, so that they may be cached for ever.
package public

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"sync"
)

// Files are css, js and img.
//
//go:embed */*
var Files embed.FS

// FS returns Files as what a file server takes.
func FS() fs.FS { return Files }

// Hash is 12 hex digits that change whenever any file does, or its name.
func Hash() string { return hash() }

var hash = sync.OnceValue(func() string {
	sum, err := treeHash(Files)
	if err != nil {
		panic("hash the embedded files: " + err.Error()) // they are in memory
	}
	return sum
})

func treeHash(tree fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(tree, path)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		_, err = fmt.Fprintf(h, "%s %d\n%s", path, len(data), data)
		return err
	})
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}
