package views

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"govor/hub/protocol"
)

// Page is what every page has. It comes from Views.Page.
type Page struct {
	words     *words
	markdown  *markdown
	fragments *fragments

	Locale string         // "ru" or "en"
	Theme  string         // ThemeLight, ThemeDark; "" = that of the system
	Assets string         // prefix of everything in public
	Path   string         // where the language links lead; "" = this page itself. Needed for the answer to a form
	Now    time.Time      // decides what "today" is
	Zone   *time.Location // in which times are written; nil = the server's

	GiveWay func() // called now and then while much is rendered, for others to come first; nil = nothing
}

// T is the text of key in the language of the page, see words.T.
func (p Page) T(key string, args ...any) (string, error) {
	if p.GiveWay != nil {
		p.GiveWay()
	}
	return p.words.T(key, args...)
}

// Eye is the button beside a field for a password that shows what is typed; field is its id.
func (p Page) Eye(field string) eyeView {
	return eyeView{Field: field, Label: p.words.must("password.show")}
}

type eyeView struct{ Field, Label string }

// Take is something to be copied, such as a link that is shown once: parts with spaces between, each torn apart only where
// it is wider than the page.
func (p Page) Take(parts ...string) takeView { return takeView{p, parts} }

type takeView struct {
	Page
	Parts []string
}

// Languages are the links to this page in each language.
func (p Page) Languages() []Language {
	return []Language{
		{Code: Russian, Name: p.words.must("lang.ru"), Href: p.Path + "?lang=" + Russian, Current: p.Locale == Russian},
		{Code: English, Name: p.words.must("lang.en"), Href: p.Path + "?lang=" + English, Current: p.Locale == English},
	}
}

// Language is one link of Page.Languages.
type Language struct {
	Code, Name, Href string
	Current          bool
}

func (p Page) zone() *time.Location {
	if p.Zone != nil {
		return p.Zone
	}
	return time.Local
}

// CodeNoCookie is shown at login when the cookie did not come back. It never leaves the server.
const CodeNoCookie protocol.Code = "no_cookie"

// LoginPage is the page "login".
type LoginPage struct {
	Page
	Name       string        // what was typed, or the last name
	Error      protocol.Code // why the name was refused: empty, name_taken, bad_name, too_many, CodeNoCookie, …; "" = not
	Suggestion string        // with name_taken: a name that is free, or ""
	Wait       time.Duration // with too_fast and too_many
	Room       string        // canonical name of the room one wants to go to; "" = the lobby
	Online     int           // members connected; shown where everybody may come in
	Server     string        // host and port, for the console hint; "" = no hint
	Wants      Password      // which password is asked for
}

// Password is which password a login asks for.
type Password int

// The passwords there are.
const (
	NoPassword     Password = iota // none, until a name turns out to have one
	ServerPassword                 // the server's, or the name's
	NamePassword                   // the name's
)

// Public tells whether everybody may come in, and so may know how many there are.
func (p LoginPage) Public() bool { return p.Wants == NoPassword }

// AsksPassword tells whether there is a field for a password.
func (p LoginPage) AsksPassword() bool {
	return p.Wants != NoPassword || p.Error == protocol.CodeNeedPassword || p.Error == protocol.CodeBadPassword
}

// PasswordLabel is what the field is called.
func (p LoginPage) PasswordLabel() string {
	if p.Wants == ServerPassword {
		return p.words.must("login.password.server")
	}
	return p.words.must("login.password.label")
}

// PasswordProblem is the sentence below the password, "" if the password is not the problem. It tells of a name only
// that it has a password, and that where nobody would be asked for one otherwise.
func (p LoginPage) PasswordProblem() string {
	switch {
	case p.Error == protocol.CodeNeedPassword && p.Wants == NoPassword:
		return p.words.must("login.password.needed")
	case p.Error == protocol.CodeNeedPassword:
		return p.words.must("login.password.empty")
	case p.Error == protocol.CodeBadPassword:
		return p.words.must("login.password.wrong")
	default:
		return ""
	}
}

// MembersOnly tells that nobody can come in by a new name.
func (p LoginPage) MembersOnly() bool { return p.Wants == NamePassword }

// HeadTitle is the title of the document.
func (p LoginPage) HeadTitle() string { return p.words.must("app.title") }

// Words are what the scripts of the page need.
func (p LoginPage) Words() safeHTML { return p.words.lists.login }

// Command is what one types to come from a console, nil if the address of this server is not known. A name that a shell
// would take for something else is not put into it.
func (p LoginPage) Command() *takeView {
	if p.Server == "" {
		return nil
	}
	name := p.Name
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) || name == "" {
		name = p.words.must("login.hint.name")
	}
	v := p.Take("go run client/client.go "+name, "--server "+p.Server)
	return &v
}

// RoomTitle is the room as shown, "" for the lobby, which is not named here.
func (p LoginPage) RoomTitle() string {
	if p.Room == protocol.RoomLobby {
		return ""
	}
	return p.Room
}

// NameProblem is the sentence below the name, "" if the name is not the problem.
func (p LoginPage) NameProblem() string {
	switch p.Error {
	case protocol.CodeEmpty:
		return p.words.must("login.empty")
	case protocol.CodeBadName, protocol.CodeBadText:
		return p.words.must("login.bad")
	case protocol.CodeNameTaken:
		return p.words.must("login.taken.plain", "name", p.Name)
	default:
		return ""
	}
}

// Taken is the sentence around the suggestion, nil if there is none.
func (p LoginPage) Taken() *Around {
	if p.Error != protocol.CodeNameTaken || p.Suggestion == "" {
		return nil
	}
	return p.words.around("login.taken", "alt", "name", p.Name)
}

// Around is a sentence with a place in it.
type Around struct{ Before, After string }

// around is the text of key around the place of that name.
func (w *words) around(key, place string, args ...any) *Around {
	const mark = "\x00" // no name can contain it
	before, after, _ := strings.Cut(w.must(key, append(args, place, mark)...), mark)
	return &Around{Before: before, After: after}
}

// Problem is the sentence above the form, "" if all is well or the name is the problem.
func (p LoginPage) Problem() string {
	switch {
	case p.Error == "" || p.NameProblem() != "" || p.PasswordProblem() != "":
		return ""
	case p.Error == CodeNoCookie:
		return p.words.must("login.cookie")
	case p.Error == protocol.CodeTooMany && p.Wait > 0:
		return p.words.must("login.full.for", "span", p.words.span(p.Wait))
	case p.Error == protocol.CodeTooMany:
		return p.words.must("login.full")
	default:
		return p.words.refusal(&protocol.Error{Code: p.Error, RetryAfter: p.Wait})
	}
}

// RoomPage is the page "room".
type RoomPage struct {
	Page
	Room     string            // canonical name
	Me       protocol.MemberID // who looks
	Name     string            // what they are called
	Messages []protocol.Event  // ascending by number
	Older    int64             // the page before is ?before=Older; 0 = this page is the beginning of history
	Newer    int64             // the page after is ?after=Newer; 0 = this page is the newest
	Target   int64             // number of the message that the page is about, 0 = none
	Rooms    []RoomLink        // those of who looks, this one included
	Read     int64             // the ordinal up to which this room was read before the page was asked for; -1 = nothing is unread
	ReadSeq  int64             // the same as a number
	Total    int64             // how many messages the room has
	Live     bool              // this is the newest page
	Event    int64             // number and id of the last event there is on this page, also of one that is not shown
	EventID  string
	People   []protocol.Person // who is in the room, sorted by name, at most protocol.MaxPeople
	Online   int               // how many there are
	SendID   string            // a new id for what is sent next

	Role      protocol.Role   // of who looks
	HostsOnly bool            // only hosts write here
	Slow      time.Duration   // between two messages of one member
	Muted     *protocol.Error // why who looks may not write, nil if they may
	MaxText   int             // characters of a message; 0 = the default
	Server    string          // host and port, for the address that others are invited by; "" = none is shown

	// Of a message that came back, refused.
	Text       string        // what was typed
	Error      protocol.Code // "" = nothing was refused
	RetryAfter time.Duration // with too_fast and slow_mode
	Why        string        // with muted
}

// HeadTitle is the title of the document.
func (p RoomPage) HeadTitle() string { return p.words.must("app.tab", "room", p.RoomTitle()) }

// RoomTitle is the room as shown.
func (p RoomPage) RoomTitle() string { return p.words.roomTitle(p.Room) }

// Socket is the path of the WebSocket.
func (p RoomPage) Socket() string { return "/ws?room=" + url.QueryEscape(p.Room) }

// Limit is how many characters a message may have.
func (p RoomPage) Limit() int {
	if p.MaxText > 0 {
		return p.MaxText
	}
	return protocol.DefaultMaxText
}

// Problem says why the message came back, "" if none did.
func (p RoomPage) Problem() string {
	switch p.Error {
	case "":
		return ""
	case protocol.CodeTooLong:
		if over := utf8.RuneCountInString(p.Text) - p.Limit(); over > 0 {
			return p.words.must("composer.toolong", "n", over)
		}
	}
	return p.words.refusal(&protocol.Error{Code: p.Error, RetryAfter: p.RetryAfter, Why: p.Why})
}

// Words are what the scripts of the page need.
func (p RoomPage) Words() safeHTML {
	if p.IsHost() {
		return p.words.lists.host
	}
	return p.words.lists.room
}

// Crowd is what the people column and the count in the header show.
func (p RoomPage) Crowd() crowd {
	return crowd{Page: p.Page, Me: p.Me, People: p.People, Online: p.Online}
}

// Pending is the markup of a message of mine that the server has not stored yet.
func (p RoomPage) Pending() messageView {
	m := p.message(&protocol.Event{Member: p.Me, Name: p.Name, At: p.Now.UnixMilli()})
	m.Own, m.Pending = true, true
	return m
}

// ErrorPage is the page "error".
type ErrorPage struct {
	Page
	Status    int             // of HTTP
	Requested string          // the path that was asked for
	Problem   *protocol.Error // what was refused, nil if that is not to be told
}

// HeadTitle is the title of the document.
func (p ErrorPage) HeadTitle() string { return p.Title() }

// Title is the heading.
func (p ErrorPage) Title() string {
	if p.Problem != nil && p.Problem.Code == protocol.CodeBanned {
		return p.words.must("error.banned.title")
	}
	return p.words.must("error." + p.family() + ".title")
}

// Text is the sentence below it.
func (p ErrorPage) Text() string {
	if p.Problem != nil {
		switch p.Problem.Code {
		case protocol.CodeBanned, protocol.CodeMuted, protocol.CodeReadOnly, protocol.CodeSlowMode, protocol.CodeNoMember,
			protocol.CodeLastOwner, protocol.CodeBadCommand:
			return p.words.refusal(p.Problem)
		}
	}
	if p.Status == http.StatusTooManyRequests && p.Problem != nil && p.Problem.RetryAfter > 0 {
		return p.words.must("error.429.for", "span", p.words.span(p.Problem.RetryAfter))
	}
	return p.words.must("error." + p.family() + ".text")
}

// Banned tells that there is no use in links.
func (p ErrorPage) Banned() bool { return p.Problem != nil && p.Problem.Code == protocol.CodeBanned }

// family is the group of words for the status.
func (p ErrorPage) family() string {
	switch p.Status {
	case 403, 404, 413, 429, 503:
		return strconv.Itoa(p.Status)
	}
	if p.Status >= 500 {
		return "500"
	}
	return "other"
}

// problems are the texts for the codes that reach a page.
var problems = map[protocol.Code]string{
	protocol.CodeBadFrame:     "code.bad_frame",
	protocol.CodeUnknownType:  "code.bad_frame",
	protocol.CodeBadID:        "code.bad_frame",
	protocol.CodeIDReused:     "code.id_reused",
	protocol.CodeEmpty:        "code.empty",
	protocol.CodeTooLong:      "code.too_long",
	protocol.CodeBadText:      "code.bad_text",
	protocol.CodeBadName:      "login.bad",
	protocol.CodeNameTaken:    "code.name_taken",
	protocol.CodeBadRoom:      "code.bad_room",
	protocol.CodeNoRoom:       "code.no_room",
	protocol.CodeRoomClosed:   "code.room_closed",
	protocol.CodeNotInRoom:    "code.not_in_room",
	protocol.CodeNoTarget:     "code.no_target",
	protocol.CodeNotYours:     "code.not_yours",
	protocol.CodeForbidden:    "code.forbidden",
	protocol.CodeBanned:       "code.banned",
	protocol.CodeMuted:        "code.muted",
	protocol.CodeReadOnly:     "room.readonly",
	protocol.CodeSlowMode:     "code.slow_mode",
	protocol.CodeNoMember:     "code.no_member",
	protocol.CodeLastOwner:    "code.last_owner",
	protocol.CodeBadCommand:   "code.bad_command",
	protocol.CodeNeedPassword: "code.need_password",
	protocol.CodeBadPassword:  "code.bad_password",
	protocol.CodeBadInvite:    "code.bad_invite",
	protocol.CodeBadToken:     "code.bad_token",
	protocol.CodeTooFast:      "code.too_fast",
	protocol.CodeTooMany:      "code.too_many",
	protocol.CodeUnavailable:  "code.unavailable",
	protocol.CodeInternal:     "code.internal",
}

// problem is the sentence for a code; one that is not known is our mistake.
func (w *words) problem(code protocol.Code) string {
	key, ok := problems[code]
	if !ok {
		key = "code.internal"
	}
	return w.must(key)
}
