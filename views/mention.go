package views

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	source "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"govor/hub/protocol"
)

// mentionKey is where a parser's context has whom the text mentions.
var mentionKey = parser.NewContextKey()

// naming is what the parser of one text knows of mentions.
type naming struct {
	who  protocol.Mentions
	left int // so many may still be marked up
}

// withMentions tells the parser whom a text mentions.
func withMentions(m protocol.Mentions) parser.ParseOption {
	c := parser.NewContext()
	if m != "" {
		c.Set(mentionKey, &naming{who: m, left: protocol.MaxMentions})
	}
	return parser.WithContext(c)
}

// kindMention is the kind of node that a mention is.
var kindMention = ast.NewNodeKind("Mention")

// mention is a name after its @.
type mention struct {
	ast.BaseInline
	segment source.Segment
	member  protocol.MemberID
}

// Kind implements ast.Node.
func (*mention) Kind() ast.NodeKind { return kindMention }

// Dump implements ast.Node.
func (n *mention) Dump(said []byte, level int) { ast.DumpHelper(n, said, level, nil, nil) }

// mentionParser finds the names of those whom the text mentions. Who they are was decided before the text was stored, so
// that it is the same on every page and for ever. A name is taken as a whole: what Markdown would make of its characters
// does not count.
type mentionParser struct{}

// Trigger implements parser.InlineParser.
func (mentionParser) Trigger() []byte { return []byte{'@'} }

// Parse implements parser.InlineParser.
func (mentionParser) Parse(_ ast.Node, block source.Reader, c parser.Context) ast.Node {
	n, ok := c.Get(mentionKey).(*naming)
	if !ok || n.left == 0 || !protocol.MayMention(block.PrecendingCharacter()) {
		return nil
	}
	line, segment := block.PeekLine()
	var member protocol.MemberID
	size, _ := protocol.NameIn(string(line[1:]), func(key string) bool {
		m, ok := n.who.Of(key)
		member = m
		return ok
	})
	if size == 0 {
		return nil
	}
	n.left--
	block.Advance(1 + size)
	return &mention{segment: segment.WithStop(segment.Start + 1 + size), member: member}
}

// mentionRenderer writes a mention; in a link it is text like any other, for a link that looks like a person would lie.
type mentionRenderer struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (mentionRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(kindMention, func(w util.BufWriter, said []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		m, ok := n.(*mention)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		name := util.EscapeHTML(m.segment.Value(said))
		if inLink(n) {
			_, _ = w.Write(name)
			return ast.WalkContinue, nil
		}
		_, _ = w.WriteString(chipOf(m.member) + ">")
		_, _ = w.Write(name)
		_, _ = w.WriteString("</bdi>")
		return ast.WalkContinue, nil
	})
}

func inLink(n ast.Node) bool {
	for p := n.Parent(); p != nil; p = p.Parent() {
		if k := p.Kind(); k == ast.KindLink || k == ast.KindImage {
			return true
		}
	}
	return false
}

// chipOf is the beginning of the element that marks a mention of somebody up.
func chipOf(m protocol.MemberID) string {
	return `<bdi class="mention" data-member="` + m.String() + `"`
}

// markMe marks what calls a member. No text can look like the beginning of a chip: there, < is escaped.
func markMe(h safeHTML, m protocol.MemberID) safeHTML {
	chip := chipOf(m)
	return safeHTML(strings.ReplaceAll(string(h), chip, chip+" data-me"))
}
