package handlers

import (
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"govor/public"
	"govor/views"
)

// AssetsPath is the prefix of everything in public; it changes with the files.
func AssetsPath() string { return "/static/" + public.Hash() }

// asset is one file, ready to be sent.
type asset struct {
	kind  string
	plain []byte

	// Compressed by the first who asks; nil where that gains nothing.
	zipped, brotli func() []byte
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

// loadAssets takes over every file that is served: they are part of the program and few.
func loadAssets() (map[string]*asset, error) {
	assets := map[string]*asset{}
	for name, data := range public.Served() {
		kind, ok := kinds[path.Ext(name)]
		if !ok {
			return nil, fmt.Errorf("load assets: %s: no content type is known for %q", name, path.Ext(name))
		}
		a := &asset{kind: kind, plain: data}
		a.zipped = sync.OnceValue(func() []byte { return a.shortened(gzip) })
		a.brotli = sync.OnceValue(func() []byte { return a.shortened(brotli) })
		assets[name] = a
	}
	return assets, nil
}

func (a *asset) shortened(k coding) []byte {
	if b := shorten(a.plain, k, fileBrotli, fileGzip); len(b) < len(a.plain)*9/10 {
		return b
	}
	return nil
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
		c.Set(fiber.HeaderETag, `W/"`+public.Hash()+`"`) // the same in every coding
		if c.Fresh() {                                   // a browser that asks again although it need not
			return c.SendStatus(fiber.StatusNotModified)
		}
	}
	c.Set(fiber.HeaderContentType, a.kind)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	k := accepted(c)
	body := a.in(k)
	if body == nil {
		return c.Send(a.plain)
	}
	c.Set(fiber.HeaderContentEncoding, string(k))
	return c.Send(body)
}

// in is the file in a coding; nil where it is better sent as it is.
func (a *asset) in(k coding) []byte {
	switch k {
	case brotli:
		return a.brotli()
	case gzip:
		return a.zipped()
	}
	return nil
}

// manifest is GET /manifest-LANG.webmanifest: what a phone needs to put the chat beside its other programs. It has no
// hash in its address, which is how phones know that it is the same program after an update.
func (s *Server) manifest(c *fiber.Ctx) error {
	lang := c.Params("lang")
	if lang != views.Russian && lang != views.English {
		return fiber.ErrNotFound
	}
	body, err := s.views.Page(lang).Manifest()
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderETag, `W/"`+public.Hash()+`"`)
	if c.Fresh() {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, kinds[".webmanifest"])
	return c.Send(body)
}
