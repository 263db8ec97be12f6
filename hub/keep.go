package hub

import (
	"context"

	"go.uber.org/zap"

	"govor/hub/protocol"
)

// keepName gives a member that was proved another name where its own is somebody else's by now: a name is held for a while
// after the last visit, and that of a guest while it is connected; the proof outlives both. The new one of a login is held
// at once, that of a guest from its first message on.
func (h *Hub) keepName(ctx context.Context, m *Member) error {
	if m.holds || m.Claimed {
		return nil
	}
	free, err := h.isFree(ctx, *m)
	if err != nil || free {
		return err
	}
	was := m.Name
	if err := h.suffixName(ctx, m, was); err != nil {
		return err
	}
	if m.Proof != ByLogin {
		return nil
	}
	if err := h.holdUntil(ctx, *m, h.now().Add(protocol.NameHold).UnixMilli()); err != nil {
		// Somebody was quicker, or the member is muted: it is asked again with the next page.
		h.log.Info("another name not held", zap.Stringer("member_id", m.ID), zap.String("name", m.Name), zap.Error(err))
		return nil
	}
	h.log.Info("name was taken meanwhile", zap.Stringer("member_id", m.ID), zap.String("name", m.Name))
	return nil
}
