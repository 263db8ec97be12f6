package terminal

import (
	"fmt"
	"strconv"
	"strings"
)

// local does what is typed for the client itself and not for the room: what happens to messages that were not sent. A
// space before it makes a message of it. It is for a person only: a pipe sends every line.
func (c *client) local(text string) bool {
	fields := strings.Fields(text)
	if !c.patient || len(fields) == 0 || len(fields) > 2 || text != strings.TrimLeft(text, " \t") {
		return false
	}
	var do func(from, to int)
	switch fields[0] {
	case "/outbox":
		c.showOutbox()
		return true
	case "/retry":
		do = func(from, to int) { c.box.retry(from, to, c.now()) }
	case "/discard":
		do = c.box.discard
	default:
		return false
	}
	from, to := 0, len(c.box.failed)
	if len(fields) == 2 {
		n, err := strconv.Atoi(fields[1])
		if err != nil || n < 1 || n > to {
			c.face.notice(warning, fmt.Sprintf(c.words.noSuchFailed, fields[1]))
			return true
		}
		from, to = n-1, n
	}
	if from == to {
		c.face.notice(aside, c.words.nothingFailed)
		return true
	}
	do(from, to)
	return true
}

// showOutbox lists what was not sent: what failed with its number, for /retry and /discard, and what waits.
func (c *client) showOutbox() {
	if len(c.box.failed)+c.box.len() == 0 {
		c.face.notice(aside, c.words.nothingWaits)
	}
	for i, m := range c.box.failed {
		c.face.notice(failure, fmt.Sprintf("%d. ", i+1)+c.failedText(m))
	}
	for _, m := range c.box.waiting {
		c.face.notice(aside, c.words.waiting(1)+": "+excerpt(m.text))
	}
}

// failedText says why a message was not sent.
func (c *client) failedText(m outgoing) string {
	return fmt.Sprintf(c.words.notSent, m.why) + ": " + excerpt(m.text)
}

// excerpt is the beginning of a message, safe for a terminal.
func excerpt(text string) string { return truncate(cleanLines(text)[0], 60) }

// sayWhatWasLeft tells at the beginning what an earlier run has left.
func (c *client) sayWhatWasLeft() {
	if n := c.box.len(); n > 0 {
		c.face.notice(aside, c.words.leftWaiting(n))
	}
	for i, m := range c.box.failed {
		c.face.notice(failure, fmt.Sprintf("%d. ", i+1)+c.failedText(m))
	}
	if len(c.box.failed) > 0 {
		c.face.notice(aside, c.words.failedHint)
	}
}
