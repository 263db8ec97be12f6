package hub

import (
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"govor/hub/protocol"
)

// maxMentionedRooms bounds the rooms whose last mentions are remembered.
const maxMentionedRooms = 1024

// mentioned remembers who was mentioned in the last messages of rooms: they are the same for everybody who asks how often
// it was they, and looking for them takes a millisecond.
type mentioned struct {
	hub    *Hub
	rooms  *lru.Cache[string, *mentionedIn]
	flight singleflight.Group
}

// mentionedIn is what was found in a room. It never changes.
type mentionedIn struct {
	last int64 // the room's last number then; everything that changes a message has a higher one
	said []saidTo
}

// saidTo is a message that mentions somebody.
type saidTo struct {
	seq      int64
	by       protocol.MemberID
	mentions protocol.Mentions
}

func newMentioned(h *Hub) (*mentioned, error) {
	rooms, err := lru.New[string, *mentionedIn](maxMentionedRooms)
	if err != nil {
		return nil, fmt.Errorf("make memory of mentions: %w", err)
	}
	return &mentioned{hub: h, rooms: rooms}, nil
}

// in finds the messages of a room that mention somebody, as far as mentionSpan and mentionTexts reach, as they are now.
func (m *mentioned) in(room string) ([]saidTo, error) {
	now, ok := m.hub.store.Room(room)
	if !ok {
		return nil, nil
	}
	if known, ok := m.rooms.Get(room); ok && known.last >= now.Last {
		return known.said, nil
	}
	for {
		found, err, _ := m.flight.Do(room, func() (any, error) { return m.load(room) })
		if err != nil {
			return nil, err
		}
		// One that began for somebody else may have begun too early.
		if in := found.(*mentionedIn); in.last >= now.Last { //nolint:errcheck,forcetypeassert // load gives nothing else
			return in.said, nil
		}
	}
}

// load looks for them among what is new since they were looked for last, or among everything.
func (m *mentioned) load(room string) (*mentionedIn, error) {
	now, _ := m.hub.store.Room(room)
	known, _ := m.rooms.Get(room)
	if known == nil || now.Changed > known.last { // something that is known may be otherwise now
		known = &mentionedIn{}
	}
	events, err := m.hub.store.WithMentions(m.hub.ctx, room, known.last, mentionSpan, mentionTexts)
	if err != nil {
		return nil, err
	}
	in := &mentionedIn{last: now.Last}
	for _, e := range events {
		if e.Seq <= now.Last { // what came meanwhile is found the next time
			in.said = append(in.said, saidTo{e.Seq, e.Member, e.Mentions})
		}
	}
	for _, s := range known.said {
		if s.seq > now.Last-mentionSpan && len(in.said) < mentionTexts {
			in.said = append(in.said, s)
		}
	}
	m.rooms.Add(room, in)
	return in, nil
}
