// Package views is how Govor looks: templates, the data they are rendered from, words in two languages, Markdown, and
// the HTML format, in which live events are the same markup as history.
//
// Handlers make a page from Views.Page(locale) and one of these structs, and render it with c.Render:
//
//	LoginPage   "login"  a name is asked for, or was refused
//	AccountPage "account" password, logins, tokens, and a link for another device
//	EnterPage   "enter"  a link was followed that signs in, or invites
//	RoomPage    "room"   a page of a room's history, its people, the form to write with
//	ErrorPage   "error"  a status other than 2xx and 3xx
//	PersonPage  "person" what a host may do to somebody
//	AuditPage   "audit"  what hosts have done
//	OwnerPage   "owner"  whoever opened the link is asked whether they want to be the owner
//	HelpPage    "help"   keys, Markdown, commands
//
//	c.Render("room", views.RoomPage{Page: v.Page(locale), Room: "lobby", …}, views.Layout)
//
// Everything that reaches a page goes through html/template; the only HTML it takes as given is the result of Markdown.
package views

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"runtime"
	"time"

	"github.com/gofiber/template/html/v2"

	"govor/hub/protocol"
)

// Layout is the layout of every page.
const Layout = "layouts/base"

//go:embed *.html layouts partials
var templateFiles embed.FS

// Views renders pages and makes the HTML formats. It implements fiber.Views. Its methods may be called from any
// goroutine.
type Views struct {
	// Fixed at construction.
	assets    string
	words     map[string]*words
	markdown  *markdown
	fragments *fragments
	parts     *template.Template // the whole set, for fragments
	formats   map[string]*htmlFormat

	// An engine holds its lock while a page with a layout is rendered, so there is one per CPU.
	engines chan *html.Engine
}

// New reads the templates and the words. assets is the prefix of everything in public, such as "/static/<hash>",
// without a slash at its end. An error means that this program was built wrongly.
func New(assets string) (*Views, error) {
	v := &Views{
		assets: assets, words: map[string]*words{}, markdown: newMarkdown(markdownCacheBytes),
		formats: map[string]*htmlFormat{}, engines: make(chan *html.Engine, runtime.GOMAXPROCS(0)),
	}
	for range cap(v.engines) {
		engine := html.NewFileSystem(http.FS(templateFiles), ".html")
		if err := engine.Load(); err != nil {
			return nil, fmt.Errorf("parse templates: %w", err)
		}
		v.parts = engine.Templates
		v.engines <- engine
	}
	v.fragments = newFragments(v.parts, fragmentCacheBytes)
	for _, locale := range []string{Russian, English} {
		w, err := loadWords(locale)
		if err != nil {
			return nil, err
		}
		if w.lists, err = v.fragments.scriptLists(w); err != nil {
			return nil, err
		}
		v.words[locale] = w
		v.formats[locale] = newFormat(v, w)
	}
	return v, v.check()
}

// check renders every page once: html/template finds some mistakes only then.
func (v *Views) check() error {
	page := v.Page(English)
	return errors.Join(
		v.Render(io.Discard, "login", LoginPage{Page: page}, Layout),
		v.Render(io.Discard, "account", AccountPage{Page: page}, Layout),
		v.Render(io.Discard, "enter", EnterPage{Page: page}, Layout),
		v.Render(io.Discard, "room", RoomPage{Page: page, Messages: []protocol.Event{{Kind: protocol.KindMessage}}}, Layout),
		v.Render(io.Discard, "rooms", RoomsPage{Page: page, Rooms: []RoomFacts{{Name: "x"}}}, Layout),
		v.Render(io.Discard, "message", MessagePage{Page: page, Message: protocol.Event{Seq: 1}}, Layout),
		v.Render(io.Discard, "error", ErrorPage{Page: page}, Layout),
		v.Render(io.Discard, "person", PersonPage{Page: page, Me: protocol.RoleOwner}, Layout),
		v.Render(io.Discard, "audit", AuditPage{Page: page, Entries: make([]AuditEntry, 1), Sanctions: make([]SanctionRow, 1)}, Layout),
		v.Render(io.Discard, "owner", OwnerPage{Page: page}, Layout),
		v.Render(io.Discard, "help", HelpPage{page}, Layout),
	)
}

// Load implements fiber.Views. New has loaded everything.
func (v *Views) Load() error { return nil }

// Render implements fiber.Views.
func (v *Views) Render(out io.Writer, name string, data any, layouts ...string) error {
	engine := <-v.engines
	defer func() { v.engines <- engine }()
	if err := engine.Render(out, name, data, layouts...); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return nil
}

// Page is the beginning of every page: its language ("ru" or "en"; anything else is Russian) and what belongs to it.
func (v *Views) Page(locale string) Page {
	w := v.words[locale]
	if w == nil {
		w = v.words[Russian]
	}
	return Page{words: w, markdown: v.markdown, fragments: v.fragments, Locale: w.locale, Assets: v.assets, Now: time.Now()}
}

// Stylesheet is the address of the one style sheet that every page has.
func (v *Views) Stylesheet() string { return v.assets + "/css/all.css" }

// Formats returns the HTML formats, one per language, for the hub.
func (v *Views) Formats() []protocol.Format {
	return []protocol.Format{v.formats[Russian], v.formats[English]}
}

// Format returns the HTML format of one language; any other than ours is Russian.
func (v *Views) Format(locale string) protocol.Format {
	if f := v.formats[locale]; f != nil {
		return f
	}
	return v.formats[Russian]
}

// Prerender turns text into HTML and keeps the result for a while, so that rendering it for the room costs a lookup.
func (v *Views) Prerender(text string, mentions protocol.Mentions) {
	v.markdown.render(shown(text), mentions)
}

// Forget drops what was kept of a text; "" drops everything.
func (v *Views) Forget(text string) {
	v.markdown.forget(shown(text))
	v.fragments.forget(text)
}
