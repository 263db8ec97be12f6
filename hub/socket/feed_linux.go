package socket

import (
	"time"

	"govor/hub/line"
)

// feeding is a feed on its way to the loop.
type feeding struct {
	feed  line.Feed
	crowd bool
}

// feeds are those that have something for links of a loop. Owned by the loop's goroutine.
type feeds struct {
	alone  queue[line.Feed]
	crowd  queue[line.Feed]
	shares [sharesAtOnce]line.Share
}

// take moves what is new into the queues.
func (f *feeds) take(fresh *[]feeding) {
	for i, n := range *fresh {
		(*fresh)[i] = feeding{}
		if n.crowd {
			f.crowd.push(n.feed)
		} else {
			f.alone.push(n.feed)
		}
	}
	*fresh = (*fresh)[:0]
}

// Feed implements line.Feeder.
func (l *loop) Feed(f line.Feed, crowd bool) {
	l.mu.Lock()
	if !l.stopping { // otherwise nobody would ask it
		l.fresh = append(l.fresh, feeding{f, crowd})
	}
	l.mu.Unlock()
	l.rouse()
}

// Feeder implements line.Fed.
func (k *link) Feeder() line.Feeder { return k.loop }

// Hold implements line.Fed.
func (k *link) Hold() { k.holds.Store(true) }

// Idle implements line.Fed.
func (k *link) Idle() bool {
	return k.woken.Load() == notWoken && !k.holds.Load() && k.queued == notQueued && !k.parked && k.rest == 0 &&
		k.end == nil && !k.broken && !k.closed && k.slot >= 0
}

// share asks the feeds of a queue in turn and writes what they give, limit shares at most; after a time it asks none but the
// first. It returns how many shares there were; a feed that had nothing counts as one. crowd as for line.Feeder.
func (l *loop) share(q *queue[line.Feed], limit int, until time.Duration, crowd bool) (n int) {
	for n < limit {
		f, ok := q.pop()
		if !ok {
			return n
		}
		given, more := l.ask(f, l.feeds.shares[:min(limit-n, sharesAtOnce)])
		for i := range given {
			l.give(l.feeds.shares[i], crowd)
			l.feeds.shares[i] = line.Share{}
		}
		if more {
			q.push(f)
		}
		if n += max(1, given); l.clock() >= until {
			return n
		}
	}
	return n
}

// ask is Next, but for a panic, which is the end of the feed.
func (l *loop) ask(f line.Feed, dst []line.Share) (n int, more bool) {
	defer func() {
		if v := recover(); v != nil {
			l.panicked(v)
		}
	}()
	return f.Next(dst)
}

// give writes one share.
func (l *loop) give(s line.Share, crowd bool) {
	k, ok := s.To.(*link)
	switch {
	case !ok || k.closed:
		return
	case !k.Idle(): // it was woken just now, or this is not its first share
		k.peer.Keep(s.Bytes)
		l.enqueue(k)
		return
	}
	k.many = crowd
	n, all := l.write(k, s.Bytes)
	if !all && !k.closed {
		k.rest = restOfFrame(s.Bytes, 0, n)
		k.peer.Keep(s.Bytes[n:])
	}
}
