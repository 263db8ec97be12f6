package handlers

import (
	"net/http"
	"strings"
	"testing"

	"govor/hub"
)

// Where a name alone does not let anybody in, the link of the first owner does, as a member with a password.
func TestOwnerLinkIsAWayIn(t *testing.T) {
	for _, mode := range []hub.Mode{hub.ModeMembers, hub.ModePassword} {
		t.Run(string(mode), func(t *testing.T) {
			s := newSiteIn(t, mode, nil)
			key := s.hub.NewOwnerKey(false)
			c := s.client(true)
			if page := s.ask(c, request{path: OwnerPath(key)}); !strings.Contains(page.body, `type="password"`) {
				t.Errorf("the page asks for no password:\n%s", page.body)
			}
			for _, bad := range [][2]string{{"", "long-enough"}, {"Anna", ""}, {"Anna", "short"}} {
				a := s.post(c, "/owner", "key", key, "name", bad[0], "password", bad[1])
				if a.StatusCode == http.StatusSeeOther || len(a.Cookies()) > 0 || !strings.Contains(a.body, `role="alert"`) {
					t.Errorf("%q: %d with cookies %v", bad, a.StatusCode, a.Cookies())
				}
			}
			if a := s.post(c, "/owner", "key", key, "name", "Anna", "password", "long-enough"); a.StatusCode != http.StatusSeeOther {
				t.Fatalf("become owner: %d\n%s", a.StatusCode, a.body)
			}
			if page := s.ask(c, request{path: "/r/lobby"}); page.StatusCode != http.StatusOK || !strings.Contains(page.body, `data-role="owner"`) {
				t.Errorf("the owner's room: %d", page.StatusCode)
			}
			other := s.client(true)
			if a := s.post(other, "/login", "name", "Anna", "password", "long-enough"); a.StatusCode != http.StatusSeeOther {
				t.Errorf("the owner on another device: %d", a.StatusCode)
			}
			if a := s.post(s.client(true), "/owner", "key", key, "name", "Boris", "password", "long-enough"); a.StatusCode != http.StatusForbidden {
				t.Errorf("the link again: %d", a.StatusCode)
			}
		})
	}
}
