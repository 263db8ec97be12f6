package hub

import (
	"cmp"
	"slices"
	"time"

	"govor/hub/protocol"
)

// presence is who is in a room. It is told to the room at most once per presenceInterval; leaving only after a grace
// time in which nobody came back, so that reloads and short cuts are silent. In a storm it is told less often. Guarded by
// the room's mu.
type presence struct {
	members map[protocol.MemberID]*present
	online  int         // members with a session
	roster  roster      // those of them who are shown by name
	filled  time.Time   // when the roster was last filled, see peopleLocked
	stale   bool        // somebody is back who is missing in the list that was shown
	shown   time.Time   // when a frame was last sent
	timer   *time.Timer // runs while something is to be told
	due     time.Time   // when timer fires
	putOff  time.Time   // since when telling waits for the end of a storm; zero = it does not
}

// present is one member in a room.
type present struct {
	name     string
	was      string // the name that the room knows, if it is another and the room has not been told
	role     protocol.Role
	sessions int       // 0 = leaving
	left     time.Time // since when, if leaving
	told     bool      // the room knows that the member is here
	unlisted bool      // the last list that was shown is without the member, who has come back since, or may
}

// enterLocked counts a session of m into the room.
func (r *room) enterLocked(m Member) {
	p := r.presence.members[m.ID]
	if p == nil {
		p = &present{}
		r.presence.members[m.ID] = p
	}
	r.presence.becomeLocked(m.ID, p, m.Name, r.hub.Role(m.ID))
	if p.sessions == 0 {
		r.presence.online++
		r.presence.roster.add(p.person(m.ID))
		r.hub.storm.note(r.hub.now())
	}
	p.sessions++
	if p.unlisted {
		p.unlisted, r.presence.stale = false, true
	}
	if !p.told || p.was != "" || r.presence.stale {
		r.tellByLocked(r.hub.now().Add(joinDelay))
	}
}

// becomeLocked gives somebody a name and a role. Of another name the room is yet to be told if it knows the old one.
func (p *presence) becomeLocked(id protocol.MemberID, m *present, name string, role protocol.Role) {
	if m.told && m.was == "" && m.name != name {
		m.was = m.name
	}
	listed := m.sessions > 0 && (m.name != name || m.role != role)
	if listed {
		p.roster.remove(m.person(id))
	}
	m.name, m.role = name, role
	if listed {
		p.roster.add(m.person(id))
	}
}

func (p *present) person(id protocol.MemberID) protocol.Person {
	return protocol.Person{Member: id, Name: p.name, Role: p.role}
}

// renameLocked gives a member who is here another name.
func (r *room) renameLocked(m protocol.MemberID, name string) {
	p := r.presence.members[m]
	if p == nil || p.name == name {
		return
	}
	r.presence.becomeLocked(m, p, name, p.role)
	r.tellByLocked(r.hub.now())
}

// leaveLocked counts a session of m out.
func (r *room) leaveLocked(m protocol.MemberID) {
	p := r.presence.members[m]
	if p == nil || p.sessions == 0 {
		return
	}
	p.sessions--
	if p.sessions == 0 {
		r.presence.online--
		r.presence.roster.remove(p.person(m))
		p.left = r.hub.now()
		r.hub.storm.note(p.left)
		r.tellByLocked(p.left.Add(r.hub.limits.PresenceGrace))
	}
}

// tellByLocked makes sure that tell runs at t, or later where a frame was sent less than presenceInterval before.
func (r *room) tellByLocked(t time.Time) {
	if next := r.presence.shown.Add(presenceInterval); t.Before(next) {
		t = next
	}
	if r.presence.timer != nil && !t.Before(r.presence.due) {
		return
	}
	if r.presence.timer != nil {
		r.presence.timer.Stop()
	}
	r.presence.due = t
	r.presence.timer = time.AfterFunc(t.Sub(r.hub.now()), r.tell)
}

// tell shows what has changed and is due, and sets the timer for the rest.
func (r *room) tell() {
	r.mu.Lock()
	r.presence.timer = nil
	now := r.hub.now()
	if r.putOffLocked(now) {
		r.mu.Unlock()
		return
	}
	f := &protocol.Presence{Room: r.name, At: now}
	next := time.Time{}
	for id, p := range r.presence.members {
		if p.was != "" {
			f.Renamed = addRename(f.Renamed, protocol.Rename{Member: id, Was: p.was, Name: p.name})
			p.was = ""
		}
		switch {
		case p.sessions > 0 && !p.told:
			p.told = true
			f.Joined, f.JoinedCount = addName(f.Joined, p.name), f.JoinedCount+1
		case p.sessions == 0:
			if leaves := p.left.Add(r.hub.limits.PresenceGrace); leaves.After(now) {
				if next.IsZero() || leaves.Before(next) {
					next = leaves
				}
				continue
			}
			delete(r.presence.members, id)
			if p.told {
				f.Left, f.LeftCount = addName(f.Left, p.name), f.LeftCount+1
			}
		}
	}
	if f.JoinedCount+f.LeftCount+len(f.Renamed) > 0 || r.presence.stale {
		slices.SortFunc(f.Renamed, func(a, b protocol.Rename) int { return cmp.Compare(a.Was, b.Was) })
		slices.Sort(f.Joined)
		slices.Sort(f.Left)
		r.presence.shown = now
		r.showPeopleLocked(f)
	}
	if !next.IsZero() {
		r.tellByLocked(next)
	}
	r.mu.Unlock()
	r.hub.reap(r)
}

// putOffLocked tells whether there is a storm in which telling can wait, and then sets the timer.
func (r *room) putOffLocked(now time.Time) bool {
	p := &r.presence
	if !r.hub.storm.raging(now) || !p.putOff.IsZero() && now.Sub(p.putOff) >= stormDelay {
		p.putOff = time.Time{}
		return false
	}
	if p.putOff.IsZero() {
		p.putOff = now
	}
	r.tellByLocked(now.Add(stormWindow))
	return true
}

// showPeopleLocked shows a frame with the list of people. Whoever is away for a moment is not in it, and has to be shown
// again when it was no more than a moment.
func (r *room) showPeopleLocked(f *protocol.Presence) {
	f.People, f.Online = r.peopleLocked()
	r.presence.stale = false
	for _, p := range r.presence.members {
		p.unlisted = p.sessions == 0
	}
	r.signalLocked(f)
}

func addName(names []string, name string) []string {
	if len(names) >= protocol.MaxPresenceNames {
		return names
	}
	return append(names, name)
}

// addRename leaves out who has taken the old name again.
func addRename(list []protocol.Rename, n protocol.Rename) []protocol.Rename {
	if n.Was == n.Name || len(list) >= protocol.MaxPresenceNames {
		return list
	}
	return append(list, n)
}

// fewMembers is up to how many are looked through whenever somebody is missing on the list of people.
const fewMembers = 2 * protocol.MaxPeople

// peopleLocked returns who is here, sorted by name and at most MaxPeople of them, and how many there are. The list is
// shared and must not be changed. In a room of many some may be missing for presenceInterval: ten thousand who leave at once
// must not cost ten thousand walks over all of them.
func (r *room) peopleLocked() ([]protocol.Person, int) {
	p := &r.presence
	missing := len(p.roster.people) < min(p.online, protocol.MaxPeople)
	if missing && (len(p.members) <= fewMembers || r.hub.now().Sub(p.filled) >= presenceInterval) {
		p.roster, p.filled = roster{}, r.hub.now()
		for id, m := range p.members {
			if m.sessions > 0 {
				p.roster.add(m.person(id))
			}
			if len(p.roster.people) == protocol.MaxPeople {
				break
			}
		}
	}
	return p.roster.list(), p.online
}

// People returns who is in a room now, sorted by name and at most protocol.MaxPeople of them, and how many there are.
func (h *Hub) People(name string) ([]protocol.Person, int) {
	h.mu.Lock()
	r := h.rooms[name]
	h.mu.Unlock()
	if r == nil {
		return nil, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.peopleLocked()
}
