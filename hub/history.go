package hub

import (
	"context"

	"go.uber.org/zap"

	"govor/hub/protocol"
	"govor/hub/store"
)

// History is a run of a room's messages.
type History struct {
	Room   store.Room       // as it was before Events were read: their reader goes on after its Last. ID 0 while nobody has written there
	Events []protocol.Event // messages, ascending by number
	Older  bool             // there are messages before the first of Events
	Newer  bool             // there are messages after the last of Events
}

// MaxPage bounds the messages of one page.
const MaxPage = 200

// WithGiveWay is a context with which history is read row by row: f is called between two, for others to come first, by the
// goroutine that reads.
func WithGiveWay(ctx context.Context, f func()) context.Context { return store.WithGiveWay(ctx, f) }

// History reads the last limit messages before the number before (0 = from the end). Errors are *protocol.Error.
func (h *Hub) History(ctx context.Context, m Member, room string, before int64, limit int) (History, error) {
	return h.read(ctx, m, room, func() ([]protocol.Event, error) {
		return h.page(ctx, room, before, min(limit, MaxPage))
	})
}

// Events reads at most limit messages after the number after. Errors are *protocol.Error.
func (h *Hub) Events(ctx context.Context, m Member, room string, after int64, limit int) (History, error) {
	return h.read(ctx, m, room, func() ([]protocol.Event, error) {
		return h.messagesAfter(ctx, room, after, min(limit, MaxPage))
	})
}

// Around reads about limit messages around the number seq. Errors are *protocol.Error.
func (h *Hub) Around(ctx context.Context, m Member, room string, seq int64, limit int) (History, error) {
	limit = min(limit, MaxPage)
	return h.read(ctx, m, room, func() ([]protocol.Event, error) {
		events, err := h.page(ctx, room, seq+1, limit/2)
		if err != nil {
			return nil, err
		}
		later, err := h.messagesAfter(ctx, room, seq, limit-len(events))
		return append(events, later...), err
	})
}

func (h *Hub) page(ctx context.Context, room string, before int64, limit int) ([]protocol.Event, error) {
	h.hooks.paged()
	return h.store.Page(ctx, room, before, limit)
}

// messagesAfter passes over events that are not messages.
func (h *Hub) messagesAfter(ctx context.Context, room string, after int64, limit int) ([]protocol.Event, error) {
	var messages []protocol.Event
	stored, ok := h.store.Room(room)
	for ok && len(messages) < limit && after < stored.Last {
		h.hooks.paged()
		events, err := h.store.Events(ctx, room, after, stored.Last, limit)
		if err != nil {
			return nil, err
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			if e.Kind == protocol.KindMessage && len(messages) < limit {
				messages = append(messages, e)
			}
		}
		after = events[len(events)-1].Seq
	}
	return messages, nil
}

// read asks for permission, reads, and says what there is besides.
func (h *Hub) read(ctx context.Context, m Member, room string, events func() ([]protocol.Event, error)) (History, error) {
	may, err := h.store.MayRead(ctx, m.ID, room)
	if err == nil && !may {
		return History{}, protocol.Errorf(protocol.CodeNoRoom, "there is no room %s", room).About(room, "")
	}
	var page History
	if err == nil {
		page.Room, _ = h.store.Room(room) // before the events: a page never claims a number it did not read
		page.Events, err = events()
	}
	if err != nil {
		h.log.Warn("history not read", zap.String("room", room), zap.Error(err))
		return History{}, protocol.Errorf(protocol.CodeUnavailable, "the history cannot be read now").About(room, "")
	}
	if n := len(page.Events); n > 0 {
		page.Older = page.Events[0].Ordinal > 1 && page.Events[0].Seq > page.Room.First
		page.Newer = page.Events[n-1].Ordinal < page.Room.Messages
	}
	return page, nil
}
