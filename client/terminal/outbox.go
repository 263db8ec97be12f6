package terminal

import (
	"slices"
	"time"

	"govor/hub/protocol"
)

// outbox is what was typed and has neither receipt nor echo yet, in the order in which it was typed, and what the server
// did not take. With a shelf it outlives the program. It belongs to the client's loop.
type outbox struct {
	shelf   *shelf // nil = what is not sent is gone with the program
	waiting []outgoing
	sent    int        // so many of waiting, from the front, are on their way over the present connection
	failed  []outgoing // refused; the person decides
}

// outgoing is one message on its way.
type outgoing struct {
	id, text string
	at       time.Time     // when it was typed, or found
	tries    int           // how many times it was refused by a mistake of the server
	tried    bool          // it may be stored: some connection has taken it
	code     protocol.Code // why it failed
	why      string        // the same for the person
	file     string        // on the shelf; "" = it is not there
}

// maxWaiting bounds what may be typed without a connection.
const maxWaiting = 1000

// open takes over what an earlier run has left on the shelf. It may have been sent then.
func (b *outbox) open(s *shelf, now time.Time) {
	b.shelf = s
	for _, m := range s.load() {
		m.at, m.tried = now, true
		if m.code != "" {
			b.failed = append(b.failed, m)
		} else {
			b.waiting = append(b.waiting, m)
		}
	}
}

// add puts a message at the end; false when there is no room. The error says why it is not on the shelf: it is sent all
// the same.
func (b *outbox) add(id, text string, now time.Time) (ok bool, err error) {
	if len(b.waiting) >= maxWaiting {
		return false, nil
	}
	m := outgoing{id: id, text: text, at: now}
	err = b.shelf.put(&m)
	b.waiting = append(b.waiting, m)
	return true, err
}

// next returns the message to send now, if there is one and fewer than protocol.MaxUnacknowledged are on their way.
func (b *outbox) next() (outgoing, bool) {
	if b.sent >= len(b.waiting) || b.sent >= protocol.MaxUnacknowledged {
		return outgoing{}, false
	}
	m := &b.waiting[b.sent]
	b.sent++
	m.tried = true
	return *m, true
}

// take removes the message that a receipt or an echo is about; false when id is unknown.
func (b *outbox) take(id string) bool {
	m, ok := b.pull(id)
	if ok {
		b.shelf.drop(&m)
	}
	return ok
}

func (b *outbox) pull(id string) (outgoing, bool) {
	for i, m := range b.waiting {
		if m.id != id {
			continue
		}
		b.waiting = append(b.waiting[:i:i], b.waiting[i+1:]...)
		if i < b.sent {
			b.sent--
		}
		return m, true
	}
	return outgoing{}, false
}

// stumbled counts a refusal that is not the message's fault; false when id is unknown.
func (b *outbox) stumbled(id string) (tries int, ok bool) {
	for i := range b.waiting {
		if b.waiting[i].id == id {
			b.waiting[i].tries++
			return b.waiting[i].tries, true
		}
	}
	return 0, false
}

// fail puts a message aside until the person retries or discards it.
func (b *outbox) fail(id string, code protocol.Code, why string) (outgoing, bool) {
	m, ok := b.pull(id)
	if !ok {
		return m, false
	}
	m.code, m.why = code, why
	_ = b.shelf.put(&m) // where that fails it is tried again by the next run, and fails again
	b.failed = append(b.failed, m)
	return m, true
}

// retry puts what failed behind what waits. A message whose id was taken by another gets a new one; with all others the
// server recognises what it has stored after all.
func (b *outbox) retry(from, to int, now time.Time) {
	for _, m := range b.failed[from:to] {
		if m.code == protocol.CodeIDReused {
			m.id = protocol.NewID()
		}
		m.code, m.why, m.tries, m.at = "", "", 0, now
		b.shelf.drop(&m)
		_ = b.shelf.put(&m)
		b.waiting = append(b.waiting, m)
	}
	b.failed = append(b.failed[:from:from], b.failed[to:]...)
}

// discard drops what failed.
func (b *outbox) discard(from, to int) {
	for _, m := range b.failed[from:to] {
		b.shelf.drop(&m)
	}
	b.failed = append(b.failed[:from:from], b.failed[to:]...)
}

// tried returns the ids of what may be stored already.
func (b *outbox) tried() []string {
	var ids []string
	for _, m := range b.waiting {
		if m.tried {
			ids = append(ids, m.id)
		}
	}
	return ids
}

// index is where a message waits, -1 if it does not.
func (b *outbox) index(id string) int {
	return slices.IndexFunc(b.waiting, func(m outgoing) bool { return m.id == id })
}

// last is the id of the last message that waits, "" if there is none.
func (b *outbox) last() string {
	if len(b.waiting) == 0 {
		return ""
	}
	return b.waiting[len(b.waiting)-1].id
}

// again puts a message that was refused for now, and those after it, back to those that are to be sent.
func (b *outbox) again(id string) {
	for i := range b.sent {
		if b.waiting[i].id == id {
			b.sent = i
			return
		}
	}
}

// carry moves everything to another shelf.
func (b *outbox) carry(s *shelf) {
	b.shelf = s
	for _, list := range [][]outgoing{b.waiting, b.failed} {
		for i := range list {
			was := list[i]
			list[i].file = ""
			_ = s.put(&list[i]) // where that fails it is lost with the program, as without a shelf
			was.drop()
		}
	}
}

// drop removes the file of a message.
func (m *outgoing) drop() { (*shelf)(nil).drop(m) }

// disconnected makes everything be sent again, in order.
func (b *outbox) disconnected() { b.sent = 0 }

func (b *outbox) len() int { return len(b.waiting) }

// kept tells whether everything that waits outlives the program.
func (b *outbox) kept() bool {
	for _, m := range b.waiting {
		if m.file == "" {
			return false
		}
	}
	return b.shelf != nil
}
