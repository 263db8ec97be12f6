package views

import (
	"time"

	"govor/hub/protocol"
)

// InvitesPage is the page "invites": the links by which new people come, and the form that makes one.
type InvitesPage struct {
	Page
	Invites []Invite        // the newest first
	Link    string          // one that was just made, shown once; "" = none
	Label   string          // what was typed
	Revoked bool            // one was just revoked
	Error   *protocol.Error // why none was made
}

// Invite is one link in the list; what it is made of is not known any more.
type Invite struct {
	ID, Label   string
	Made, Until time.Time
	Uses, Used  int64 // how often it may still be used, and was
}

// HeadTitle is the title of the document.
func (p InvitesPage) HeadTitle() string { return p.words.must("invites.title") }

// Problem is why no link was made.
func (p InvitesPage) Problem() string {
	switch {
	case p.Error == nil:
		return ""
	case p.Error.Code == protocol.CodeBadInvite:
		return p.words.must("invites.bad")
	}
	return p.words.refusal(p.Error)
}

// DoneText says what was done.
func (p InvitesPage) DoneText() string {
	if !p.Revoked {
		return ""
	}
	return p.words.must("invites.revoked")
}

// Spans are how long a link may be good.
func (p InvitesPage) Spans() []choice {
	var list []choice
	for _, days := range []int{1, 7, 30} {
		d := time.Duration(days) * 24 * time.Hour
		list = append(list, choice{Value: protocol.Span(d), Text: p.words.span(d), Chosen: days == 7})
	}
	return list
}

type inviteRow struct {
	ID, Label, State string
	Made             moment
	Until            *moment // while it is good
	Good             bool
}

// Rows are the links as shown.
func (p InvitesPage) Rows() []inviteRow {
	rows := make([]inviteRow, len(p.Invites))
	for i, v := range p.Invites {
		row := inviteRow{
			ID: v.ID, Label: v.Label, Made: p.when(v.Made), Good: v.Uses > 0 && v.Until.After(p.Now),
		}
		key := "invites.over"
		if row.Good {
			until := p.when(v.Until)
			key, row.Until = "invites.good", &until
		}
		row.State = p.words.must(key, "used", v.Used, "left", v.Uses)
		rows[i] = row
	}
	return rows
}
