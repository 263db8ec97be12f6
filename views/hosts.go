package views

import (
	"strings"
	"time"

	"govor/hub/protocol"
)

// PersonPage is the page "person": what a host may do to somebody.
type PersonPage struct {
	Page
	Me     protocol.Role   // of who looks
	Person protocol.Person // who it is about
	Here   bool            // they are connected now
	Muted  *protocol.Error // what keeps them from writing, nil if nothing does
	Banned *protocol.Error // what keeps them out
	Back   string          // path to go on to
	Error  *protocol.Error // why the last act was refused
	Why    string          // the reason that came with it
}

// HeadTitle is the title of the document.
func (p PersonPage) HeadTitle() string { return p.Person.Name }

// RoleName says what they are, "" if nothing.
func (p PersonPage) RoleName() string { return p.words.roleName(p.Person.Role) }

// Initials stand in the round picture.
func (p PersonPage) Initials() string { return initials(p.Person.Name) }

// Hue is the colour of the name.
func (p PersonPage) Hue() int { return hue(p.Person.Name) }

// Below tells that the one who looks may act on them.
func (p PersonPage) Below() bool { return p.Me.Rank() > p.Person.Role.Rank() }

// Names tells that the one who looks gives roles.
func (p PersonPage) Names() bool { return p.Me == protocol.RoleOwner }

// Problem is why the last act was refused.
func (p PersonPage) Problem() string {
	if p.Error == nil {
		return ""
	}
	if p.Error.Code == protocol.CodeForbidden || p.Error.Code == protocol.CodeBadCommand && p.Person.Name != "" {
		return p.words.must("host.refused")
	}
	return p.words.refusal(p.Error)
}

// States are the sentences on what is in force.
func (p PersonPage) States() []string {
	var list []string
	for _, e := range []*protocol.Error{p.Muted, p.Banned} {
		if e == nil {
			continue
		}
		key := "host.is.muted"
		if e.Code == protocol.CodeBanned {
			key = "host.is.banned"
		}
		text := p.words.must(key)
		if e.RetryAfter > 0 {
			text = p.words.must("code.still", "text", text, "span", p.words.span(e.RetryAfter))
		}
		list = append(list, p.words.because(text, e.Why))
	}
	return list
}

// Spans are how long a mute or ban may last.
func (p PersonPage) Spans() []choice {
	var list []choice
	for _, d := range []time.Duration{10 * time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
		list = append(list, choice{Value: protocol.Span(d), Text: p.words.span(d)})
	}
	return append(list, choice{Value: "0", Text: p.words.must("host.forgood")})
}

func (w *words) roleName(r protocol.Role) string {
	if key := roleNames[r]; key != "" {
		return w.must(key)
	}
	return ""
}

// AuditPage is the page "audit": what hosts have done, and what is in force.
type AuditPage struct {
	Page
	Entries   []AuditEntry // the newest first
	Older     int64        // the page before is ?before=Older; 0 = there is none
	Sanctions []SanctionRow
}

// AuditEntry is one line.
type AuditEntry struct {
	Num    int64
	Notice protocol.Notice
	Nets   []string
}

// SanctionRow is a mute or ban in force.
type SanctionRow struct {
	Ban     bool
	Member  string // "" = of a name or of addresses only
	Name    string
	Nets    []string
	Until   time.Time // zero = until it is lifted
	By, Why string
}

// HeadTitle is the title of the document.
func (p AuditPage) HeadTitle() string { return p.words.must("audit.title") }

// Rows are the lines as shown.
func (p AuditPage) Rows() []auditRow {
	rows := make([]auditRow, len(p.Entries))
	for i, e := range p.Entries {
		n := e.Notice
		n.You = false
		rows[i] = auditRow{
			Num: e.Num, At: p.when(n.At),
			Text: p.words.notice(&n), Nets: strings.Join(e.Nets, ", "),
		}
	}
	return rows
}

type auditRow struct {
	Num        int64
	At         moment
	Text, Nets string
}

// Force are the sanctions as shown.
func (p AuditPage) Force() []forceRow {
	rows := make([]forceRow, len(p.Sanctions))
	for i, s := range p.Sanctions {
		key, action := "host.is.muted", protocol.ActionUnmute
		if s.Ban {
			key, action = "host.is.banned", protocol.ActionUnban
		}
		text := p.words.must(key)
		if !s.Until.IsZero() {
			text = p.words.must("code.still", "text", text, "span", p.words.span(s.Until.Sub(p.Now)))
		}
		rows[i] = forceRow{
			Who: s.Name, Text: p.words.because(text, s.Why), Action: string(action), Member: s.Member, Nets: strings.Join(s.Nets, ", "),
		}
		switch {
		case s.Member != "":
		case s.Name != "":
			rows[i].Name = s.Name
		case len(s.Nets) > 0:
			rows[i].Net = s.Nets[0]
		}
	}
	return rows
}

type forceRow struct{ Who, Text, Nets, Action, Member, Name, Net string }

// LeavePage is the page "leave": it asks the last owner, who could not come back as such, whether to log out.
type LeavePage struct {
	Page
	Everywhere bool // on every device
}

// HeadTitle is the title of the document.
func (p LeavePage) HeadTitle() string { return p.words.must("leave.title") }

// OwnerPage is the page "owner": it asks whoever opened the link whether they want to be the owner.
type OwnerPage struct {
	Page
	Key          string
	As           string          // who is logged in, "" = nobody
	Name         string          // what was typed
	AsksPassword bool            // whoever is not logged in gets a name with a password
	Error        *protocol.Error // why it was refused
}

// HeadTitle is the title of the document.
func (p OwnerPage) HeadTitle() string { return p.words.must("owner.title") }

// PasswordProblem is the sentence below the password, "" if the password is not the problem.
func (p OwnerPage) PasswordProblem() string {
	if p.Error == nil || p.Error.Code != protocol.CodeBadPassword {
		return ""
	}
	return p.words.must("account.password.short", "n", protocol.MinPasswordLen)
}

// Problem is why it was refused otherwise.
func (p OwnerPage) Problem() string {
	switch {
	case p.Error == nil || p.PasswordProblem() != "":
		return ""
	case p.Error.Code == protocol.CodeEmpty:
		return p.words.must("login.empty")
	case p.Error.Code == protocol.CodeForbidden:
		return p.words.must("owner.dead")
	}
	return p.words.refusal(p.Error)
}
