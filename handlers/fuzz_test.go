package handlers

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
)

// answer answers a request without a connection and checks what holds for every answer.
func (s *site) answer(t *testing.T, c *fasthttp.RequestCtx) {
	t.Helper()
	s.server.app.Handler()(c)
	status := c.Response.StatusCode()
	if status >= 500 {
		t.Fatalf("%s %q: status %d\n%.300s", c.Method(), c.RequestURI(), status, c.Response.Body())
	}
	if policy := c.Response.Header.Peek("Content-Security-Policy"); len(policy) == 0 {
		t.Error("an answer without a policy")
	}
	if to := string(c.Response.Header.Peek("Location")); to != "" {
		if u, err := url.Parse(to); err != nil || u.Host != "" && u.Host != "chat.example" || strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, `/\`) {
			t.Errorf("%q leads to %q", c.RequestURI(), to)
		}
	}
	if !utf8.Valid(c.Response.Body()) {
		t.Errorf("the answer to %q is not UTF-8", c.RequestURI())
	}
}

// requestOf is a request of a browser.
func requestOf(method, path string) *fasthttp.RequestCtx {
	c := new(fasthttp.RequestCtx)
	c.Init(new(fasthttp.Request), nil, nil)
	c.Request.Header.SetMethod(method)
	c.Request.SetRequestURI("http://chat.example" + path)
	c.Request.Header.SetHost("chat.example")
	c.Request.Header.Set("Accept", "text/html")
	return c
}

// Whatever a place in the history is said to be, there is a page, or a refusal.
func FuzzHistoryCursor(f *testing.F) {
	for _, at := range []string{"", "0", "1", "41", "-1", "9223372036854775807", "9223372036854775808", "1e3", " 1", "١", "%00", "1&before=2"} {
		f.Add("before", at)
		f.Add("after", at)
		f.Add("history", at)
	}
	s := newSite(f, nil)
	f.Fuzz(func(t *testing.T, name, at string) {
		query := "?" + url.QueryEscape(name) + "=" + url.QueryEscape(at)
		for _, path := range []string{"/r/lobby", "/r/lobby/messages.json", "/r/lobby/" + url.PathEscape(at), "/"} {
			s.answer(t, requestOf("GET", path+query))
		}
		s.answer(t, requestOf("GET", "/r/"+url.PathEscape(at)))
	})
}

// Whatever a form says, it is an answer, and never a mistake of ours.
func FuzzForms(f *testing.F) {
	for _, body := range []string{
		"", "text=x", "text=%d0%9f&id=1", "name=Anna&room=lobby", "name=%00", "text", "&&=&", "text=%", "text=%ff", "room=//evil.example",
		"name=a&name=b", `{"text":"x"}`, `{"text":1}`, "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nx\r\n--b--\r\n",
	} {
		for kind := range 5 {
			f.Add(body, uint8(kind))
		}
	}
	s := newSite(f, nil)
	kinds := []string{"application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b", "text/plain", ""}
	paths := []string{"/login", "/r/lobby/messages", "/r/lobby/messages/1/edit", "/r/lobby/messages/1/delete", "/logout"}
	f.Fuzz(func(t *testing.T, body string, kind uint8) {
		for _, path := range paths {
			c := requestOf("POST", path)
			c.Request.Header.Set("Origin", "http://chat.example")
			c.Request.Header.SetContentType(kinds[int(kind)%len(kinds)])
			c.Request.SetBodyString(body)
			s.answer(t, c)
		}
		if fields, ok := parseForm([]byte(body)); ok && !fields.Has("text") {
			t.Errorf("%s is a form without a text", strconv.Quote(body))
		}
	})
}
