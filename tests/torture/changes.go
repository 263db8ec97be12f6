//go:build linux

package main

import "time"

// dispatchGrace is how long a change may take from its receipt until whoever comes anew is shown it, if the message itself
// was shown to nobody yet: then both may be on their way. What somebody was shown is read from the file by who comes anew.
const dispatchGrace = 2 * time.Second

// find returns what was said with a key; what was said as plain text has none, and is found by its text. The caller holds
// mu, here and below.
func (l *ledger) find(k key, text string) *said {
	if s := l.byKey[k]; s != nil {
		return s
	}
	if s := l.byText[text]; s != nil && s.key == (key{}) {
		return s
	}
	return nil
}

// known notes that a change is stored.
func (s *said) known() {
	if s.kind != saySend && s.stored.IsZero() {
		s.stored = time.Now()
	}
}

// before tells whether a change was stored before a connection began, so that whoever came with it must be shown it.
func (s *said) before(since time.Time) bool {
	if s == nil || s.stored.IsZero() || !s.stored.Before(since) {
		return false
	}
	seen := s.target.seen
	return !seen.IsZero() && seen.Before(since) || since.Sub(s.stored) > dispatchGrace
}

// judge looks whether a message was shown as it may be to a reader who has come when he has: as it was said or as it was
// edited later, but not as it was before a change that was stored before he came; and without a text only if it was
// deleted.
func (l *ledger) judge(who string, s *said, e shown) {
	if e.erased {
		if s.deletion == nil {
			l.breaks(noGap, "%s saw %s of %s without its text, and nobody deleted it", who, s.id, s.author)
		}
		return
	}
	version := -1
	if e.text == s.text {
		version = 0
	}
	for i, edit := range s.edits {
		if e.text == edit.text {
			version = i + 1
		}
	}
	switch {
	case version < 0:
		l.breaks(noGap, "%s saw %q as the text of %s of %s, and nobody said that there", who, e.text, s.id, s.author)
	case s.deletion.before(e.since):
		l.breaks(takenAway, "%s, who came %v after %q was deleted, was shown it", who, e.since.Sub(s.deletion.stored).Round(time.Millisecond), head(e.text))
	case version < len(s.edits) && s.edits[version].before(e.since):
		l.breaks(noGap, "%s, who came %v after %q was edited, was shown it as it had been", who, e.since.Sub(s.edits[version].stored).Round(time.Millisecond), head(e.text))
	}
}

// change notes that a reader was told of an edit or a deletion.
func (l *ledger) change(who, room string, f frame, since time.Time) {
	l.deliveries.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	k := key{f.Member, f.ID}
	if k.member == "" { // a page is not told by whom: ids are unlike one another here
		if s := l.byID[f.ID]; s != nil {
			k = s.key
		}
	}
	s := l.byKey[k]
	kind := map[string]string{"edited": sayEdit, "deleted": sayDelete}[f.Type]
	if s == nil || s.kind != kind || s.room != room || l.places[s.target.key] != f.Target && s.target.seq != f.Target {
		l.breaks(noGap, "%s was told as %s %d that %s %s the message %d, which nobody did", who, room, f.Seq, f.Member, f.Type, f.Target)
		return
	}
	l.place(who, room, f.Seq, s, shown{key: k, text: f.Type})
	if s.known(); f.Text != "" || f.Erased {
		l.judge(who, s.target, shown{text: f.Text, erased: f.Erased, since: since})
	}
}

// number returns that of a message that was acknowledged or shown; 0 if it is not known.
func (l *ledger) number(s *said) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.seq != 0 {
		return s.seq
	}
	return l.places[s.key]
}

// count is how much of a kind was said with a key.
func (l *ledger) count(kind string) (n int) {
	for _, s := range l.byKey {
		if s.kind == kind {
			n++
		}
	}
	return n
}
