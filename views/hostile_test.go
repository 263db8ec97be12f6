package views

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"govor/hub/protocol"
)

// hostile are texts that have broken somebody's page.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</textarea><script>alert(1)</script>`,
	`</title><script>alert(1)</script>`, `</template><script>alert(1)</script>`, `{{.}}`, `<!--`, `]]>`, "\u202eevil", "a\x00b",
	`[x](javascript:alert(1))`, "[x](java\tscript:alert(1))", `[x](JaVaScRiPt:alert(1))`, `[x](data:text/html;base64,PHN2Zz4=)`,
	`[x](vbscript:x)`, `[x](//evil.example/)`, `![x](https://evil.example/a.png)`, `![x](javascript:alert(1))`, `<javascript:alert(1)>`,
	`<https://a.example/" onclick="alert(1)>`, `https://a.example/"onmouseover="alert(1)`, "`<b>`", "```\n</code></pre><script>\n```",
	"```\"><script>\nx\n```", `<a href="https://x.example" style="position:fixed">x</a>`, `<li id="log" data-list="log">x</li>`,
	`[a](https://x.example "onload=alert(1)")`, `http://user:pass@evil.example/`, `[x](https://user@evil.example)`, `&lt;script&gt;`,
	`&#x3c;script&#x3e;`, `<svg/onload=alert(1)>`, `*<i>*`, `<scr<script>ipt>`, `</li></ol><form action=//evil>`,
}

// everywhere renders text in every place where what somebody typed is shown.
func everywhere(t *testing.T, v *Views, text string) map[string]string {
	t.Helper()
	p := sampleRoom(samplePage(v, English))
	e := said(41, protocol.Person{Member: maria.Member, Name: text}, 9, 41, text)
	people := []protocol.Person{{Name: text}}
	p.Messages, p.Name, p.Text, p.People, p.EventID, p.SendID = []protocol.Event{e}, text, text, people, text, text
	f := v.Format(English)
	login := LoginPage{Page: p.Page, Name: text, Suggestion: text, Error: protocol.CodeNameTaken, Room: text, Server: text}
	return map[string]string{
		"room":  render(t, v, sample{"room", p}),
		"login": render(t, v, sample{"login", login}),
		"error": render(t, v, sample{"error", ErrorPage{Page: p.Page, Requested: text}}),
		"live":  string(f.Append(nil, protocol.Message{Event: &e})),
		"news":  string(f.Append(nil, &protocol.Presence{Joined: []string{text}, JoinedCount: 1, People: people})),
		"many":  string(f.Append(nil, &protocol.Presence{Left: []string{text}, LeftCount: 4})),
		"fault": string(f.Append(nil, &protocol.Error{Code: "x", Suggestion: text, ID: text, Room: text})),
	}
}

// Whatever is typed, the page has the elements and attributes that it has for a harmless text; only in the text of a
// message there may be others, and those are few.
func TestHostileTextStaysText(t *testing.T) {
	v := newViews(t)
	want := map[string][]string{}
	for where, page := range everywhere(t, v, "harmless") {
		want[where] = skeleton(t, page)
	}
	for _, evil := range hostile {
		for where, page := range everywhere(t, v, evil) {
			if got := skeleton(t, page); !slices.Equal(got, want[where]) {
				t.Errorf("%q changes what is in %s:\n%q, want\n%q", evil, where, got, want[where])
			}
		}
	}
}

// skeleton lists the elements of a page with the names of their attributes, and checks the texts of messages.
func skeleton(t *testing.T, page string) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("there is a comment: %q", n.Data)
		}
		if n.Type != html.ElementNode || inBody(n) {
			continue
		}
		var names []string
		for _, a := range n.Attr {
			names = append(names, a.Key)
			if (a.Key == "href" || a.Key == "action" || a.Key == "src") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") &&
				!strings.HasPrefix(a.Val, "?") {
				t.Errorf("<%s> leads to %q", n.Data, a.Val)
			}
		}
		list = append(list, n.Data+fmt.Sprint(names))
		if isBody(n) {
			var b strings.Builder
			for c := range n.ChildNodes() {
				_ = html.Render(&b, c)
			}
			checkBody(t, b.String())
		}
	}
	return list
}

func isBody(n *html.Node) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "class" && strings.HasPrefix(a.Val, "message__body") })
}

func inBody(n *html.Node) bool {
	for p := range n.Ancestors() {
		if isBody(p) {
			return true
		}
	}
	return false
}

// checkBody checks the HTML of a message: the elements that Markdown makes, links that lead to another site and say so,
// and nothing else.
func checkBody(t *testing.T, body string) {
	t.Helper()
	allowed := []string{"p", "br", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "bdi"}
	parent := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(body), parent)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		parent.AppendChild(n)
	}
	for n := range parent.Descendants() {
		if n.Type != html.ElementNode && n.Type != html.TextNode || n.Type == html.ElementNode && !slices.Contains(allowed, n.Data) {
			t.Errorf("a message has %q in %q", n.Data, body)
		}
		for _, a := range n.Attr {
			switch u, err := url.Parse(a.Val); {
			case n.Data == "a" && a.Key == "rel" && a.Val == linkRel, n.Data == "a" && a.Key == "target" && a.Val == "_blank":
			case n.Data == "bdi" && (a.Key == "class" && a.Val == "mention" || a.Key == "data-member" && a.Val == maria.Member.String()):
			case n.Data == "ol" && a.Key == "start", n.Data == "pre" && a.Key == "tabindex" && a.Val == "0":
			case n.Data == "a" && a.Key == "href" && err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil:
			default:
				t.Errorf("a message has the attribute %s=%q in %q", a.Key, a.Val, body)
			}
		}
	}
}
