package tests

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// icons are drawn from the glyph: on the colour of a bubble, as large a part of the whole as is given. What is maskable
// is cut to any shape by the phone, so that its glyph is smaller.
var icons = map[string]struct {
	size int64
	part float64
}{
	"icon-180.png":          {180, 0.62},
	"icon-192.png":          {192, 0.62},
	"icon-512.png":          {512, 0.62},
	"icon-maskable-512.png": {512, 0.5},
}

// TestBrowserIcons draws the icons, when asked to.
func TestBrowserIcons(t *testing.T) {
	t.Parallel()
	if os.Getenv("GOVOR_SCREENSHOTS") != "1" {
		t.Skip("skipped: the icons are drawn with GOVOR_SCREENSHOTS=1 (make screenshots)")
	}
	p := openBrowser(t).person(t, "nobody")
	for name, icon := range icons {
		side := 48 / icon.part
		shift := (side - 48) / 2
		page := fmt.Sprintf(`<!doctype html><body style="margin:0"><svg style="display:block;width:100vw;height:100vh" viewBox="%[1]g %[1]g %[2]g %[2]g">
			<rect x="%[1]g" y="%[1]g" width="%[2]g" height="%[2]g" fill="#e3f2fd"/>
			<path fill="#0b5fc4" d="M19.5 2a17.5 17.5 0 1 1 0 35H5a3 3 0 0 1-3-3V19.5A17.5 17.5 0 0 1 19.5 2Z"/>
			<path fill="#ffc453" d="M38.5 31a7.5 7.5 0 0 0 0 15h5.7a1.8 1.8 0 0 0 1.8-1.8v-5.7a7.5 7.5 0 0 0-7.5-7.5Z"/></svg>`, -shift, side)
		p.do(chromedp.EmulateViewport(icon.size, icon.size),
			chromedp.Navigate("data:text/html;base64,"+base64.StdEncoding.EncodeToString([]byte(page))))
		picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("..", "public", "img", name), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A phone finds the manifest in the language of the page, and in it icons that are what it says.
func TestManifestNamesIconsThatAreThere(t *testing.T) {
	t.Parallel()
	s := start(t)
	for lang, name := range map[string]string{"ru": "WebSocket Чат", "en": "WebSocket Chat"} {
		page := s.request("GET", "/", "", "Accept-Language", lang).body
		path := "/manifest-" + lang + ".webmanifest"
		if !bytes.Contains([]byte(page), []byte(`<link rel="manifest" href="`+path+`">`)) {
			t.Errorf("%s: the page has no link to %s", lang, path)
		}
		r := s.request("GET", path, "")
		var m struct {
			Name, Lang, Display string
			Short               string `json:"short_name"`
			Start               string `json:"start_url"`
			Icons               []struct{ Src, Sizes, Purpose string }
		}
		if err := json.Unmarshal([]byte(r.body), &m); err != nil || r.header.Get("Content-Type") != "application/manifest+json" {
			t.Fatalf("%s: %v, %s: %s", path, err, r.header.Get("Content-Type"), r.body)
		}
		if m.Name != name || m.Lang != lang || m.Display != "standalone" || m.Start != "/" || m.Short == "" || len(m.Icons) != 3 {
			t.Errorf("%s = %+v", path, m)
		}
		for _, icon := range m.Icons {
			picture := s.request("GET", icon.Src, "")
			config, err := png.DecodeConfig(bytes.NewReader([]byte(picture.body)))
			if err != nil || picture.status != http.StatusOK || fmt.Sprintf("%dx%d", config.Width, config.Height) != icon.Sizes {
				t.Errorf("%s: %d, %v, %dx%d, want %s", icon.Src, picture.status, err, config.Width, config.Height, icon.Sizes)
			}
		}
		if again := s.request("GET", path, "", "If-None-Match", r.header.Get("ETag")); again.status != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.status)
		}
	}
	if r := s.request("GET", "/manifest-xx.webmanifest", ""); r.status != http.StatusNotFound {
		t.Errorf("in a language that is not there: %d", r.status)
	}
}
