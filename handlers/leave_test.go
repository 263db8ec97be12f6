package handlers

import (
	"net/http"
	"strings"
	"testing"
)

// The only owner, whose name has no password, could not come back: the page asks first. Everybody else just leaves.
func TestLastOwnerIsAskedBeforeLeaving(t *testing.T) {
	s := newSite(t, nil)
	owner := s.owner("Ольга")
	for _, fields := range [][]string{nil, {"everywhere", "1"}} {
		a := s.post(owner, "/logout", fields...).want(t, http.StatusConflict)
		if !strings.Contains(a.body, `name="sure"`) || !strings.Contains(a.body, `href="/account"`) ||
			strings.Contains(a.body, `name="everywhere"`) != (fields != nil) {
			t.Errorf("%v: the page does not ask: %s", fields, a.body)
		}
	}
	s.memberOf(owner) // still logged in
	s.post(owner, "/account/password", "password", "long enough").want(t, http.StatusSeeOther)
	s.post(owner, "/logout").want(t, http.StatusSeeOther)
	s.post(owner, "/login", "name", "Ольга", "password", "long enough").want(t, http.StatusSeeOther)
	s.post(owner, "/account/password/remove", "old", "long enough").want(t, http.StatusSeeOther)
	s.post(owner, "/logout").want(t, http.StatusConflict)
	s.post(owner, "/logout", "sure", "1").want(t, http.StatusSeeOther)
	guest := s.client(true)
	s.post(guest, "/login", "name", "Гость").want(t, http.StatusSeeOther)
	s.post(guest, "/logout").want(t, http.StatusSeeOther)
}

// One of two owners, or one who is logged in elsewhere, too, just leaves.
func TestOwnerWhoCanComeBackLeaves(t *testing.T) {
	s := newSite(t, nil)
	owner, second := s.owner("Ольга"), s.client(true)
	s.post(second, "/login", "name", "Пётр").want(t, http.StatusSeeOther)
	s.post(owner, "/act", "action", "role", "role", "owner", "member", s.memberOf(second)).want(t, http.StatusSeeOther)
	s.post(owner, "/logout").want(t, http.StatusSeeOther)
	s.post(second, "/logout").want(t, http.StatusConflict)
}
