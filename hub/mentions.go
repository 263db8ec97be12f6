package hub

import (
	"go.uber.org/zap"

	"govor/hub/protocol"
)

// findMentions looks whom a text names: of those who are connected or hold their name. It is decided by the sender's node,
// in the sender's goroutine, and travels with the event; a text without an @ costs nothing.
func (h *Hub) findMentions(text string) protocol.Mentions {
	return protocol.FindMentions(text, h.memberCalled)
}

// memberCalled is whose name a key is: who is connected with it, else who holds it.
func (h *Hub) memberCalled(key string) (protocol.MemberID, bool) {
	look := protocol.LookOf(key)
	h.mu.Lock()
	use := h.names[look]
	var connected *Session
	if use.sessions > 0 {
		connected = h.byMember[use.member]
	}
	h.mu.Unlock()
	if connected != nil && connected.member().NameKey == key {
		return use.member, true
	}
	holder, ok, err := h.store.NameHolder(h.ctx, key)
	if err != nil {
		h.log.Warn("name cannot be looked up for a mention", zap.Error(err))
		return protocol.MemberID{}, false
	}
	if !ok || !holder.Until.After(h.now()) {
		return protocol.MemberID{}, false
	}
	return holder.Member, true
}
