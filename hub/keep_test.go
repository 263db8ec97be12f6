package hub

import (
	"testing"
	"time"

	"govor/hub/protocol"
)

// A cookie and a token outlive the hold of a name: who comes back after somebody else has taken it is called otherwise, and
// stays who it is.
func TestOldProofsDoNotPassForTheNewHolder(t *testing.T) {
	w, clock := newWorldAt(t, Limits{})
	first := w.mustEnter("Иван", "", nil)
	cookie := w.hub.Cookie(first)
	guest := w.named("Мария")
	token := guest.until("welcome").Token
	guest.send(`{"type":"send","id":"a","text":"x"}`)
	for guest.until("ack").ID != "a" {
	}
	guest.close()
	clock.add(protocol.NameHold + time.Hour)
	w.mustEnter("Иван", "", nil)
	w.mustEnter("Мария", "", nil)

	again, err := w.hub.Authenticate(t.Context(), cookie)
	if err != nil || again.ID != first.ID || again.Name != "Иван-2" {
		t.Errorf("by the cookie: %s, %v, the same: %v", again.Name, err, again.ID == first.ID)
	}
	if m, err := w.hub.Authenticate(t.Context(), cookie); err != nil || m.Name != "Иван-2" || !m.holds {
		t.Errorf("the second time: %+v, %v", m, err)
	}
	m, err := w.hub.Recognise(t.Context(), token)
	if err != nil || m.Name != "Мария-2" {
		t.Errorf("by the token: %s, %v", m.Name, err)
	}
	if _, err := w.hub.Submit(t.Context(), m, someAddr, protocol.Send{Room: "lobby", Text: "это я"}); err != nil {
		t.Fatal(err)
	}
	page, err := w.store.Page(t.Context(), "lobby", 0, 1)
	if err != nil || len(page) != 1 || page[0].Name != "Мария-2" {
		t.Errorf("the message is %+v, %v", page, err)
	}
	if other := w.mustEnter("Пётр", "", nil); !w.good(w.hub.Cookie(other)) {
		t.Error("somebody else's login has ended")
	}
}

// Who comes back before anybody else wants the name has it still.
func TestNameThatNobodyWantedIsKept(t *testing.T) {
	w, clock := newWorldAt(t, Limits{})
	cookie := w.hub.Cookie(w.mustEnter("Иван", "", nil))
	clock.add(10 * protocol.NameHold)
	m, err := w.hub.Authenticate(t.Context(), cookie)
	if err != nil || m.Name != "Иван" {
		t.Errorf("%s, %v", m.Name, err)
	}
	w.hub.Refresh(t.Context(), m)
	_, err = w.enter("Иван", "", nil)
	wantCode(t, "somebody else", err, protocol.CodeNameTaken)
}
