package hub

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"govor/hub/store"
)

// Ready is nil when the store can be written, the journal is followed and the hub is not stopping. What it says otherwise
// is for everybody who asks: what the system says, which names files, is in the log.
func (h *Hub) Ready(ctx context.Context) error {
	h.mu.Lock()
	stopping, err := h.stopping, h.followed
	h.mu.Unlock()
	if stopping {
		return errors.New("the server is stopping")
	}
	if err == nil {
		err = h.store.Writable(ctx)
	}
	if err == nil {
		h.logUnready("")
		return nil
	}
	h.logUnready(err.Error())
	var unknown *store.UnknownEventError
	if errors.As(err, &unknown) {
		return unknown
	}
	for _, known := range []error{store.ErrReplaced, store.ErrCorrupted, store.ErrClosed} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("messages cannot be stored now; the log says why")
}

// logUnready writes each reason once, however often it is asked for; "" is that there is none any more.
func (h *Hub) logUnready(why string) {
	h.mu.Lock()
	said := h.unready == why
	h.unready = why
	h.mu.Unlock()
	if !said && why != "" {
		h.log.Error("not ready", zap.String("reason", why))
	}
}
