package hub

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"govor/hub/protocol"
)

func TestInviteLetsNewMembersInAndEnds(t *testing.T) {
	w := newWorldIn(t, Limits{}, Config{Mode: ModeMembers})
	_, err := w.enter("Иван", "", nil)
	wantCode(t, "without a password", err, protocol.CodeNeedPassword)
	_, err = w.enter("Иван", secretWord, nil)
	wantCode(t, "a name that nobody has", err, protocol.CodeBadPassword)
	_, err = w.hub.Guest(t.Context(), "Иван")
	wantCode(t, "a guest", err, protocol.CodeNeedPassword)

	link, err := w.hub.Invite(t.Context(), Member{}, "семья", time.Hour, 2)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(link, "семья") {
		t.Error("the link tells what it is called")
	}
	accept := func(name, password string) (Member, error) {
		return w.hub.Accept(t.Context(), link, Entry{Name: name, Password: password, How: protocol.LoginByPage})
	}
	_, err = accept("Иван", "short")
	wantCode(t, "short", err, protocol.CodeBadPassword)
	m, err := accept("Иван", secretWord)
	if err != nil || !m.Claimed || !w.good(w.hub.Cookie(m)) {
		t.Fatalf("Accept = %+v, %v", m, err)
	}
	_, err = accept("Иван", secretWord)
	wantCode(t, "a name that is taken", err, protocol.CodeNameTaken)
	if _, err = accept("Мария", secretWord); err != nil {
		t.Fatal(err)
	}
	_, err = accept("Ольга", secretWord)
	wantCode(t, "used up", err, protocol.CodeBadInvite)
	if again := w.mustEnter("Иван", secretWord, nil); again.ID != m.ID {
		t.Error("a member is not the same the second time")
	}

	_, err = w.hub.Invite(t.Context(), m, "", time.Hour, 5)
	wantCode(t, "by somebody who is no host", err, protocol.CodeForbidden)
	link, _ = w.hub.Invite(t.Context(), Member{}, "", time.Hour, 5)
	list, err := w.hub.Invites(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("invites %+v, %v", list, err)
	}
	for _, i := range list {
		if err := w.hub.EndInvite(t.Context(), Member{}, i.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.hub.CheckInvite(t.Context(), link)
	wantCode(t, "revoked", err, protocol.CodeBadInvite)
	_, err = accept("Ольга", secretWord)
	wantCode(t, "revoked", err, protocol.CodeBadInvite)
	link, _ = w.hub.Invite(t.Context(), Member{}, "", time.Hour, 5)
	w.hub.now = func() time.Time { return time.Now().Add(time.Hour + time.Second) }
	_, err = accept("Ольга", secretWord)
	wantCode(t, "expired", err, protocol.CodeBadInvite)
}

// With --mode members, who has no password does not come in: nobody takes the own one away and is out.
func TestPasswordOfAMemberStays(t *testing.T) {
	w := newWorldIn(t, Limits{}, Config{Mode: ModeMembers})
	link, err := w.hub.Invite(t.Context(), Member{}, "", time.Hour, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.hub.Accept(t.Context(), link, Entry{Name: "Иван", Password: secretWord, How: protocol.LoginByPage})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.hub.RemovePassword(t.Context(), m, secretWord)
	wantCode(t, "removing it", err, protocol.CodeForbidden)
	if !w.good(w.hub.Cookie(m)) {
		t.Error("the login has ended")
	}
}

func TestServerWithAPassword(t *testing.T) {
	w := newWorldIn(t, Limits{}, Config{Mode: ModePassword, Password: "для своих"})
	_, err := w.enter("Иван", "", nil)
	wantCode(t, "without it", err, protocol.CodeNeedPassword)
	_, err = w.enter("Иван", "для чужих", nil)
	wantCode(t, "with another", err, protocol.CodeBadPassword)
	_, err = w.hub.Guest(t.Context(), "")
	wantCode(t, "a guest", err, protocol.CodeNeedPassword)
	m := w.mustEnter("Иван", "для своих", nil)
	if !w.good(w.hub.Cookie(m)) {
		t.Error("the cookie is not good")
	}
	g, err := w.hub.Word(t.Context(), Entry{Name: "Иван", Password: "для своих", Label: "curl"})
	if err != nil || g.Proof != ByNothing || g.Name != "Иван-2" {
		t.Errorf("a program that knows it: %+v, %v", g, err)
	}
	// Who came in by another password, or by none, has to log in again.
	cookie := w.hub.Cookie(m)
	w.hub.door.mark = "of another password"
	if w.good(cookie) {
		t.Error("the cookie is good with another password of the server")
	}
	if _, err := New(Config{Secret: make([]byte, minSecret), Store: w.store, Registry: prometheus.NewRegistry(), Log: zap.NewNop(), Mode: ModePassword, Password: "short"}); err == nil {
		t.Error("a server with a short password")
	}
}

func TestNameFromAProxy(t *testing.T) {
	w := newWorldIn(t, Limits{}, Config{Mode: ModeProxy})
	m, err := w.hub.FromProxy(t.Context(), "admin")
	if err != nil || m.Name != "admin" || m.Proof != ByLogin {
		t.Fatalf("FromProxy = %+v, %v", m, err)
	}
	before := w.store.Position()
	if again, err := w.hub.FromProxy(t.Context(), "ADMIN"); err != nil || again.ID != m.ID || w.store.Position() != before {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	_, err = w.hub.FromProxy(t.Context(), "аdmin")
	wantCode(t, "what looks like it", err, protocol.CodeNameTaken)
	_, err = w.hub.FromProxy(t.Context(), "a:b")
	wantCode(t, "no name", err, protocol.CodeBadName)
	_, err = w.enter("Иван", "", nil)
	wantCode(t, "by a page", err, protocol.CodeForbidden)
	_, err = w.hub.Guest(t.Context(), "Иван")
	wantCode(t, "a guest", err, protocol.CodeForbidden)
	if w.good(w.hub.Cookie(m)) {
		t.Error("a cookie proves somebody")
	}
}

func TestAdminTokenIsGoodForAMoment(t *testing.T) {
	w := newWorld(t, Limits{})
	now := time.Now()
	secret := []byte(strings.Repeat("s", minSecret))
	token := AdminToken(secret, now)
	if !w.hub.IsAdmin(token) {
		t.Error("it is not good")
	}
	if w.hub.IsAdmin(AdminToken(secret, now.Add(-adminAge-time.Second))) || w.hub.IsAdmin(AdminToken(make([]byte, 32), now)) ||
		w.hub.IsAdmin(w.hub.Cookie(w.mustEnter("Иван", "", nil))) || w.hub.IsAdmin("") {
		t.Error("what is none passes for one")
	}
}
