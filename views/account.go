package views

import (
	"time"

	"govor/hub/protocol"
)

// AccountPage is the page "account": the password of one's name, where one is logged in, and how to come from elsewhere.
type AccountPage struct {
	Page
	Name    string
	Claimed bool          // the name has a password
	Kept    bool          // every name has a password here: it cannot be removed
	ByProxy bool          // a reverse proxy says who one is: there is nothing to prove here
	Logins  []Login       // the last one used first
	Form    string        // the form that was sent: "password", "remove", "token"; "" = none
	Error   protocol.Code // why it was refused; "" = it was not
	Wait    time.Duration // with too_fast
	Done    string        // what was done: "password", "removed", "ended"; "" = nothing
	Link    string        // a link that signs in on another device, just made; "" = none
	Token   string        // a token, just made; "" = none
}

// Login is one login in the list.
type Login struct {
	ID         string
	How        string // protocol.LoginByPage, …
	Label      string // what its owner or its browser calls it, "" = not known
	Made, Seen time.Time
	Current    bool // this one
	Online     bool
}

// HeadTitle is the title of the document.
func (p AccountPage) HeadTitle() string {
	return p.words.must("app.tab", "room", p.words.must("account.title"))
}

// Removable tells whether there is a password that can be removed.
func (p AccountPage) Removable() bool { return p.Claimed && !p.Kept }

// Problem is the sentence below a form, "" if that form was not refused.
func (p AccountPage) Problem(form string) string {
	if p.Error == "" || p.Form != form {
		return ""
	}
	switch {
	case p.Error == protocol.CodeBadPassword && form == "password" && !p.Claimed:
		return p.words.must("account.password.short", "n", protocol.MinPasswordLen)
	case p.Error == protocol.CodeBadPassword && form == "password":
		return p.words.must("account.password.bad", "n", protocol.MinPasswordLen)
	case p.Error == protocol.CodeEmpty:
		return p.words.must("account.token.empty")
	}
	return p.words.refusal(&protocol.Error{Code: p.Error, RetryAfter: p.Wait})
}

// DoneText says what was done.
func (p AccountPage) DoneText() string {
	switch p.Done {
	case "password":
		return p.words.must("account.done.password")
	case "removed":
		return p.words.must("account.done.removed")
	case "ended":
		return p.words.must("account.done.ended")
	default:
		return ""
	}
}

// Code is the link as a QR code.
func (p AccountPage) Code() *Code {
	if p.Link == "" {
		return nil
	}
	return newCode(p.Link)
}

// LoginLabel is what a login is called.
func (p AccountPage) LoginLabel(l Login) string {
	if l.Label == "" {
		return p.words.must("account.login.unknown")
	}
	return l.Label
}

// LoginSeen says when a login was used last.
func (p AccountPage) LoginSeen(l Login) string {
	switch {
	case l.Current:
		return p.words.must("account.login.current")
	case l.Online:
		return p.words.must("account.login.online")
	}
	return p.words.must("account.login.seen", "date", p.day(l.Seen))
}

// LoginMade says since when there is a login.
func (p AccountPage) LoginMade(l Login) string {
	return p.words.must("account.login.made", "date", p.day(l.Made))
}

// EnterPage is the page "enter": a link was followed, one that signs in on this device or an invite.
type EnterPage struct {
	Page
	Action     string        // where its form leads
	Invite     bool          // an invite: name and password are asked for; else the name is that of who made the link
	Name       string        // whose link it is, or what was typed
	Error      protocol.Code // bad_invite: the link is not good (any more); else what was wrong with what was typed
	Suggestion string        // with name_taken
	Wait       time.Duration // with too_fast
}

// HeadTitle is the title of the document.
func (p EnterPage) HeadTitle() string { return p.words.must("app.title") }

// Gone tells that the link is good for nobody.
func (p EnterPage) Gone() bool { return p.Error == protocol.CodeBadInvite }

// NameProblem is the sentence below the name, "" if the name is not the problem.
func (p EnterPage) NameProblem() string {
	login := LoginPage{Page: p.Page, Name: p.Name, Error: p.Error}
	if p.Error == protocol.CodeNameTaken && p.Suggestion != "" {
		return p.words.must("login.taken", "name", p.Name, "alt", p.Suggestion)
	}
	return login.NameProblem()
}

// PasswordProblem is the sentence below the password, "" if the password is not the problem.
func (p EnterPage) PasswordProblem() string {
	if p.Error == protocol.CodeBadPassword {
		return p.words.must("account.password.short", "n", protocol.MinPasswordLen)
	}
	return ""
}

// Problem is the sentence above the form, for all other problems.
func (p EnterPage) Problem() string {
	if p.Error == "" || p.Gone() || p.NameProblem() != "" || p.PasswordProblem() != "" {
		return ""
	}
	return p.words.refusal(&protocol.Error{Code: p.Error, RetryAfter: p.Wait})
}
