//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// frame is what a client needs of a frame, be it JSON or HTML.
type frame struct {
	Type      string
	Room      string // "" in HTML for messages: a page has one room
	Seq       int64
	ID        string
	Member    string
	Token     string
	Text      string
	Target    int64
	Erased    bool
	After     int64
	Last      int64
	Code      string
	Reason    string
	Duplicate bool
	raw       string
}

func parseJSON(data []byte) ([]frame, error) {
	var f frame
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("a frame is not JSON: %w: %s", err, data)
	}
	f.raw = string(data)
	return []frame{f}, nil
}

func parseHTML(data []byte) ([]frame, error) {
	nodes, err := html.ParseFragment(strings.NewReader(string(data)), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return nil, fmt.Errorf("a frame is not HTML: %w: %s", err, data)
	}
	var frames []frame
	for _, n := range nodes {
		a := map[string]string{}
		for _, attr := range n.Attr {
			a[attr.Key] = attr.Val
		}
		f := frame{
			Type: a["data-frame"], Room: a["data-room"], ID: a["data-id"], Member: a["data-member"], Code: a["data-code"],
			Reason: a["data-reason"], Duplicate: a["data-duplicate"] == "true", raw: string(data),
		}
		f.Seq, _ = strconv.ParseInt(a["data-seq"], 10, 64)
		f.Target, _ = strconv.ParseInt(a["data-target"], 10, 64)
		_, f.Erased = a["data-erased"]
		f.After, _ = strconv.ParseInt(a["data-after"], 10, 64)
		f.Last, _ = strconv.ParseInt(a["data-last"], 10, 64)
		if n.Data == "li" && a["data-kind"] == "message" {
			f.Type = "message"
			if !f.Erased {
				f.Text = strings.TrimSpace(textOf(find(n, "message__body")))
			}
		}
		frames = append(frames, f)
	}
	return frames, nil
}

// find returns the element of a class.
func find(n *html.Node, class string) *html.Node {
	for d := range n.Descendants() {
		if isClass(d, class) {
			return d
		}
	}
	return &html.Node{}
}

// textOf is the text in an element, without the mark that it was edited.
func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		if !isClass(c, "message__edited") {
			b.WriteString(textOf(c))
		}
	}
	return b.String()
}

func isClass(n *html.Node, class string) bool {
	for _, a := range n.Attr {
		if a.Key == "class" && strings.Contains(a.Val, class) {
			return true
		}
	}
	return false
}
