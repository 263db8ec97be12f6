package views

import (
	"bytes"
	"html/template"
	"net/url"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"

	"govor/hub/protocol"
)

// markdownCacheBytes bounds what is kept of texts and their HTML.
const markdownCacheBytes = 16 << 20

// safeHTML is HTML that templates take as given. It is made here of texts, and in fragment.go of what html/template has made.
type safeHTML = template.HTML //nolint:forbidigo // the one exception: what Markdown and templates make is HTML

// markdown turns the text of a message into HTML and remembers the result, because a text is rendered once per
// language and again for every page of history it is on. Its methods may be called from any goroutine.
type markdown struct {
	// Fixed at construction.
	parse  goldmark.Markdown
	policy *bluemonday.Policy

	kept *cache[string, rendered] // by text: two who say the same as a rule mention the same
}

// rendered is a text as HTML, and whom it mentions.
type rendered struct {
	html     safeHTML
	mentions protocol.Mentions
}

func newMarkdown(limit int) *markdown {
	m := &markdown{policy: newPolicy(), kept: newCache(limit, func(text string, h rendered) int {
		return len(text) + len(h.html) + len(h.mentions)
	})}
	m.parse = goldmark.New(
		goldmark.WithParser(newParser()),
		goldmark.WithRenderer(renderer.NewRenderer(renderer.WithNodeRenderers(
			util.Prioritized(linkRenderer{}, 100),
			util.Prioritized(mentionRenderer{}, 100),
			util.Prioritized(fenceRenderer{}, 100),
			util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
			util.Prioritized(html.NewRenderer(html.WithHardWraps()), 1000),
		))),
	)
	return m
}

// newParser knows what people use in chats: emphasis, code, quotes, lists and links. It knows no HTML, headings, rules or
// link definitions; what looks like them stays as it was typed. Images become links.
func newParser() parser.Parser {
	return parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500), // without it, what is indented would be dropped
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(mentionParser{}, 150),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
			util.Prioritized(extension.NewStrikethroughParser(), 500),
			util.Prioritized(extension.NewLinkifyParser(
				extension.WithLinkifyAllowedProtocols([]string{"http:", "https:"}),
				extension.WithLinkifyURLRegexp(urlPattern),
				extension.WithLinkifyEmailRegexp(noPattern),
			), 999),
		),
	)
}

// urlPattern is wider than the library's own: addresses of a local network, and Cyrillic hosts and paths, are links too.
// There is no "@" before the path, so that what looks like a host is the host.
var urlPattern = regexp.MustCompile("^https?://(?:[\\pL\\pM\\pN._~%-]+|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]+)?(?:[/?#][^\\s<>\"`«»“”„]*)?")

// noPattern matches nothing: mail addresses stay text. It is anchored, because it is tried at every word.
var noPattern = regexp.MustCompile(`^[^\s\S]`)

// newPolicy is the second line of defence: it lets through what newParser can make and nothing else.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,9}$`)).OnElements("ol")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^` + linkRel + `$`)).OnElements("a")
	p.AllowAttrs("target").Matching(regexp.MustCompile(`^_blank$`)).OnElements("a")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^mention$`)).OnElements("bdi")
	p.AllowAttrs("data-member").Matching(regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`)).OnElements("bdi")
	p.AllowURLSchemes("http", "https")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	return p
}

// render returns text as HTML that is safe to put into a page, with those it mentions marked up.
func (m *markdown) render(text string, mentions protocol.Mentions) safeHTML {
	if kept, ok := m.kept.get(text); ok && kept.mentions == mentions {
		return kept.html
	}
	h := rendered{m.convert(text, mentions), mentions}
	m.kept.put(strings.Clone(text), h) // text may be part of something large
	return h.html
}

// forget drops what was kept of a text, or with "" everything.
func (m *markdown) forget(text string) {
	if text == "" {
		m.kept.dropAll()
	} else {
		m.kept.dropOne(text)
	}
}

func (m *markdown) convert(text string, mentions protocol.Mentions) safeHTML {
	if wild(text) {
		return plainHTML(text)
	}
	var b bytes.Buffer
	if err := m.parse.Convert([]byte(text), &b, withMentions(mentions)); err != nil {
		return plainHTML(text)
	}
	clean := bytes.TrimSpace(m.policy.SanitizeBytes(b.Bytes()))
	// Code that is wider than its bubble is scrolled with the arrow keys, too.
	clean = bytes.ReplaceAll(clean, []byte("<pre>"), []byte(`<pre tabindex="0">`))
	return safeHTML(clean) // sanitized, and our own attribute
}

// plainHTML is text as it was typed, escaped.
func plainHTML(text string) safeHTML {
	s := template.HTMLEscapeString(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")))
	s = "<p>" + strings.ReplaceAll(s, "\n", "<br>\n") + "</p>"
	return safeHTML(s) // escaped
}

// linkRel is what every link says about itself.
const linkRel = "noopener nofollow ugc"

// linkRenderer writes links, and images as links; only to http and https, anything else is its text.
type linkRenderer struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (r linkRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindLink, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		link, _ := n.(*ast.Link)
		return r.tag(w, link.Destination, entering)
	})
	reg.Register(ast.KindImage, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		image, _ := n.(*ast.Image)
		return r.tag(w, image.Destination, entering)
	})
	reg.Register(ast.KindAutoLink, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		link, _ := n.(*ast.AutoLink)
		if !entering {
			return ast.WalkContinue, nil
		}
		to := link.URL(source)
		if link.AutoLinkType == ast.AutoLinkEmail {
			to = nil
		}
		_, _ = r.tag(w, to, true)
		_, _ = w.Write(util.EscapeHTML(link.Label(source)))
		return r.tag(w, to, false)
	})
}

func (linkRenderer) tag(w util.BufWriter, to []byte, entering bool) (ast.WalkStatus, error) {
	to = util.URLEscape(to, true)
	switch {
	case !leadsOut(string(to)):
	case !entering:
		_, _ = w.WriteString("</a>")
	default:
		_, _ = w.WriteString(`<a href="`)
		_, _ = w.Write(util.EscapeHTML(to))
		_, _ = w.WriteString(`" rel="` + linkRel + `" target="_blank">`)
	}
	return ast.WalkContinue, nil
}

// leadsOut tells whether to is an address on the web, with a host that is what it looks like.
func leadsOut(to string) bool {
	u, err := url.Parse(to)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

// fenceRenderer writes fenced code. What stands behind the fence is the name of a language and not shown, if it looks
// like one and something follows; otherwise it is what somebody wanted to say.
type fenceRenderer struct{}

var languageName = regexp.MustCompile(`^[A-Za-z0-9+#._-]{1,20}$`)

// RegisterFuncs implements renderer.NodeRenderer.
func (fenceRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindFencedCodeBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		_, _ = w.WriteString("<pre><code>")
		if block, ok := n.(*ast.FencedCodeBlock); ok && block.Info != nil {
			if info := block.Info.Segment.Value(source); n.Lines().Len() == 0 || !languageName.Match(info) {
				_, _ = w.Write(util.EscapeHTML(info))
				_ = w.WriteByte('\n')
			}
		}
		for i := range n.Lines().Len() {
			line := n.Lines().At(i)
			_, _ = w.Write(util.EscapeHTML(line.Value(source)))
		}
		_, _ = w.WriteString("</code></pre>\n")
		return ast.WalkContinue, nil
	})
}
