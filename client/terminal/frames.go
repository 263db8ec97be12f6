package terminal

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"govor/hub/protocol"
)

// maxTries is how often a message is sent again after internal errors.
const maxTries = 3

// event handles what the present link says; what an old one says is ignored.
func (c *client) event(e event) {
	if e.link != c.link || c.link == nil {
		return
	}
	switch {
	case e.err != nil:
		c.lost(e.err)
	case e.up:
		c.introduce()
	default:
		c.frame(e.frame, e.raw)
	}
}

// hello introduces the connection: who it is, if a token has to say so, and where it goes on.
func (c *client) hello(token string) {
	var at protocol.Resume
	if c.room.known {
		after := c.room.last
		at = protocol.Resume{After: &after, ID: c.room.lastID}
	}
	c.who.presented = token != ""
	c.command("hello", protocol.Hello{Token: token, Rooms: map[string]protocol.Resume{c.opts.room: at}})
}

func (c *client) frame(f protocol.Frame, raw []byte) {
	switch f := f.(type) {
	case protocol.Welcome:
		c.welcome(f)
	case protocol.Joined:
		c.joined(f)
	case protocol.Reset:
		c.reset(f)
	case protocol.Message:
		c.message(f, raw)
	case *protocol.Presence:
		c.presence(f)
	case protocol.Receipt:
		c.receipt(f)
	case protocol.People:
		c.here(f)
	case *protocol.Notice:
		c.told(f)
	case *protocol.Error:
		c.failed(f)
	}
}

// welcome says who one is. Where a token was presented, the first welcome is of the guest that every connection begins
// as, and the second one counts.
func (c *client) welcome(f protocol.Welcome) {
	c.who.welcomes++
	if c.who.waits {
		c.proved(f)
	}
	if c.who.presented && c.who.welcomes == 1 {
		return
	}
	if c.who.presented && c.foreign(f) {
		c.forget()
		return
	}
	c.who.presented = false
	c.who.is, c.who.name = f.Member, clean(f.Name)
	if c.asked.name != "" {
		c.renamed(c.who.name)
	}
	c.face.member(c.who.name, f.MaxText)
	if f.Token == "" || f.Token == c.who.token {
		return
	}
	c.who.token, c.who.member = f.Token, f.Member.String()
	if err := c.id.save(savedToken{c.opts.server.String(), c.opts.name, f.Token, c.who.member}); err != nil {
		c.face.notice(warning, fmt.Sprintf(c.words.stateProblem, err))
		c.id = nil
	}
}

// joined is a seat. It counts when it goes on where this client is: the seat that a connection has before its hello was
// read may begin later.
func (c *client) joined(f protocol.Joined) {
	if f.Room == c.asked.room && f.Room != "" {
		c.moved()
	}
	if f.Room != c.opts.room || c.who.presented || c.room.known && f.After != c.room.last {
		return
	}
	c.room.online = f.Online
	if !c.room.known && !c.room.probed && c.history > 0 && f.After > 0 {
		c.lookBack(f.After)
		return
	}
	if !c.room.known {
		c.room.known, c.room.last, c.room.lastID = true, f.After, ""
	}
	if !c.room.taking {
		c.seated(f.Last)
	}
	for _, p := range f.People {
		c.spoke(p.Name)
	}
}

// lookBack changes the seat for one that begins with past messages. It leaves first: what comes after the next joined is
// then of the new seat only.
func (c *client) lookBack(last int64) {
	after := max(0, last-int64(c.history))
	c.room.known, c.room.probed, c.room.last = true, true, after
	c.command("leave", protocol.Leave{Room: c.opts.room})
	c.command("join", protocol.Join{Room: c.opts.room, Resume: protocol.Resume{After: &after}})
}

// seated says that everything that comes from now on is new.
func (c *client) seated(last int64) {
	c.room.taking, c.room.ever, c.room.since = true, true, c.now()
	c.room.target = max(c.room.target, last)
	shown := c.outage.shown && c.who.told != ""
	c.outage = outage{}
	switch {
	case c.who.told != c.who.name:
		c.greet()
	case shown:
		c.face.back()
	}
}

func (c *client) greet() {
	if c.who.name != clean(c.opts.name) {
		text := fmt.Sprintf(c.words.nameTaken, clean(c.opts.name))
		if c.opts.password == "" {
			text += "; " + c.words.nameYours
		}
		c.face.notice(warning, text)
	}
	text := fmt.Sprintf(c.words.youAre, c.who.name) + " · " + c.words.roomTitle(c.opts.room)
	text += " · " + fmt.Sprintf(c.words.online, c.room.online)
	if c.patient {
		text += " · " + c.words.quitHint
	}
	c.face.notice(aside, text)
	c.who.told = c.who.name
}

// reset says that what this client has does not fit what is stored. A joined with the same place follows.
func (c *client) reset(f protocol.Reset) {
	if f.Room != c.opts.room || !c.room.known {
		return
	}
	c.room.last, c.room.lastID = f.After, ""
	c.room.target = f.Last
	if c.room.ever { // at the beginning nothing was seen that could be missing
		c.face.notice(warning, c.words.gap)
	}
}

func (c *client) message(f protocol.Message, raw []byte) {
	if f.Room != c.opts.room || !c.room.taking || f.Seq <= c.room.last {
		return
	}
	c.room.last, c.room.lastID = f.Seq, f.ID
	if f.Member == c.who.is { // the echo says that it is stored as well as the receipt does, which may come later
		c.stored(f.ID)
	}
	switch f.Kind { // shown as what it did, below the message: a terminal takes nothing back
	case protocol.KindDeletion:
		f.Erased = true
	case protocol.KindEdit:
		if f.Erased { // the deletion follows
			return
		}
		f.Changed = f.Seq
	}
	if name := clean(f.Name); name != c.who.name {
		c.spoke(name)
	}
	c.face.message(f.Event, raw)
}

// presence leaves out oneself.
func (c *client) presence(f *protocol.Presence) {
	if f.Room != c.opts.room || !c.room.taking {
		return
	}
	c.room.online = f.Online
	drop := func(names []string, count int) ([]string, int) {
		var others []string
		for _, name := range names {
			if clean(name) == c.who.name {
				count--
				continue
			}
			others = append(others, name)
		}
		return others, count
	}
	f.Joined, f.JoinedCount = drop(f.Joined, f.JoinedCount)
	f.Left, f.LeftCount = drop(f.Left, f.LeftCount)
	c.spoke(f.Joined...)
	c.face.presence(f)
}

func (c *client) receipt(f protocol.Receipt) {
	if !c.acted(f.ID, nil) && c.stored(f.ID) && !f.Duplicate {
		c.room.target = max(c.room.target, f.Seq)
	}
}

// stored takes a message that the server has from the outbox; false when it does not wait there.
func (c *client) stored(id string) bool {
	if !c.box.take(id) {
		return false
	}
	c.wait.connected()
	return true
}

// refuse gives a message up: a person may retry it, a pipe is told by the exit code.
func (c *client) refuse(id string, code protocol.Code, why string) {
	m, ok := c.box.fail(id, code, why)
	if !ok {
		return
	}
	c.face.notice(failure, c.failedText(m))
	if c.patient {
		c.face.notice(aside, c.words.failedHint)
		return
	}
	c.ending.refused++
	c.box.discard(len(c.box.failed)-1, len(c.box.failed))
}

// failed handles an error of the server: about a message if it has an id, else about the connection.
func (c *client) failed(e *protocol.Error) {
	if e.Code == protocol.CodeSlowMode && c.patient && e.ID != "" {
		c.slow = c.now().Add(max(e.RetryAfter, time.Millisecond))
		c.box.again(e.ID)
		return
	}
	c.wait.floor = min(e.RetryAfter, maxFloor)
	if e.ID != "" && c.acted(e.ID, e) {
		return
	}
	if e.ID != "" {
		c.messageFailed(e)
		return
	}
	if e.Code == protocol.CodeBadToken {
		c.forget()
		return
	}
	if c.answered(e) {
		return
	}
	if c.who.presented { // the token is good, only not now
		c.cut(e)
		return
	}
	switch e.Code {
	case protocol.CodeBadName, protocol.CodeNameTaken:
		c.stop(exitName, e)
	case protocol.CodeForbidden:
		c.stop(exitKicked, e)
	case protocol.CodeNoRoom, protocol.CodeBadRoom:
		c.stop(exitOther, e)
	default:
		c.face.notice(warning, c.words.errorText(e))
		if !c.room.taking {
			c.cut(e)
		}
	}
}

// messageFailed tells a message that cannot be stored from one that can be later: that one is sent again, after
// everything before it, over a new connection.
func (c *client) messageFailed(e *protocol.Error) {
	switch e.Code {
	case protocol.CodeInternal:
		tries, ok := c.box.stumbled(e.ID)
		if ok && tries >= maxTries {
			c.refuse(e.ID, e.Code, c.words.errorText(e))
			return
		}
	case protocol.CodeUnavailable, protocol.CodeTooFast, protocol.CodeTooMany, protocol.CodeNotInRoom:
	default:
		c.refuse(e.ID, e.Code, c.words.errorText(e))
		return
	}
	c.cut(e)
}

// forget drops a token that is no longer good, and goes on as a new guest under the name that was asked for. What may be
// stored already would not be recognised as the same: the person has to look.
func (c *client) forget() {
	c.who.token, c.who.member = "", ""
	for _, id := range c.box.tried() {
		c.refuse(id, protocol.CodeBadToken, c.words.unsure)
	}
	if err := c.id.save(savedToken{}); err != nil {
		c.face.notice(warning, fmt.Sprintf(c.words.stateProblem, err))
	}
	c.link.close() // the guest's name is free again when the server has seen the end
	c.cut(errors.New(string(protocol.CodeBadToken)))
	c.wait.connected()
	c.retry.Reset(0)
	c.due = c.now()
}

func (c *client) stop(code int, e *protocol.Error) {
	c.face.notice(failure, c.words.errorText(e))
	c.finish(code)
}

// lost handles the end of the link, or that it could not begin.
func (c *client) lost(err error) {
	var r *refusal
	switch {
	case errors.Is(err, errNotGovor):
		c.face.notice(failure, fmt.Sprintf(c.words.noSuchServer, c.opts.server, cause(err)))
		c.finish(exitOther)
		return
	case errors.As(err, &r):
		if c.refused(r) {
			return
		}
	}
	if code, text, final := c.closedByServer(err); final {
		c.face.notice(failure, text)
		c.finish(code)
		return
	}
	c.cut(err)
}

// refused handles an HTTP answer instead of a connection; true when there is no use in trying again.
func (c *client) refused(r *refusal) bool {
	c.wait.floor = r.retryAfter
	switch {
	case r.status >= 500, r.status == http.StatusTooManyRequests, r.status == http.StatusRequestTimeout,
		r.status == http.StatusTooEarly:
		return false
	case c.locked(r):
	case r.err != nil && (r.err.Code == protocol.CodeBadName || r.err.Code == protocol.CodeNameTaken):
		c.stop(exitName, r.err)
	case r.err != nil && r.err.Code == protocol.CodeForbidden, r.status == http.StatusUnauthorized,
		r.status == http.StatusForbidden:
		c.face.notice(failure, c.notLetIn(r))
		c.finish(exitName)
	case r.err != nil && r.status != http.StatusNotFound:
		c.stop(exitOther, r.err)
	default:
		c.face.notice(failure, fmt.Sprintf(c.words.noSuchServer, c.opts.server, cause(r)))
		c.finish(exitOther)
	}
	return true
}

// notLetIn says who has refused the connection, and what to do about it: the server, whose reverse proxy names people, or
// such a proxy itself.
func (c *client) notLetIn(r *refusal) string {
	switch {
	case r.err == nil:
		return fmt.Sprintf(c.words.proxyRefused, c.opts.server, r.status)
	case r.err.Code == protocol.CodeForbidden:
		return c.words.byProxyOnly
	}
	return c.words.errorText(r.err)
}
