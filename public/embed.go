// Package public is what browsers load besides pages: styles, scripts and images. The files are part of the program,
// and their address carries a hash of them all, so that they may be cached for ever.
package public

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// Files are css, js and img.
//
//go:embed */*
var Files embed.FS

// FS returns Files as what a file server takes.
func FS() fs.FS { return Files }

// Hash is 12 hex digits that change whenever anything of Served does, or its name.
func Hash() string { return hash() }

var hash = sync.OnceValue(func() string { return sum(Served()) })

func sum(files map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, _ = fmt.Fprintf(h, "%s %d\n%s", name, len(files[name]), files[name]) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
