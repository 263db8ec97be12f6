package terminal

import "govor/hub/protocol"

// outbox is what was typed and has no receipt yet, in the order in which it was typed. It lives for this run; what would
// keep it longer has the same methods. It belongs to the client's loop.
type outbox struct {
	waiting []outgoing
	sent    int // so many of waiting, from the front, are on their way over the present connection
}

// outgoing is one message on its way.
type outgoing struct {
	id, text string
	tries    int // how many times it was refused by a mistake of the server
}

// maxWaiting bounds what may be typed without a connection.
const maxWaiting = 1000

// add puts a message at the end; false when there is no room.
func (b *outbox) add(id, text string) bool {
	if len(b.waiting) >= maxWaiting {
		return false
	}
	b.waiting = append(b.waiting, outgoing{id: id, text: text})
	return true
}

// next returns the message to send now, if there is one and fewer than protocol.MaxUnacknowledged are on their way.
func (b *outbox) next() (outgoing, bool) {
	if b.sent >= len(b.waiting) || b.sent >= protocol.MaxUnacknowledged {
		return outgoing{}, false
	}
	b.sent++
	return b.waiting[b.sent-1], true
}

// take removes the message that a receipt or an error is about.
func (b *outbox) take(id string) (outgoing, bool) {
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

// failed counts a refusal that is not the message's fault; false when id is unknown.
func (b *outbox) failed(id string) (tries int, ok bool) {
	for i := range b.waiting {
		if b.waiting[i].id == id {
			b.waiting[i].tries++
			return b.waiting[i].tries, true
		}
	}
	return 0, false
}

// disconnected makes everything be sent again, in order.
func (b *outbox) disconnected() { b.sent = 0 }

func (b *outbox) len() int { return len(b.waiting) }
