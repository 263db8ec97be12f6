package views

import (
	"net/url"
	"strconv"
	"time"

	"govor/hub/protocol"
)

// RoomLink is a room on the list of who looks.
type RoomLink struct {
	Name     string // canonical
	Last     int64  // its last number
	Messages int64  // how many messages there are
	Read     int64  // the ordinal up to which they were read
	Mentions int    // of what is unread, what is for who looks
}

// roomRow is a row of the rooms column.
type roomRow struct {
	RoomLink
	Title   string
	Href    string
	Current bool
	Unread  int
}

// maxCount is the largest number that a badge shows.
const maxCount = 99

// Count is what the badge says; rooms.js says the same.
func (r roomRow) Count() string {
	switch {
	case r.Mentions > 0:
		return "@ " + capped(r.Mentions)
	default:
		return capped(r.Unread)
	}
}

func capped(n int) string {
	if n > maxCount {
		return strconv.Itoa(maxCount) + "+"
	}
	return strconv.Itoa(n)
}

func roomHref(room string) string { return "/r/" + url.PathEscape(room) }

// MyRooms are the rows of the rooms column. Of the room on the screen nothing counts as unread there.
func (p RoomPage) MyRooms() []roomRow {
	rows := make([]roomRow, len(p.Rooms))
	for i, r := range p.Rooms {
		rows[i] = roomRow{RoomLink: r, Title: p.words.roomTitle(r.Name), Href: roomHref(r.Name), Current: r.Name == p.Room}
		if rows[i].Current {
			rows[i].Mentions = 0
		} else {
			rows[i].Unread = int(max(0, r.Messages-r.Read))
		}
	}
	return rows
}

// Alone tells that there is no other room than this one: then there is no column of rooms.
func (p RoomPage) Alone() bool { return len(p.Rooms) < 2 }

// Welcome is the sentence around the name of who looks.
func (p RoomPage) Welcome() *Around { return p.words.around("sys.welcome", "name") }

// Address is what others are told to come here, "" if that is not known.
func (p RoomPage) Address() string {
	if p.Server == "" {
		return ""
	}
	return p.Server + "/r/" + p.Room
}

// Lobby tells that this is the room that is always on the list.
func (p RoomPage) Lobby() bool { return p.Room == protocol.RoomLobby }

// Elsewhere tells that something is unread in another room.
func (p RoomPage) Elsewhere() bool {
	for _, r := range p.MyRooms() {
		if r.Unread > 0 {
			return true
		}
	}
	return false
}

// Hue is the colour of who looks.
func (p RoomPage) Hue() int { return hue(p.Name) }

// Initials stand in the round picture of who looks.
func (p RoomPage) Initials() string { return initials(p.Name) }

// Fresh is how many messages of this room are unread.
func (p RoomPage) Fresh() int {
	if p.Read < 0 {
		return 0
	}
	return int(max(0, p.Total-p.Read))
}

// FreshHref leads to the first of them.
func (p RoomPage) FreshHref() string {
	return roomHref(p.Room) + "?after=" + strconv.FormatInt(p.ReadSeq, 10)
}

// FreshHere tells that the line before the first of them is on this page.
func (p RoomPage) FreshHere() bool { return p.firstFresh() >= 0 }

// firstFresh is the place in Messages of the first message that is unread and somebody else's; -1 when there is none, or
// the page does not begin early enough to know.
func (p RoomPage) firstFresh() int {
	if p.Fresh() == 0 || len(p.Messages) == 0 || p.Messages[0].Ordinal > p.Read+1 {
		return -1
	}
	for i := range p.Messages {
		if e := &p.Messages[i]; e.Kind == protocol.KindMessage && e.Ordinal > p.Read && e.Member != p.Me {
			return i
		}
	}
	return -1
}

// RoomsPage is the page "rooms": all of them.
type RoomsPage struct {
	Page
	Rooms []RoomFacts
	More  bool          // there are others after the last one
	Name  string        // what was typed for a new one
	Error protocol.Code // why that was refused, "" = it was not
	Wait  time.Duration // with too_many
}

// RoomFacts is a room as everybody may see it.
type RoomFacts struct {
	Name     string
	Messages int64
	Online   int
	Unread   int  // for who looks
	Mine     bool // on the list of who looks, from where it can be taken
}

// HeadTitle is the title of the document.
func (p RoomsPage) HeadTitle() string {
	return p.words.must("app.tab", "room", p.words.must("error.rooms"))
}

// Problem says why the room was not made.
func (p RoomsPage) Problem() string {
	switch p.Error {
	case "":
		return ""
	case protocol.CodeBadRoom:
		return p.words.must("rooms.bad")
	default:
		return p.words.refusal(&protocol.Error{Code: p.Error, RetryAfter: p.Wait})
	}
}

// Next is the address of the page after this one, "" if this is the last.
func (p RoomsPage) Next() string {
	if !p.More || len(p.Rooms) == 0 {
		return ""
	}
	return "/rooms?after=" + url.QueryEscape(p.Rooms[len(p.Rooms)-1].Name)
}

// roomsRow is a row of the page.
type roomsRow struct {
	RoomFacts
	Title, Href, Facts, Leave string
}

// Rows are the rooms as shown.
func (p RoomsPage) Rows() []roomsRow {
	rows := make([]roomsRow, len(p.Rooms))
	for i, r := range p.Rooms {
		title := p.words.roomTitle(r.Name)
		facts := p.words.must("rooms.messages", "n", int(r.Messages))
		if r.Online > 0 {
			facts += " · " + p.words.must("people.online", "n", r.Online)
		}
		if r.Unread > 0 {
			facts += " · " + p.words.must("log.fresh", "n", r.Unread)
		}
		rows[i] = roomsRow{RoomFacts: r, Title: title, Href: roomHref(r.Name), Facts: facts, Leave: p.words.must("rooms.leave")}
	}
	return rows
}
