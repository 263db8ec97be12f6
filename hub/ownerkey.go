package hub

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"sync"

	"go.uber.org/zap"

	"govor/hub/journal"
	"govor/hub/protocol"
)

// ownerKey makes whoever has it an owner, once. It is kept in memory only, as a hash: every start has another one.
type ownerKey struct {
	mu     sync.Mutex // guards the fields below
	hash   [sha256.Size]byte
	valid  bool
	always bool // it is good although there is an owner
}

// NewOwnerKey makes the key by which somebody becomes an owner, and ends an earlier one. Without always there is one only
// while there is no owner; otherwise it is "".
func (h *Hub) NewOwnerKey(always bool) string {
	k := &h.ownerKey
	k.mu.Lock()
	defer k.mu.Unlock()
	k.valid, k.always = always || !h.store.HasOwner(), always
	if !k.valid {
		return ""
	}
	key := rand.Text()
	k.hash = sha256.Sum256([]byte(key))
	return key
}

// IsOwnerKey tells whether a key is good now.
func (h *Hub) IsOwnerKey(key string) bool {
	k := &h.ownerKey
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.isLocked(key) && (k.always || !h.store.HasOwner())
}

func (k *ownerKey) isLocked(key string) bool {
	hash := sha256.Sum256([]byte(key))
	return k.valid && subtle.ConstantTimeCompare(hash[:], k.hash[:]) == 1
}

// take ends the key if it is the one, and says whether it was.
func (k *ownerKey) take(key string) (ok, always bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.isLocked(key) {
		return false, false
	}
	k.valid = false
	return true, k.always
}

// give makes the key good again that take has ended, unless there is another by now.
func (k *ownerKey) give(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if hash := sha256.Sum256([]byte(key)); hash == k.hash {
		k.valid = true
	}
}

// EnterByOwnerKey logs somebody in who has the key, which stays good, and no other way in: as a new member with a password
// where a name alone is not enough. Errors are *protocol.Error.
func (h *Hub) EnterByOwnerKey(ctx context.Context, key string, en Entry) (Member, error) {
	switch {
	case !h.IsOwnerKey(key):
		return Member{}, protocol.Errorf(protocol.CodeForbidden, "this link is not good any more")
	case h.door.mode == ModeOpen || h.door.mode == ModeProxy:
		en.Password = ""
		return h.SignIn(ctx, en)
	default:
		return h.newcomer(ctx, en, protocol.LoginBody{})
	}
}

// BecomeOwner makes m an owner by the key. The error is a *protocol.Error: forbidden when the key is not good or somebody
// was faster, unavailable when it can be tried again.
func (h *Hub) BecomeOwner(ctx context.Context, m Member, key string) error {
	ok, always := h.ownerKey.take(key)
	if !ok {
		return protocol.Errorf(protocol.CodeForbidden, "this link is not good any more")
	}
	b := protocol.ActBody{Member: m.ID.String(), Name: m.Name, Key: m.NameKey, Role: protocol.RoleOwner, First: !always}
	_, err := journal.Wait(ctx, h.journal, protocol.Event{
		Room: protocol.RoomServer, Kind: protocol.KindRole, V: protocol.Version, ID: protocol.NewID(), At: h.now().UnixMilli(),
		Body: b.Encode(),
	})
	if err != nil && asProtocol(err).Code == protocol.CodeUnavailable {
		h.ownerKey.give(key)
	}
	if err == nil {
		h.log.Info("an owner was made by the link", zap.Stringer("member_id", m.ID), zap.String("name", m.Name))
	}
	return h.public(err)
}
