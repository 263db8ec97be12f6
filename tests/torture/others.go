//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// terminal is a person with plain text, who has no ids: what was typed is stored at most once, and what is shown is a
// run of the room, history and live, without a gap.
func (w *world) terminal(ctx context.Context, name string) {
	rng := stream(w.o.seed, name)
	for n := 0; ctx.Err() == nil; n++ {
		fault := drawWire(rng)
		if w.calm.Load() {
			fault = wireFault{}
		}
		room, author := pick(rng, "lobby", "side"), fmt.Sprintf("%s-%d", name, n)
		inner := stream(rng.Uint64(), "typing")
		query := url.Values{"room": {room}, "name": {name}, "history": {fmt.Sprint(rng.IntN(120))}}
		began := time.Now()
		if ws, err := w.websocket(ctx, fault, "", "", query); err == nil {
			w.typeAndRead(ctx, ws, inner, w.ledger.begin(author, room, began))
			_ = ws.CloseNow()
		}
		pause(ctx, between(rng, 20*time.Millisecond, 400*time.Millisecond))
	}
}

// typeAndRead types now and then and reads until the connection ends.
func (w *world) typeAndRead(ctx context.Context, ws *websocket.Conn, rng *rand.Rand, run *run) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.running.Go(func() {
		for n := 1; ; n++ {
			if pause(ctx, between(rng, 50*time.Millisecond, 400*time.Millisecond)); ctx.Err() != nil || w.calm.Load() {
				return
			}
			s := &said{kind: saySend, author: run.who, n: n, room: run.room, text: text(rng, run.who, n)}
			w.ledger.say(s)
			if ws.Write(ctx, websocket.MessageText, []byte(s.text)) != nil {
				return
			}
		}
	})
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(data), "\n"), "\n") {
			_, said, ok := strings.Cut(line, ": ")
			switch {
			case strings.HasPrefix(line, "* error unavailable"):
			case strings.HasPrefix(line, "* error "):
				w.ledger.breaks(inOrder, "%s was refused: %s", run.who, line)
			case ok && !strings.HasPrefix(line, "* "):
				w.ledger.line(run, said)
			}
		}
	}
}

// poster is a script that sends by HTTP: one message at a time, with a token and a key, until it is answered.
func (w *world) poster(ctx context.Context, name string) {
	rng := stream(w.o.seed, name)
	var member, token string
	for token == "" && ctx.Err() == nil {
		pause(ctx, 100*time.Millisecond)
		if ws, err := w.websocket(ctx, wireFault{}, "govor.v1.json", "", url.Values{"name": {name}}); err == nil {
			if _, data, err := ws.Read(ctx); err == nil {
				if frames, err := parseJSON(data); err == nil {
					member, token = frames[0].Member, frames[0].Token
				}
			}
			_ = ws.CloseNow()
		}
	}
	for n := 1; ctx.Err() == nil && !w.calm.Load(); n++ {
		s := &said{
			key: key{member, fmt.Sprintf("%s-%d", name, n)}, kind: saySend, author: name, n: n, room: pick(rng, "lobby", "side"), text: text(rng, name, n),
		}
		w.ledger.say(s)
		for !w.post(ctx, rng, s, token) && ctx.Err() == nil {
			pause(ctx, between(rng, 10*time.Millisecond, 200*time.Millisecond))
		}
		pause(ctx, between(rng, 20*time.Millisecond, 300*time.Millisecond))
	}
}

// post sends once and tells whether there was an answer that ends the matter.
func (w *world) post(ctx context.Context, rng *rand.Rand, s *said, token string) bool {
	fault := drawWire(rng)
	if fault.after = rng.IntN(1500); w.calm.Load() {
		fault = wireFault{}
	}
	conn, err := w.dial(ctx, fault)
	if err != nil {
		return false
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, 6*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.addr+"/r/"+s.room+"/messages", strings.NewReader(s.text))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Idempotency-Key", s.id)
	resp, err := over(conn).RoundTrip(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return false
	}
	switch resp.StatusCode {
	case http.StatusCreated, http.StatusOK:
		var f frame
		if err := json.Unmarshal(body, &f); err != nil || f.ID != s.id || f.Duplicate != (resp.StatusCode == http.StatusOK) {
			w.ledger.breaks(exactlyOnce, "%s was answered %d %s", s.id, resp.StatusCode, body)
			return true
		}
		w.ledger.ack(s.key, f.Room, f.Seq, f.Duplicate)
		return true
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return false
	}
	w.ledger.breaks(exactlyOnce, "%s by HTTP was answered %d %s", s.id, resp.StatusCode, body)
	return true
}

// login logs in by the form.
func (w *world) login(ctx context.Context, name string) (cookie string, err error) {
	resp, err := w.form(ctx, "/login", url.Values{"name": {name}}.Encode(), "") //nolint:bodyclose // form reads it to its end
	if err != nil {
		return "", err
	}
	for _, c := range resp.Cookies() {
		if c.Name == "govor" && c.Value != "" {
			return "govor=" + c.Value, nil
		}
	}
	return "", fmt.Errorf("log in: %s", resp.Status)
}

// form posts a form as a page of this server does.
func (w *world) form(ctx context.Context, path, body, cookie string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 6*time.Second)
	defer cancel()
	conn, err := w.dial(ctx, wireFault{})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.addr+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Origin", "http://"+w.addr)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	resp, err := over(conn).RoundTrip(req)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp, err
}

// porch is the room of those who log out. Nothing is taken back there: a deletion has everybody who is behind fed from the
// store, and whoever waits for that when the session ends is shown nothing more, also by a server that ignores the end.
const porch = "porch"

// leaver logs in, stops reading, logs out while the server has much for it, and reads again: nothing may come that was
// said after the answer to its logout.
func (w *world) leaver(ctx context.Context, name string) {
	rng := stream(w.o.seed, name)
	for n := 0; ctx.Err() == nil && !w.calm.Load(); n++ {
		cookie, err := w.login(ctx, fmt.Sprintf("%s-%d", name, n))
		if err == nil {
			w.leave(ctx, rng, name, cookie)
		}
		pause(ctx, between(rng, 50*time.Millisecond, 300*time.Millisecond))
	}
}

func (w *world) leave(ctx context.Context, rng *rand.Rand, name, cookie string) {
	ctx, cancel := context.WithTimeout(ctx, 12*time.Second)
	defer cancel()
	conn, err := w.dial(ctx, wireFault{small: true})
	if err != nil {
		return
	}
	defer conn.Close()
	began := time.Now()
	ws, err := w.upgrade(ctx, conn, "govor.v1.html", cookie, url.Values{"room": {porch}})
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	if _, _, err := ws.Read(ctx); err != nil { // welcome
		return
	}
	// The socket is to be full of what was said last, as far as one block of history goes; what comes next stays in the
	// server's ring, the smallest of which holds some fifty messages.
	hello := fmt.Sprintf(`{"type":"hello","rooms":{%q:{"after":%d}}}`, porch, max(0, w.ledger.end(porch)-200))
	if ws.Write(ctx, websocket.MessageText, []byte(hello)) != nil {
		return
	}
	pause(ctx, between(rng, 200*time.Millisecond, 800*time.Millisecond))
	resp, err := w.form(ctx, "/logout", "", cookie) //nolint:bodyclose // form reads it to its end
	out := time.Now()
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		return // it may have happened or not
	}
	// So long that something is said, stored and shown to the others meanwhile, also on a busy machine; the server gives
	// what was pending up after 5 s.
	pause(ctx, between(rng, 300*time.Millisecond, 1500*time.Millisecond))
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return
		}
		frames, err := parseHTML(data)
		if err != nil {
			return
		}
		for _, f := range frames {
			if f.Type != "message" {
				continue
			}
			s := w.ledger.show(name, porch, f.Seq, shown{key{f.Member, f.ID}, f.Text, f.Erased, began})
			if s != nil && s.first.After(out) {
				w.ledger.breaks(takenAway, "%s logged out, and %v later was shown %q, which was said after that", name, time.Since(out).Round(time.Millisecond), head(f.Text))
				return
			}
		}
	}
}
