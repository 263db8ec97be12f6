package handlers

import (
	"strings"
	"testing"

	"github.com/coder/websocket"

	"govor/hub"
)

func TestProgramsAndFormsDelete(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Анна")
	page := map[string]string{"Origin": s.url}
	for _, text := range []string{"one", "two", "three"} {
		s.ask(c, request{path: "/r/lobby/messages", body: text, headers: page}).want(t, 201)
	}
	headers := map[string]string{"Origin": s.url, "Idempotency-Key": "k1"}
	a := s.ask(c, request{method: "DELETE", path: "/r/lobby/messages/2", headers: headers}).want(t, 200)
	if a.body != `{"room":"lobby","seq":4,"id":"k1","duplicate":false}`+"\n" {
		t.Errorf("receipt %s", a.body)
	}
	a = s.ask(c, request{method: "DELETE", path: "/r/lobby/messages/2", headers: page}).want(t, 200)
	if !strings.Contains(a.body, `"seq":4,`) || !strings.Contains(a.body, `"duplicate":true`) {
		t.Errorf("the second time: %s", a.body)
	}
	a = s.ask(c, request{method: "POST", path: "/r/lobby/messages/3/delete", headers: s.asPage()}).want(t, 303)
	if a.Header.Get("Location") != "/r/lobby/3" {
		t.Errorf("Location = %q", a.Header.Get("Location"))
	}
	if got := strings.Join(s.said("lobby"), "|"); got != "one||" {
		t.Errorf("what is left: %q", got)
	}
	if a := s.ask(c, request{method: "GET", path: "/r/lobby", headers: s.asPage()}).want(t, 200); strings.Count(a.body, " data-erased ") != 2 ||
		!strings.Contains(a.body, `data-event="5"`) {
		t.Errorf("the page does not show two deletions up to number 5:\n%s", a.body)
	}
	for path, want := range map[string]int{
		"/r/lobby/messages/99": 404, "/r/lobby/messages/4": 404, "/r/empty/messages/1": 404, "/r/lobby/messages/0": 404,
		"/r/lobby/messages/x": 404, "/r/Lob:by/messages/1": 400,
	} {
		s.ask(c, request{method: "DELETE", path: path, headers: page}).want(t, want)
	}
	s.ask(s.login("Пётр"), request{method: "DELETE", path: "/r/lobby/messages/1", headers: page}).want(t, 403)
	s.ask(c, request{method: "DELETE", path: "/r/lobby/messages/1"}).want(t, 403) // a cookie without origin proves nothing
	s.ask(c, request{method: "DELETE", path: "/r/lobby/messages/1", headers: map[string]string{"Origin": "http://evil.example"}}).want(t, 403)
	s.ask(c, request{method: "POST", path: "/r/lobby/messages/1/delete", headers: map[string]string{"Origin": "http://evil.example"}}).want(t, 403)
	if got := s.said("lobby")[0]; got != "one" {
		t.Errorf("number 1 is %q", got)
	}
}

func TestProgramsAndFormsEdit(t *testing.T) {
	s := newSite(t, nil)
	c := s.login("Анна")
	page := map[string]string{"Origin": s.url}
	for _, text := range []string{"one", "two", "three"} {
		s.ask(c, request{path: "/r/lobby/messages", body: text, headers: page}).want(t, 201)
	}
	headers := map[string]string{"Origin": s.url, "Idempotency-Key": "k1"}
	a := s.ask(c, request{method: "PUT", path: "/r/lobby/messages/2", body: "zwei & mehr", headers: headers}).want(t, 200)
	if a.body != `{"room":"lobby","seq":4,"id":"k1","duplicate":false}`+"\n" {
		t.Errorf("receipt %s", a.body)
	}
	a = s.ask(c, request{method: "PUT", path: "/r/lobby/messages/2", body: "zwei & mehr", headers: headers}).want(t, 200)
	if !strings.Contains(a.body, `"seq":4,`) || !strings.Contains(a.body, `"duplicate":true`) {
		t.Errorf("the second time: %s", a.body)
	}
	s.ask(c, request{method: "PUT", path: "/r/lobby/messages/2", body: "drei", headers: headers}).want(t, 409)
	json := map[string]string{"Origin": s.url, "Content-Type": "application/json"}
	s.ask(c, request{method: "PATCH", path: "/r/lobby/messages/1", body: `{"text":"eins","id":"k2"}`, headers: json}).want(t, 200)
	a = s.ask(c, request{path: "/r/lobby/messages/3/edit", body: "text=drei%0D%0Aund&id=k3", headers: s.asPage()}).want(t, 303)
	if a.Header.Get("Location") != "/r/lobby/3" {
		t.Errorf("Location = %q", a.Header.Get("Location"))
	}
	if got := strings.Join(s.said("lobby"), "|"); got != "eins|zwei & mehr|drei\nund" {
		t.Errorf("what is there: %q", got)
	}
	if a := s.ask(c, request{method: "GET", path: "/r/lobby", headers: s.asPage()}).want(t, 200); strings.Count(a.body, `class="message__edited"`) != 3 ||
		!strings.Contains(a.body, `data-event="6"`) || !strings.Contains(a.body, `data-changed="4"`) {
		t.Errorf("the page does not show three edits up to number 6:\n%s", a.body)
	}
	for path, want := range map[string]int{
		"/r/lobby/messages/99": 404, "/r/lobby/messages/4": 404, "/r/empty/messages/1": 404, "/r/lobby/messages/0": 404,
		"/r/lobby/messages/x": 404, "/r/Lob:by/messages/1": 400,
	} {
		s.ask(c, request{method: "PUT", path: path, body: "x", headers: page}).want(t, want)
	}
	s.ask(c, request{method: "PUT", path: "/r/lobby/messages/1", body: " ", headers: page}).want(t, 400)
	s.ask(s.login("Пётр"), request{method: "PUT", path: "/r/lobby/messages/1", body: "x", headers: page}).want(t, 403)
	s.ask(c, request{method: "PUT", path: "/r/lobby/messages/1", body: "x"}).want(t, 403) // a cookie without origin proves nothing
	for _, method := range []string{"PUT", "PATCH"} {
		s.ask(c, request{method: method, path: "/r/lobby/messages/1", body: "x", headers: map[string]string{"Origin": "http://evil.example"}}).want(t, 403)
	}
	s.ask(c, request{path: "/r/lobby/messages/1/edit", body: "text=x", headers: map[string]string{"Origin": "http://evil.example"}}).want(t, 403)
	if got := s.said("lobby")[0]; got != "eins" {
		t.Errorf("number 1 is %q", got)
	}
}

// Without scripts the buttons of a message lead to a page of its own.
func TestPageOfAMessage(t *testing.T) {
	s := newSite(t, func(c *Config, l *hub.Limits) { c.MaxText, l.MaxText = 20, 20 })
	anna, petr := s.login("Анна"), s.login("Пётр")
	s.ask(anna, request{path: "/r/lobby/messages", body: "one **two** <b>", headers: map[string]string{"Origin": s.url}}).want(t, 201)
	room := s.ask(anna, request{path: "/r/lobby", headers: s.asPage()}).want(t, 200).body
	if !strings.Contains(room, `href="/r/lobby/messages/1"`) {
		t.Error("the room does not lead there")
	}
	page := s.ask(anna, request{path: "/r/lobby/messages/1", headers: s.asPage()}).want(t, 200).body
	for _, part := range []string{
		`action="/r/lobby/messages/1/edit"`, `action="/r/lobby/messages/1/delete"`, "\none **two** &lt;b&gt;</textarea>", `href="/r/lobby/1"`,
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page has no %s:\n%s", part, page)
		}
	}
	if page := s.ask(petr, request{path: "/r/lobby/messages/1", headers: s.asPage()}).want(t, 200).body; strings.Contains(page, "<form") {
		t.Errorf("somebody else's page has a form:\n%s", page)
	}
	long := strings.Repeat("x", 22)
	back := s.ask(anna, request{path: "/r/lobby/messages/1/edit", body: "id=k&text=" + long, headers: s.asPage()}).want(t, 413).body
	if !strings.Contains(back, long+"</textarea>") || !strings.Contains(back, `role="alert"`) {
		t.Errorf("what was typed did not come back:\n%s", back)
	}
	s.ask(s.client(true), request{path: "/r/lobby/messages/1", headers: s.asPage()}).want(t, 200) // the login
	for _, path := range []string{"/r/lobby/messages/2", "/r/lobby/messages/0", "/r/empty/messages/1", "/r/Lob:by/messages/1"} {
		s.ask(anna, request{path: path, headers: s.asPage()}).want(t, 404)
	}
	s.ask(anna, request{path: "/r/lobby/messages/1/delete", body: "id=d", headers: s.asPage()}).want(t, 303)
	if page := s.ask(anna, request{path: "/r/lobby/messages/1", headers: s.asPage()}).want(t, 200).body; strings.Contains(page, "<form") {
		t.Errorf("a deleted message can be edited:\n%s", page)
	}
}

func TestTokenOfAWelcomeDeletesWhatItSaid(t *testing.T) {
	s := newSite(t, nil)
	ws, _, err := websocket.Dial(t.Context(), s.url+"/ws?name=ci", &websocket.DialOptions{Subprotocols: []string{"govor.v1.json"}}) //nolint:bodyclose // Dial has no body to close
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	_, frame, err := ws.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ := strings.Cut(string(frame), `"token":"`)
	token, _, _ = strings.Cut(token, `"`)
	headers := map[string]string{"Authorization": "Bearer " + token}
	s.ask(s.client(false), request{path: "/r/lobby/messages", body: "done", headers: headers}).want(t, 201)
	s.ask(s.client(false), request{method: "DELETE", path: "/r/lobby/messages/1", headers: headers}).want(t, 200)
	if got := s.said("lobby"); len(got) != 1 || got[0] != "" {
		t.Errorf("what is left: %q", got)
	}
}
