package views

import (
	"fmt"
	"strings"
	"testing"

	"govor/hub/protocol"
)

// chip is the markup of a mention of somebody who is called so.
func chip(p protocol.Person, as string) string {
	return fmt.Sprintf(`<bdi class="mention" data-member="%s">@%s</bdi>`, p.Member, as)
}

func TestMentionsAreMarkedUp(t *testing.T) {
	m := newMarkdown(markdownCacheBytes)
	odd := map[string]protocol.Person{
		"a.*b[c]$": {Member: protocol.MemberID{7}}, "snake_case_": {Member: protocol.MemberID{8}}, "山田 太郎": {Member: protocol.MemberID{9}},
		"a&b": {Member: protocol.MemberID{10}}, "שרה": {Member: protocol.MemberID{11}},
	}
	who := func(key string) (protocol.MemberID, bool) {
		if p, ok := odd[key]; ok {
			return p.Member, true
		}
		return called(key)
	}
	for text, want := range map[string]string{
		"@Мария":                            "<p>" + chip(maria, "Мария") + "</p>",
		"да, @МАРИЯ!":                       "<p>да, " + chip(maria, "МАРИЯ") + "!</p>",
		"**@Мария** и *@Пётр*":              "<p><strong>" + chip(maria, "Мария") + "</strong> и <em>" + chip(petr, "Пётр") + "</em></p>",
		"@Анна Ковалёва, @Анна":             "<p>" + chip(anna, "Анна Ковалёва") + ", @Анна</p>",
		"> @Пётр\n\n- @Мария":               "<blockquote>\n<p>" + chip(petr, "Пётр") + "</p>\n</blockquote>\n<ul>\n<li>" + chip(maria, "Мария") + "</li>\n</ul>",
		"@Мария `@Пётр`":                    "<p>" + chip(maria, "Мария") + " <code>@Пётр</code></p>",
		"@Мария\n```\n@Пётр\n```":           "<p>" + chip(maria, "Мария") + "</p>\n<pre tabindex=\"0\"><code>@Пётр\n</code></pre>",
		"[@Мария](https://a.example)":       `<p><a href="https://a.example"` + a + `@Мария</a></p>`,
		"https://a.example/@Мария":          `<p><a href="https://a.example/@%D0%9C%D0%B0%D1%80%D0%B8%D1%8F"` + a + `https://a.example/@Мария</a></p>`,
		"<https://a.example/?@Мария>":       `<p><a href="https://a.example/?@%D0%9C%D0%B0%D1%80%D0%B8%D1%8F"` + a + `https://a.example/?@Мария</a></p>`,
		"@@Мария \\@Мария x@Мария":          "<p>@@Мария @Мария x@Мария</p>",
		"@Никто @":                          "<p>@Никто @</p>",
		"@a.*b[c]$ *так*":                   "<p>" + chip(odd["a.*b[c]$"], "a.*b[c]$") + " <em>так</em></p>",
		"_@snake_case__":                    "<p><em>" + chip(odd["snake_case_"], "snake_case_") + "</em></p>",
		"@山田 太郎、@שרה":                       "<p>" + chip(odd["山田 太郎"], "山田 太郎") + "、" + chip(odd["שרה"], "שרה") + "</p>",
		"@a&b":                              "<p>" + chip(odd["a&b"], "a&amp;b") + "</p>",
		"@Мария<script>":                    "<p>" + chip(maria, "Мария") + "&lt;script&gt;</p>",
		`<bdi class="mention">@Мария`:       "<p>&lt;bdi class=&quot;mention&quot;&gt;" + chip(maria, "Мария") + "</p>",
		"# @Мария\n@Пётр":                   "<p># " + chip(maria, "Мария") + "<br>\n" + chip(petr, "Пётр") + "</p>",
		strings.Repeat("[", 300) + "@Мария": "<p>" + strings.Repeat("[", 300) + "@Мария</p>",
	} {
		if got := string(m.render(text, protocol.FindMentions(text, who))); strings.ReplaceAll(got, "&#34;", "&quot;") != want {
			t.Errorf("render(%q) =\n%s, want\n%s", text, got, want)
		}
	}
}

// A message with a thousand mentions is not sixty times as large as it was typed.
func TestMarkedUpMentionsAreBounded(t *testing.T) {
	m := newMarkdown(markdownCacheBytes)
	text := strings.Repeat("@ci ", 1000)
	mentions := protocol.FindMentions(text, func(key string) (protocol.MemberID, bool) { return ci.Member, key == "ci" })
	html := string(m.render(text, mentions))
	if n := strings.Count(html, "<bdi"); n != protocol.MaxMentions || mentions.Members() == nil || len(mentions.Members()) != 1 {
		t.Errorf("%d mentions of %q are marked up, want %d of one", n, mentions, protocol.MaxMentions)
	}
	checkBodyOf(t, html)
}

func checkBodyOf(t *testing.T, html string) {
	t.Helper()
	if strings.Count(html, "@ci") != 1000 {
		t.Errorf("something is lost: %d", strings.Count(html, "@ci"))
	}
}

// The same text said to others is another thing: when somebody else took the name, say.
func TestTheSameTextMayMentionOthers(t *testing.T) {
	m := newMarkdown(markdownCacheBytes)
	for _, id := range []protocol.MemberID{{1}, {2}, {1}} {
		mentions := protocol.Mentions("пётр:" + id.String())
		if got := string(m.render("@Пётр", mentions)); !strings.Contains(got, id.String()) {
			t.Errorf("@Пётр of %s is %s", id, got)
		}
		if got := string(m.render("@Пётр", "")); strings.Contains(got, "bdi") {
			t.Errorf("nobody's @Пётр is %s", got)
		}
	}
	if m.kept.size > 2000 || m.kept.lru.Len() != 1 {
		t.Errorf("the cache has %d bytes and %d texts", m.kept.size, m.kept.lru.Len())
	}
}

// Whoever reads sees which of the mentions is of them.
func TestWhoReadsSeesTheirMention(t *testing.T) {
	v := newViews(t)
	p := sampleRoom(samplePage(v, Russian))
	p.Messages = []protocol.Event{said(41, kost, 9, 41, "@Мария и @Пётр"), said(42, maria, 9, 42, "@мария, я сама"), said(43, kost, 9, 43, "@Пётр")}
	page := render(t, v, sample{"room", p})
	mine, other := chip(maria, "Мария"), chip(petr, "Пётр")
	if want := strings.Replace(mine, ">", " data-me>", 1); !strings.Contains(page, want+" и "+other) {
		t.Errorf("the page has no %s и %s", want, other)
	}
	if n := strings.Count(page, " data-me>"); n != 2 {
		t.Errorf("%d mentions of the reader, want 2", n)
	}
	if n := strings.Count(page, " data-mine"); n != 1 {
		t.Errorf("%d messages are for the reader, want 1", n)
	}
	if n := strings.Count(page, `data-mentions="`+maria.Member.String()+","+petr.Member.String()+`"`); n != 1 {
		t.Errorf("%d messages name both", n)
	}
}

func FuzzMentionsAreSafe(f *testing.F) {
	for _, s := range hostile {
		f.Add("@" + s + " @мария")
	}
	m := newMarkdown(0)
	f.Fuzz(func(t *testing.T, s string) {
		html := string(m.render(s, protocol.Mentions("мария:"+maria.Member.String())))
		checkBody(t, html)
	})
}
