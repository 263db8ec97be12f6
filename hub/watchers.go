package hub

import (
	"context"
	"slices"
	"sync"
	"time"

	"govor/hub/protocol"
)

const (
	newsInterval = time.Second            // between two News of one room
	newsDelay    = 100 * time.Millisecond // what comes together is told together
	maxMentioned = 64                     // messages that mention somebody and are looked through for one News
)

// watchers tell sessions of what they have no seat for: that something new is in another room of theirs, and that
// another session of the same member has read something. Dispatch only notes that a room has something new, however many
// watch it; one goroutine tells them, at most once a newsInterval and room. Nothing is stored and nothing waits: who is
// told late is told how much there is by then.
type watchers struct {
	hub  *Hub
	wake chan struct{} // capacity 1

	mu    sync.Mutex // guards the fields below, and those of watched; a leaf in the order of locks
	rooms map[string]*watched
	due   []*watched // those with news, in the order in which they came
	read  map[markKey]readNews
}

// watched is a room that is watched.
type watched struct {
	name     string
	sessions []*Session // in no order
	places   map[*Session]int
	told     time.Time
	news     bool              // since then
	author   protocol.MemberID // of the news, unless there are several
	several  bool
	mentions []protocol.Mentions // of the news
}

type markKey struct {
	member protocol.MemberID
	room   string
}

// readNews is what a session has said it has read.
type readNews struct {
	mark protocol.ReadMark
	by   *Session // knows it; nil is a page that was loaded
}

func newWatchers(h *Hub) *watchers {
	return &watchers{hub: h, wake: make(chan struct{}, 1), rooms: map[string]*watched{}, read: map[markKey]readNews{}}
}

// add makes s one of those who are told of a room.
func (n *watchers) add(s *Session, room string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.rooms[room]
	if w == nil {
		w = &watched{name: room, places: map[*Session]int{}}
		n.rooms[room] = w
	}
	if _, there := w.places[s]; !there {
		w.places[s] = len(w.sessions)
		w.sessions = append(w.sessions, s)
	}
}

// drop takes s out of a room.
func (n *watchers) drop(s *Session, room string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.rooms[room]
	if w == nil {
		return
	}
	at, there := w.places[s]
	if !there {
		return
	}
	last := len(w.sessions) - 1
	moved := w.sessions[last]
	w.sessions[at], w.sessions[last] = moved, nil
	w.sessions = w.sessions[:last]
	w.places[moved] = at
	delete(w.places, s)
	if last == 0 {
		delete(n.rooms, room)
	}
}

// said notes a message. Dispatch calls it: it takes the same short time however many watch.
func (n *watchers) said(e *protocol.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.rooms[e.Room]
	if w == nil {
		return
	}
	if e.Mentions != "" && len(w.mentions) < maxMentioned {
		w.mentions = append(w.mentions, e.Mentions)
	}
	w.several = w.several || w.news && w.author != e.Member
	w.author = e.Member
	if !w.news {
		w.news = true
		n.due = append(n.due, w)
		signal(n.wake)
	}
}

// readBy notes that a member has read something, for its other sessions.
func (n *watchers) readBy(m protocol.MemberID, mark protocol.ReadMark, by *Session) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := markKey{m, mark.Room}
	if mark.Seq < n.read[key].mark.Seq {
		return
	}
	n.read[key] = readNews{mark, by}
	signal(n.wake)
}

// run tells until ctx ends.
func (n *watchers) run(ctx context.Context) {
	t := time.NewTimer(newsInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
			t.Reset(newsDelay)
			continue
		case <-t.C:
		}
		if wait := n.tell(time.Now()); wait > 0 {
			t.Reset(wait)
		}
	}
}

// tell tells what is due and returns how long it is until the next is; 0 = nothing is to be told.
func (n *watchers) tell(now time.Time) (wait time.Duration) {
	n.mu.Lock()
	read := n.read
	n.read = map[markKey]readNews{}
	var news []watched
	later := n.due[:0]
	for _, w := range n.due {
		if left := w.told.Add(newsInterval).Sub(now); left > 0 {
			later = append(later, w)
			if wait == 0 || left < wait {
				wait = left
			}
			continue
		}
		c := *w
		c.sessions = slices.Clone(w.sessions)
		news = append(news, c)
		w.told, w.news, w.several, w.mentions = now, false, false, nil
	}
	clear(n.due[len(later):])
	n.due = later
	n.mu.Unlock()
	for key, r := range read {
		n.tellRead(key.member, r)
	}
	for i := range news {
		n.tellNews(&news[i])
	}
	return wait
}

// tellRead tells the other sessions of a member.
func (n *watchers) tellRead(m protocol.MemberID, r readNews) {
	for _, s := range n.hub.sessionsOf(m) {
		if s != r.by && s.attentive() {
			s.reply(r.mark)
		}
	}
}

// tellNews tells everybody who watches the room but who alone has written there. A frame is encoded once for all of a
// format whom nobody has mentioned.
func (n *watchers) tellNews(w *watched) {
	room, ok := n.hub.store.Room(w.name)
	if !ok {
		return
	}
	mentioned := map[string]int{}
	for _, mentions := range w.mentions {
		for _, id := range mentions.Members() {
			mentioned[id]++
		}
	}
	news := protocol.News{Room: w.name, Last: room.Last, Messages: room.Messages}
	frames := map[string][]byte{}
	for _, s := range w.sessions {
		m := s.member()
		if !w.several && m.ID == w.author {
			continue
		}
		if may, err := n.hub.store.MayRead(n.hub.ctx, m.ID, w.name); err != nil || !may {
			n.drop(s, w.name)
			continue
		}
		if count := mentionsOf(m.ID, mentioned); count > 0 {
			news := news
			news.Mentions = count
			s.tell(appendFrame(nil, s.format.Append(nil, news)))
			continue
		}
		frame, ok := frames[s.format.Key()]
		if !ok {
			frame = appendFrame(nil, s.format.Append(nil, news))
			frames[s.format.Key()] = frame
		}
		s.tell(frame)
	}
}

// mentionsOf is how often a member is among those who were mentioned.
func mentionsOf(m protocol.MemberID, mentioned map[string]int) int {
	if len(mentioned) == 0 {
		return 0 // as a rule, and then nobody's id is written out
	}
	return mentioned[m.String()]
}

// tell puts a ready frame into the outbox, unless too much waits there already: the next News says the same.
func (s *Session) tell(frame []byte) {
	s.mu.Lock()
	fits := !s.gone && len(s.outbox) < outboxSoft
	if fits {
		s.outbox = append(s.outbox, frame...)
	}
	s.mu.Unlock()
	if fits {
		s.notify(true)
	}
}

// attentive tells whether the session has asked to be told of rooms.
func (s *Session) attentive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attends
}
