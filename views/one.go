package views

import (
	"net/url"
	"strconv"
	"time"

	"govor/hub/protocol"
)

// MessagePage is the page "message": one message, and for its author the forms to edit and delete it. It is where the
// buttons of a message lead without scripts.
type MessagePage struct {
	Page
	Room    string // canonical name
	Me      protocol.MemberID
	Message protocol.Event
	SendID  string // a new id for the edit
	MaxText int    // characters of a message; 0 = the default
	Host    bool   // who looks may delete what others wrote

	// Of a change that was refused.
	Typed      string
	Error      protocol.Code // "" = nothing was refused
	RetryAfter time.Duration
}

// HeadTitle is the title of the document.
func (p MessagePage) HeadTitle() string { return p.words.must("app.tab", "room", p.RoomTitle()) }

// RoomTitle is the room as shown.
func (p MessagePage) RoomTitle() string { return p.words.roomTitle(p.Room) }

// Back is the message in its room.
func (p MessagePage) Back() string {
	return "/r/" + url.PathEscape(p.Room) + "/" + strconv.FormatInt(p.Message.Seq, 10)
}

// Own tells that who looks may edit it.
func (p MessagePage) Own() bool { return p.Message.Member == p.Me && !p.Message.Erased }

// MayDelete tells that who looks may delete it.
func (p MessagePage) MayDelete() bool { return p.Own() || p.Host && !p.Message.Erased }

// Shown is the message.
func (p MessagePage) Shown() messageView {
	m := p.message(&p.Message)
	m.Own = p.Message.Member == p.Me
	return m
}

// Text is what stands in the field.
func (p MessagePage) Text() string {
	if p.Error != "" && p.Typed != "" {
		return p.Typed
	}
	return p.Message.Body
}

// Problem says why a change was refused, "" if none was.
func (p MessagePage) Problem() string {
	return RoomPage{Page: p.Page, Text: p.Typed, Error: p.Error, RetryAfter: p.RetryAfter, MaxText: p.MaxText}.Problem()
}
