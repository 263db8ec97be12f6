package handlers

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"govor/hub"
)

// Hosts make, list and revoke invites by forms; nobody else may, and what a link is made of is shown once.
func TestHostsInvite(t *testing.T) {
	s := newSiteIn(t, hub.ModeOpen, nil)
	host, guest := s.owner("Ольга"), s.client(true)
	s.post(guest, "/login", "name", "Гость").want(t, http.StatusSeeOther)
	for _, c := range []*http.Client{guest, s.client(true)} {
		if a := s.look(c, "", "/invites"); a.StatusCode < 400 {
			t.Errorf("somebody reads the invites: %d", a.StatusCode)
		}
		if a := s.post(c, "/invites", "label", "x", "uses", "1", "for", "7d"); a.StatusCode < 400 {
			t.Errorf("somebody makes an invite: %d", a.StatusCode)
		}
	}
	page := s.post(host, "/invites", "label", "Команда", "uses", "2", "for", "7d").want(t, http.StatusOK).body
	link := regexp.MustCompile(`http://[^<]+(/invite/[^<]+)</span></code>`).FindStringSubmatch(page)
	if link == nil || !strings.Contains(page, "Команда") {
		t.Fatalf("no link in the page: %s", page)
	}
	list := s.look(host, "", "/invites").want(t, http.StatusOK).body
	if strings.Contains(list, link[1]) || !strings.Contains(list, "Came: 0, left: 2") {
		t.Errorf("the list afterwards: %s", list)
	}
	s.post(s.client(true), link[1], "name", "Новая", "password", "long enough").want(t, http.StatusSeeOther)
	list = s.look(host, "", "/invites").body
	id := regexp.MustCompile(`name="invite" value="([^"]+)"`).FindStringSubmatch(list)
	if id == nil || !strings.Contains(list, "Came: 1, left: 1") {
		t.Fatalf("the list after one came: %s", list)
	}
	if a := s.post(guest, "/invites/revoke", "invite", id[1]); a.StatusCode < 400 {
		t.Errorf("somebody revokes an invite: %d", a.StatusCode)
	}
	s.post(host, "/invites/revoke", "invite", id[1]).want(t, http.StatusSeeOther)
	if list = s.look(host, "", "/invites?done=revoked").body; strings.Contains(list, `name="invite"`) || !strings.Contains(list, "The link is revoked") {
		t.Errorf("the list after it was revoked: %s", list)
	}
	if a := s.post(s.client(true), link[1], "name", "Другая", "password", "long enough"); a.StatusCode < 400 {
		t.Errorf("a revoked link lets somebody in: %d", a.StatusCode)
	}
}

func TestInvitesThatAreNone(t *testing.T) {
	s := newSite(t, nil)
	host := s.owner("Ольга")
	for _, fields := range [][]string{
		{"uses", "0", "for", "7d"}, {"uses", "many", "for", "7d"}, {"uses", "1", "for", ""}, {"uses", "1", "for", "900d"}, {"uses", "10001", "for", "1d"},
	} {
		a := s.post(host, "/invites", append(fields, "label", "Команда")...)
		if a.StatusCode < 400 || !strings.Contains(a.body, `role="alert"`) || !strings.Contains(a.body, `value="Команда"`) {
			t.Errorf("%v: %d, want the form again with what was typed:\n%s", fields, a.StatusCode, a.body)
		}
	}
	if list := s.look(host, "", "/invites").body; !strings.Contains(list, "None yet") {
		t.Errorf("there is an invite: %s", list)
	}
}

// The whole list of what hosts have done comes as a file, for hosts.
func TestAuditIsExported(t *testing.T) {
	s := newSite(t, nil)
	host, guest := s.owner("Ольга"), s.client(true)
	s.post(guest, "/login", "name", "Гость").want(t, http.StatusSeeOther)
	for range 3 {
		s.post(host, "/act", "line", "/mute Гость 1h шумит").want(t, http.StatusSeeOther)
	}
	a := s.look(host, "", "/audit.jsonl").want(t, http.StatusOK)
	lines := strings.Split(strings.TrimSuffix(a.body, "\n"), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], `"num":4`) || !strings.Contains(lines[0], "шумит") || !strings.Contains(lines[3], `"num":1`) {
		t.Errorf("the file is\n%s", a.body)
	}
	if got := a.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment") {
		t.Errorf("Content-Disposition %q", got)
	}
	if !strings.Contains(s.look(host, "", "/audit").body, `href="/audit.jsonl"`) {
		t.Error("the page does not lead to the file")
	}
	for _, c := range []*http.Client{guest, s.client(true)} {
		if a := s.look(c, "", "/audit.jsonl"); a.StatusCode < 400 || strings.Contains(a.body, "шумит") {
			t.Errorf("somebody reads the file: %d", a.StatusCode)
		}
	}
}
