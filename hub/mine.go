package hub

import (
	"cmp"
	"context"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"govor/hub/journal"
	"govor/hub/protocol"
	"govor/hub/store"
)

// Bounds of what is counted for a list of rooms.
const (
	maxMine      = protocol.MaxRoomsPerHello // rooms of a list; of more, those that were visited last
	mentionSpan  = 500                       // numbers of a room that are looked through for mentions, the newest
	mentionTexts = 100                       // of messages among them that mention somebody
)

// MyRoom is a room on a member's list.
type MyRoom struct {
	Name     string
	Last     int64 // the room's last number
	Messages int64 // how many messages there are
	Read     int64 // the ordinal up to which the member has read
	Mentions int   // of the unread messages, those that mention the member, as far as mentionSpan reaches
}

// Unread is how many messages there are after the read mark.
func (r MyRoom) Unread() int { return int(max(0, r.Messages-r.Read)) }

// Mark is how far a member has read in a room.
type Mark struct {
	Seq      int64 // everything up to this number
	Messages int64 // how many messages there are up to Seq
}

// Enter puts a room on the member's list and returns how far it was read before; ok is false where nobody can know: for
// who comes for the first time, nothing is unread.
func (h *Hub) Enter(ctx context.Context, m Member, room string) (mark Mark, ok bool) {
	marks, err := h.reads.of(ctx, m.ID)
	if err != nil {
		h.log.Warn("read marks not read", zap.Stringer("member_id", m.ID), zap.Error(err))
		return Mark{}, false
	}
	visit := store.Mark{Room: room, Visited: h.now().UnixMilli()}
	stored, known := marks[room]
	if !known {
		last, _ := h.store.Room(room)
		visit.Seq, visit.Messages = last.Last, last.Messages
	}
	if !stored.Listed() || visit.Visited-stored.Visited > visitAgain.Milliseconds() {
		h.reads.set(m.ID, visit)
	}
	return Mark{stored.Seq, stored.Messages}, known
}

// visitAgain is how old the note of a visit gets before it is written anew.
const visitAgain = time.Hour

// Rooms are the rooms of a member: the lobby, those on its list, and the one it is looking at; the lobby first, then by
// name. By name and not by activity, because a row should not run away from the hand that reaches for it; what is new
// is told by weight and a number.
func (h *Hub) Rooms(ctx context.Context, m Member, here string) []MyRoom {
	marks, err := h.reads.of(ctx, m.ID)
	if err != nil {
		h.log.Warn("read marks not read", zap.Stringer("member_id", m.ID), zap.Error(err))
	}
	listed := make([]store.Mark, 0, len(marks)+2)
	for _, mark := range marks {
		if mark.Listed() && mark.Room != protocol.RoomLobby && mark.Room != here {
			listed = append(listed, mark)
		}
	}
	slices.SortFunc(listed, func(a, b store.Mark) int { return cmp.Compare(b.Visited, a.Visited) })
	listed = listed[:min(len(listed), maxMine-2)]
	for _, room := range []string{protocol.RoomLobby, here} {
		if room != "" && !slices.ContainsFunc(listed, func(o store.Mark) bool { return o.Room == room }) {
			mark := marks[room]
			mark.Room = room
			listed = append(listed, mark)
		}
	}
	rooms := make([]MyRoom, 0, len(listed))
	for _, mark := range listed {
		if may, err := h.store.MayRead(ctx, m.ID, mark.Room); err == nil && may {
			rooms = append(rooms, h.myRoom(m, mark, mark.Room != here))
		}
	}
	slices.SortFunc(rooms, func(a, b MyRoom) int { return compareRooms(a.Name, b.Name) })
	return rooms
}

// myRoom counts what is unread, where a mark says what was read.
func (h *Hub) myRoom(m Member, mark store.Mark, mentions bool) MyRoom {
	stored, _ := h.store.Room(mark.Room)
	r := MyRoom{Name: mark.Room, Last: stored.Last, Messages: stored.Messages, Read: mark.Messages}
	if mark.Visited == 0 { // nothing is unread where one has never been
		r.Read = stored.Messages
	}
	if mentions && r.Unread() > 0 {
		r.Mentions = h.mentions(m, mark.Room, mark.Seq)
	}
	return r
}

// mentions counts the messages after a number that mention m.
func (h *Hub) mentions(m Member, room string, after int64) (count int) {
	said, err := h.mentioned.in(room)
	if err != nil {
		h.log.Warn("mentions not counted", zap.String("room", room), zap.Error(err))
	}
	for _, s := range said {
		if s.seq > after && s.by != m.ID && s.mentions.Has(m.ID) {
			count++
		}
	}
	return count
}

// compareRooms puts the lobby first and the others by name.
func compareRooms(a, b string) int {
	if a == protocol.RoomLobby || b == protocol.RoomLobby {
		return cmp.Compare(btoi(b == protocol.RoomLobby), btoi(a == protocol.RoomLobby))
	}
	return cmp.Or(strings.Compare(sortKey(a), sortKey(b)), strings.Compare(a, b))
}

// sortKey has ё beside е, where people look for it, and not after я.
func sortKey(room string) string { return strings.ReplaceAll(room, "ё", "е") }

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Forget takes a room off the member's list. What was read stays read.
func (h *Hub) Forget(m Member, room string) {
	h.reads.set(m.ID, store.Mark{Room: room, Gone: h.now().UnixMilli()})
}

// Read notes that the member has read a room up to a number, and tells its other sessions. by is the session that says
// so, nil for a page without scripts. The error is a *protocol.Error.
func (h *Hub) Read(ctx context.Context, m Member, room string, seq int64, by *Session) error {
	may, err := h.store.MayRead(ctx, m.ID, room)
	if err == nil && !may {
		return protocol.Errorf(protocol.CodeNoRoom, "there is no room %s", room)
	}
	mark := store.Mark{Room: room, Visited: h.now().UnixMilli()}
	if err == nil {
		stored, _ := h.store.Room(room)
		mark.Seq = min(seq, stored.Last)
		mark.Messages, err = h.store.Ordinal(ctx, room, mark.Seq)
	}
	if err != nil {
		h.log.Warn("read mark not set", zap.String("room", room), zap.Error(err))
		return protocol.Errorf(protocol.CodeUnavailable, "what was read cannot be noted now")
	}
	if mark.Seq > 0 {
		h.reads.set(m.ID, mark)
		h.watchers.readBy(m.ID, protocol.ReadMark{Room: room, Seq: mark.Seq, Messages: mark.Messages}, by)
	}
	return nil
}

// read is the command of a session.
func (s *Session) read(c protocol.Read) {
	name := c.Room
	if name == "" {
		name = s.at()
	}
	room, bad := s.hub.CheckRoom(name)
	if bad == nil {
		bad = asProtocol(s.hub.Read(s.hub.ctx, s.member(), room, c.Seq, s))
	}
	if bad != nil {
		s.refuse(bad.About(c.Room, ""))
	}
}

// watch replaces the rooms of which the session gets news, and tells what has become of each since. They may be many, and
// on one core nobody else would get on meanwhile: others come first after each.
func (s *Session) watch(c protocol.Watch) {
	if len(c.Rooms) > protocol.MaxRoomsPerHello {
		s.refuse(protocol.Errorf(protocol.CodeTooMany, "a session may watch %d rooms", protocol.MaxRoomsPerHello))
		return
	}
	rooms := make(map[string]protocol.Resume, len(c.Rooms))
	who := s.member()
	for name, since := range c.Rooms {
		runtime.Gosched()
		room, bad := s.hub.CheckRoom(name)
		if bad == nil {
			may, err := s.hub.store.MayRead(s.hub.ctx, who.ID, room)
			if bad = asProtocol(err); bad == nil && !may {
				bad = protocol.Errorf(protocol.CodeNoRoom, "there is no room %s", room)
			}
		}
		if bad != nil {
			s.refuse(bad.About(name, ""))
			continue
		}
		rooms[room] = since
	}
	s.mu.Lock()
	old := s.watching
	s.attends, s.watching = true, nil
	for room := range rooms {
		s.watching = append(s.watching, room)
	}
	s.mu.Unlock()
	for _, room := range old {
		if _, again := rooms[room]; !again {
			s.hub.watchers.drop(s, room)
		}
	}
	for room, since := range rooms {
		runtime.Gosched()
		s.hub.watchers.add(s, room) // before it is counted: nothing is missed in between
		s.catchUp(who, room, since)
	}
	s.mu.Lock()
	gone := s.gone
	s.mu.Unlock()
	if gone {
		for room := range rooms {
			s.hub.watchers.drop(s, room)
		}
	}
}

// catchUp tells of a room what is new since the client has known of it.
func (s *Session) catchUp(m Member, room string, since protocol.Resume) {
	stored, ok := s.hub.store.Room(room)
	if !ok || since.After == nil || stored.Last <= *since.After {
		return
	}
	s.reply(protocol.News{
		Room: room, Last: stored.Last, Messages: stored.Messages,
		Mentions: s.hub.mentions(m, room, max(0, *since.After)),
	})
}

// OpenRoom makes a room that is not there yet. The error is a *protocol.Error: bad_room, too_fast, unavailable.
func (h *Hub) OpenRoom(ctx context.Context, m Member, from netip.Addr, name string) (string, error) {
	room, bad := h.CheckRoom(name)
	if bad != nil {
		return "", bad
	}
	if _, ok := h.store.Room(room); ok {
		return room, nil
	}
	if bad := h.admit(ctx, m, from, len(room)); bad != nil {
		return "", bad
	}
	_, err := journal.Wait(ctx, h.journal, opening(m, room, h.now()))
	return room, h.public(err)
}

// RoomInfo is a room as everybody may see it.
type RoomInfo struct {
	Name     string
	Messages int64
	Online   int
}

// AllRooms are the rooms that m may read, in the order of Rooms, at most limit of them after the one named after.
func (h *Hub) AllRooms(ctx context.Context, m Member, after string, limit int) (rooms []RoomInfo, more bool, err error) {
	all, err := h.store.Rooms(ctx)
	if err != nil {
		return nil, false, err
	}
	slices.SortFunc(all, func(a, b store.Room) int { return compareRooms(a.Name, b.Name) })
	for _, r := range all {
		if after != "" && compareRooms(r.Name, after) <= 0 {
			continue
		}
		if may, err := h.store.MayRead(ctx, m.ID, r.Name); err != nil || !may {
			continue
		}
		if len(rooms) == limit {
			return rooms, true, nil
		}
		_, online := h.People(r.Name)
		rooms = append(rooms, RoomInfo{Name: r.Name, Messages: r.Messages, Online: online})
	}
	return rooms, false, nil
}
