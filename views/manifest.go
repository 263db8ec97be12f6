package views

import (
	"encoding/json"
	"fmt"
)

// manifest is what a phone needs to put the chat beside its other programs (Web Application Manifest).
type manifest struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	ShortName  string         `json:"short_name"`
	Lang       string         `json:"lang"`
	StartURL   string         `json:"start_url"`
	Scope      string         `json:"scope"`
	Display    string         `json:"display"`
	Background string         `json:"background_color"`
	Theme      string         `json:"theme_color"`
	Icons      []manifestIcon `json:"icons"`
}

type manifestIcon struct {
	Src     string `json:"src"`
	Sizes   string `json:"sizes"`
	Type    string `json:"type"`
	Purpose string `json:"purpose"`
}

// Manifest is the manifest in the language of the page, as JSON.
func (p Page) Manifest() ([]byte, error) {
	icon := func(file, sizes, purpose string) manifestIcon {
		return manifestIcon{Src: p.Assets + "/img/" + file, Sizes: sizes, Type: "image/png", Purpose: purpose}
	}
	b, err := json.Marshal(manifest{
		ID: "/", Name: p.words.must("app.title"), ShortName: p.words.must("app.short"), Lang: p.Locale,
		StartURL: "/", Scope: "/", Display: "standalone",
		Background: p.Background(ThemeLight), Theme: p.Background(ThemeLight),
		Icons: []manifestIcon{
			icon("icon-192.png", "192x192", "any"), icon("icon-512.png", "512x512", "any"),
			icon("icon-maskable-512.png", "512x512", "maskable"),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return b, nil
}
