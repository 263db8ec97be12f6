package terminal

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"govor/hub/protocol"
)

// slashes are the words that the client, or a host, can begin a line with, for completion.
var slashes = []string{
	"/help", "/me", "/nick", "/who", "/join", "/leave", "/outbox", "/retry", "/discard",
	"/kick", "/mute", "/unmute", "/ban", "/unban", "/close", "/open", "/slow", "/mod", "/unmod", "/owner",
}

// errands are what a person has asked the server and has no answer to yet. Guarded by nothing: the loop's.
type errands struct {
	name   string // to be called so
	next   string // to go there, as soon as last has its receipt
	last   string // id of the last message for the room where one is; "" = there is none
	room   string // to be there: the server has been asked
	asking bool   // who is here
}

// ended are the errands after a connection: going to another room is begun again.
func (a errands) ended() errands {
	return errands{next: cmp.Or(a.next, a.room), last: a.last}
}

// going tells that what is typed now is for another room.
func (a errands) going() bool { return a.next != "" || a.room != "" }

// errand does what a person asks for with a slash; a space before it makes a message of the line. It tells whether it was
// such a thing; what is none of ours is said, and not sent.
func (c *client) errand(text string) bool {
	if !c.patient || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") {
		return false
	}
	if _, ok := protocol.Doing(text); ok {
		return false
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "/help":
		for _, line := range strings.Split(c.words.help, "\n") {
			c.face.notice(aside, line)
		}
	case "/me":
		c.face.notice(warning, c.words.needAction)
	case "/who":
		c.ask(func() { c.asked.asking = true; c.command("who", protocol.Who{Room: c.opts.room}) })
	case "/nick":
		c.nick(rest)
	case "/join":
		c.join(rest)
	case "/leave":
		if c.opts.room == protocol.RoomLobby {
			c.face.notice(warning, c.words.leaveLobby)
		} else {
			c.join(protocol.RoomLobby)
		}
	default:
		c.face.notice(warning, fmt.Sprintf(c.words.noCommand, clean(word)))
	}
	return true
}

// unescaped is a text as it is sent: of two slashes at its beginning one, and never an action.
func unescaped(text string) string {
	if !strings.HasPrefix(text, "//") {
		return text
	}
	if text = text[1:]; strings.HasPrefix(text, "/me ") {
		return " " + text
	}
	return text
}

// ask does something that needs a connection.
func (c *client) ask(do func()) {
	if c.link == nil || !c.room.taking {
		c.face.notice(failure, c.words.offline)
		return
	}
	do()
}

func (c *client) nick(name string) {
	if name == "" {
		c.face.notice(warning, c.words.needName)
		return
	}
	if _, _, bad := protocol.CheckName(name); bad != nil {
		c.face.notice(failure, c.words.errorText(bad))
		return
	}
	c.ask(func() { c.asked.name = name; c.command("nick", protocol.Nick{Name: name}) })
}

// join goes to another room, after what was typed for this one has got there.
func (c *client) join(name string) {
	room, bad := protocol.CheckRoom(strings.ToLower(strings.TrimPrefix(name, "#")))
	switch {
	case name == "":
		c.face.notice(warning, c.words.needRoom)
	case bad != nil:
		c.face.notice(failure, c.words.errorText(bad))
	case room == c.opts.room:
		c.face.notice(aside, fmt.Sprintf(c.words.already, c.words.roomTitle(room)))
	default:
		c.ask(func() { c.asked.next, c.asked.last = room, c.box.last() })
	}
}

// goOn asks for the seat in the other room when it is time.
func (c *client) goOn() {
	if c.asked.next == "" || c.link == nil || !c.room.taking || c.box.index(c.asked.last) >= 0 {
		return
	}
	c.asked.room, c.asked.next, c.asked.last = c.asked.next, "", ""
	c.command("join", protocol.Join{Room: c.asked.room})
}

// mayFlush tells whether the next message is for the room where one is, and may be sent now.
func (c *client) mayFlush() bool {
	if c.link == nil || !c.room.taking || c.now().Before(c.slow) {
		return false
	}
	if !c.slow.IsZero() && c.box.sent > 0 { // one at a time, or a later one might slip in before it
		return false
	}
	return !c.asked.going() || c.box.sent <= c.box.index(c.asked.last)
}

// moved goes on in the room that was asked for. What was typed meanwhile was meant for it.
func (c *client) moved() {
	room := c.asked.room
	c.asked.room = ""
	c.command("leave", protocol.Leave{Room: c.opts.room})
	c.home(c.opts.name, room)
	c.room = place{ever: true}
	c.people, c.slow = nil, time.Time{}
	c.who.told = "" // where one is, is said again
}

// stayed says why there is no other room; nobody knows whom what was typed meanwhile was meant for.
func (c *client) stayed(e *protocol.Error) {
	c.asked.room = ""
	c.face.notice(failure, c.words.errorText(e)+suggested(e, "/join "))
	for _, m := range slices.Clone(c.box.waiting) {
		c.refuse(m.id, e.Code, c.words.errorText(e))
	}
}

// renamed takes the name that was asked for: from now on it is the one that is remembered.
func (c *client) renamed(name string) {
	c.asked.name = ""
	if name == clean(c.opts.name) {
		return
	}
	if err := c.id.save(savedToken{}); err != nil {
		c.face.notice(warning, fmt.Sprintf(c.words.stateProblem, err))
	}
	c.home(name, c.opts.room)
	c.who.told = name
}

// home keeps things for another name or room from now on: the token and what is not sent.
func (c *client) home(name, room string) {
	another := name != c.opts.name
	c.opts.name, c.opts.room = name, room
	if c.keep == nil {
		return
	}
	id, shelf, err := c.keep(c.id, name, room, another)
	if err != nil {
		c.face.notice(warning, fmt.Sprintf(c.words.stateProblem, err))
	}
	c.id = id
	if another { // the member takes along what has failed
		c.box.carry(shelf)
		return
	}
	typed := c.box.waiting
	c.box = outbox{}
	c.box.open(shelf, c.now())
	for _, m := range typed {
		if _, err := c.box.add(m.id, m.text, m.at); err != nil {
			c.face.notice(warning, fmt.Sprintf(c.words.keepProblem, err))
		}
		m.drop()
	}
}

// answered takes an error that is about an errand, and tells whether it was.
func (c *client) answered(e *protocol.Error) bool {
	switch {
	case c.asked.room != "" && e.Room == c.asked.room:
		c.stayed(e)
	case c.asked.name != "":
		c.asked.name = ""
		c.face.notice(failure, c.words.errorText(e)+suggested(e, "/nick "))
	case c.asked.asking:
		c.asked.asking = false
		c.face.notice(failure, c.words.errorText(e))
	default:
		return false
	}
	return true
}

// suggested is what to type instead.
func suggested(e *protocol.Error, command string) string {
	if e.Suggestion == "" {
		return ""
	}
	return ": " + command + clean(e.Suggestion)
}

// here says who is in the room.
func (c *client) here(p protocol.People) {
	c.asked.asking = false
	names := make([]string, len(p.People))
	for i, person := range p.People {
		names[i] = clean(person.Name)
	}
	text := fmt.Sprintf(c.words.here, p.Online) + ": " + strings.Join(names, ", ")
	if more := p.Online - len(names); more > 0 {
		text += " " + fmt.Sprintf(c.words.more, more)
	}
	c.face.notice(aside, text)
}

// keeper opens what is kept for a name in a room. The identity is another one only for another name.
type keeper func(old *identity, name, room string, another bool) (*identity, *shelf, error)

// keeper is that of a person at a terminal.
func (r *runner) keeper(old *identity, name, room string, another bool) (id *identity, s *shelf, err error) {
	id, server := old, r.opts.server.String()
	if another {
		old.close()
		id, err = openIdentity(r.dir, server, name)
	}
	if id == nil || !r.opts.historyFile {
		return id, nil, err
	}
	s, serr := openShelf(r.dir, server, name, room)
	return id, s, errors.Join(err, serr)
}
