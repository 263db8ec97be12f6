package hub

import (
	"fmt"
	"sync"
	"testing"

	"govor/hub/protocol"
)

func TestOwnerKeyIsGoodOnce(t *testing.T) {
	w := newWorld(t, Limits{})
	m, other := Member{ID: protocol.NewMemberID(), Name: "Мария", NameKey: "мария"}, Member{ID: protocol.NewMemberID(), Name: "Пётр", NameKey: "пётр"}
	first := w.hub.NewOwnerKey(false)
	key := w.hub.NewOwnerKey(false)
	if key == "" || key == first || w.hub.IsOwnerKey(first) || w.hub.IsOwnerKey("") || !w.hub.IsOwnerKey(key) {
		t.Fatalf("keys %q and %q", first, key)
	}
	if err := w.hub.BecomeOwner(t.Context(), other, first); err == nil {
		t.Error("an old key is good")
	}
	w.gate.fail(true)
	if err := w.hub.BecomeOwner(t.Context(), m, key); asProtocol(err) == nil || asProtocol(err).Code != protocol.CodeUnavailable {
		t.Errorf("without a journal: %v", err)
	}
	w.gate.fail(false)
	if err := w.hub.BecomeOwner(t.Context(), m, key); err != nil {
		t.Errorf("BecomeOwner = %v", err)
	}
	if err := w.hub.BecomeOwner(t.Context(), other, key); err == nil || w.hub.IsOwnerKey(key) || w.hub.NewOwnerKey(false) != "" {
		t.Errorf("the key is good again: %v", err)
	}
	again := w.hub.NewOwnerKey(true) // whoever runs the server may have another owner
	if err := w.hub.BecomeOwner(t.Context(), other, again); err != nil || w.hub.Role(other.ID) != protocol.RoleOwner {
		t.Errorf("BecomeOwner = %v", err)
	}
}

// Two who open the link at once: one of them is the owner.
func TestOwnerKeyRace(t *testing.T) {
	w := newWorld(t, Limits{})
	key := w.hub.NewOwnerKey(false)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprint("name", i)
			_ = w.hub.BecomeOwner(t.Context(), Member{ID: protocol.NewMemberID(), Name: name, NameKey: name}, key)
		})
	}
	wg.Wait()
	entries, err := w.store.Audit(t.Context(), 0, 10)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d became owners, %v", len(entries), err)
	}
}
