package handlers

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"govor/public"
)

// AssetsPath is the prefix of everything in public; it changes with the files.
func AssetsPath() string { return "/static/" + public.Hash() }

// asset is one file, ready to be sent.
type asset struct {
	kind   string
	plain  []byte
	zipped []byte // nil where compressing gains nothing
}

// kinds are the content types of what public has; the system's own tables differ from machine to machine.
var kinds = map[string]string{
	".css":         "text/css; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".ico":         "image/x-icon",
	".woff2":       "font/woff2",
	".json":        "application/json",
	".webmanifest": "application/manifest+json",
	".txt":         "text/plain; charset=utf-8",
}

// loadAssets reads and compresses every file once: they are part of the program and few.
func loadAssets() (map[string]asset, error) {
	assets := map[string]asset{}
	err := fs.WalkDir(public.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kind, ok := kinds[path.Ext(name)]
		if !ok {
			return fmt.Errorf("%s: no content type is known for %q", name, path.Ext(name))
		}
		a := asset{kind: kind}
		if a.plain, err = fs.ReadFile(public.FS(), name); err != nil {
			return err
		}
		if zipped := fasthttp.AppendGzipBytesLevel(nil, a.plain, fasthttp.CompressBestCompression); len(zipped) < len(a.plain)*9/10 {
			a.zipped = zipped
		}
		assets[name] = a
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load assets: %w", err)
	}
	return assets, nil
}

// static is GET /static/HASH/FILE. An older hash gets the file of today, but may not keep it: a page that was open
// during an update still finds its scripts.
func (s *Server) static(c *fiber.Ctx) error {
	a, ok := s.assets[strings.TrimPrefix(c.Params("*"), "/")]
	if !ok {
		return fiber.ErrNotFound
	}
	if c.Params("hash") == public.Hash() {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	c.Set(fiber.HeaderContentType, a.kind)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if a.zipped != nil && acceptsGzip(c) {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(a.zipped)
	}
	return c.Send(a.plain)
}
