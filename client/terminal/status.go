package terminal

import (
	"errors"
	"fmt"
	"math"
	"time"

	"govor/hub/protocol"
)

// showStatus says what is not as it should be. A short cut is not worth a line.
func (c *client) showStatus() {
	switch {
	case c.ending.done:
	case c.outage.since.IsZero() && c.now().Before(c.slow):
		c.face.status(warning, fmt.Sprintf(c.words.slowMode, c.clock(c.slow))+" · "+c.words.waiting(c.box.len()))
	case c.outage.since.IsZero():
		c.face.status(aside, c.slowText())
	case !c.room.ever && c.outage.cause == nil:
		c.face.status(aside, c.words.connecting)
	case c.outage.shown && c.link != nil && c.now().Sub(c.dialed) < c.pace.calm:
		// Most attempts are short: what was said before them may stand.
	case c.outage.shown || !c.room.ever || c.now().Sub(c.outage.since) >= c.pace.calm:
		c.outage.shown = true
		c.face.status(warning, c.offlineText())
	}
}

// slowText says that messages wait although there is a connection, when that takes long.
func (c *client) slowText() string {
	if c.box.len() == 0 || c.now().Sub(c.box.waiting[0].at) < c.pace.calm || c.now().Sub(c.room.since) < c.pace.calm {
		return ""
	}
	return c.words.waiting(c.box.len())
}

func (c *client) offlineText() string {
	s := c.words.offline
	var ce *closeError
	switch {
	case errors.As(c.outage.cause, &ce) && ce.code == protocol.CloseRestart:
		s = c.words.restart
	case tooFast(c.outage.cause):
		s = c.words.tooFast
	case !c.room.ever && c.outage.cause != nil:
		s = fmt.Sprintf(c.words.cannotConnect, c.opts.server, cause(c.outage.cause))
	}
	s += ". "
	if left := c.due.Sub(c.now()); c.link == nil && left > 0 {
		s += fmt.Sprintf(c.words.retryIn, int(math.Ceil(left.Seconds())))
	} else {
		s += c.words.retryNow
	}
	if n := c.box.len(); n > 0 {
		s += " · " + c.words.waiting(n)
	}
	return s
}

// clock is how long it is until a moment, in seconds or, from a minute on, as a clock shows it.
func (c *client) clock(until time.Time) string {
	s := int(math.Ceil(until.Sub(c.now()).Seconds()))
	if s < 60 {
		return fmt.Sprintf(c.words.seconds, s)
	}
	if s < 3600 {
		return fmt.Sprintf("%02d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}
