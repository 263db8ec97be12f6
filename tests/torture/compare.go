//go:build linux

package main

import (
	"errors"
	"fmt"
)

// book is the rows of a file, as they are looked up.
type book struct {
	at     map[string]map[int64]*stored // room → number
	byKey  map[key]*stored
	byText map[string]*stored // messages
	gone   map[*stored]bool   // messages that a deletion in the file is about
	last   map[*stored]string // message → text of its last edit in the file
}

// compare judges all that was said and told by the rows of a file. final means that nothing is under way any more.
func (l *ledger) compare(rows []stored, final bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, err := open(rows)
	if err != nil {
		return err
	}
	order := map[string]*said{}
	for i := range rows {
		r := &rows[i]
		s := l.find(r.key, r.body)
		if s == nil || s.room != r.room || s.kind != map[string]string{"message": saySend, "edit": sayEdit, "deletion": sayDelete}[r.kind] {
			return &violation{noGap, fmt.Sprintf("%q of %s is stored as %s %d, and nobody said that there", head(r.body), r.member, r.room, r.seq)}
		}
		if err := l.compareRow(b, r, s); err != nil {
			return err
		}
		line := s.author + " " + s.room
		if before := order[line]; before != nil && before.n > s.n {
			return &violation{inOrder, fmt.Sprintf("%s said number %d of its messages before %d, and in %s they are stored the other way round", s.author, s.n, before.n, s.room)}
		}
		order[line] = s
	}
	return errors.Join(l.compareReceipts(b, final), l.compareShown(b), l.compareRuns(b))
}

// open makes the book of the rows.
func open(rows []stored) (*book, error) {
	b := &book{
		at: map[string]map[int64]*stored{}, byKey: make(map[key]*stored, len(rows)), byText: make(map[string]*stored, len(rows)),
		gone: map[*stored]bool{}, last: map[*stored]string{},
	}
	for i := range rows {
		r := &rows[i]
		if b.at[r.room] == nil {
			b.at[r.room] = map[int64]*stored{}
		}
		b.at[r.room][r.seq] = r
		if b.byKey[r.key] != nil {
			return nil, &violation{exactlyOnce, fmt.Sprintf("the id %s of %s is stored twice, in %s", r.id, r.member, r.room)}
		}
		b.byKey[r.key] = r
		if r.kind == "message" {
			if before := b.byText[r.body]; before != nil && r.body != "" {
				return nil, &violation{exactlyOnce, fmt.Sprintf("%q of %s is stored twice, as %s %d and %d", head(r.body), r.id, r.room, before.seq, r.seq)}
			}
			b.byText[r.body] = r
			continue
		}
		target := b.at[r.room][r.target]
		if target == nil || target.kind != "message" || target.member != r.member {
			return nil, &violation{noGap, fmt.Sprintf("%s %d is about the message %d, which is none of %s", r.room, r.seq, r.target, r.member)}
		}
		if r.kind == "deletion" {
			b.gone[target] = true
		} else {
			b.last[target] = r.body
		}
	}
	return b, nil
}

// compareRow looks at the text of an event, which is what was said, or nothing if it was deleted.
func (l *ledger) compareRow(b *book, r *stored, s *said) error {
	message := r
	if r.kind != "message" {
		if message = b.at[r.room][r.target]; b.byKey[s.target.key] != message {
			return &violation{noGap, fmt.Sprintf("%s %d is about the message %d, and was said about %s", r.room, r.seq, r.target, s.target.id)}
		}
	}
	switch gone := b.gone[message]; {
	case gone != message.erased:
		return &violation{takenAway, fmt.Sprintf("%s %d was deleted: %t, and the file says that it is erased: %t", message.room, message.seq, gone, message.erased)}
	case gone && (r.body != "" || r.fold != ""):
		return &violation{takenAway, fmt.Sprintf("%s %d was deleted, and %q is still the text of number %d", message.room, message.seq, head(r.body+r.fold), r.seq)}
	case !gone && r.body != s.text:
		return &violation{noGap, fmt.Sprintf("%q of %s is stored as %s %d, and nobody said that there", head(r.body), r.member, r.room, r.seq)}
	case !gone && r.kind == "message" && r.fold != b.last[r]:
		return &violation{noGap, fmt.Sprintf("%s %d should have the text %q by its last edit, and has %q", r.room, r.seq, head(b.last[r]), head(r.fold))}
	}
	return nil
}

func (l *ledger) compareReceipts(b *book, final bool) error {
	for k, s := range l.byKey {
		r := b.byKey[k]
		switch {
		case r == nil && s.seq == 0 && !final:
		case r == nil && s.seq == 0:
			return &violation{exactlyOnce, fmt.Sprintf("%s of %s was sent until it was answered, and is not stored", k.id, s.author)}
		case r == nil:
			return &violation{onDisk, fmt.Sprintf("%s of %s was acknowledged as %s %d, and is not in the file", k.id, s.author, s.room, s.seq)}
		case s.seq != 0 && (r.room != s.room || r.seq != s.seq):
			return &violation{onDisk, fmt.Sprintf("%s of %s was acknowledged as %s %d, and is %s %d in the file", k.id, s.author, s.room, s.seq, r.room, r.seq)}
		}
	}
	return nil
}

func (l *ledger) compareShown(b *book) error {
	for room, events := range l.shown {
		for seq, e := range events {
			if r := b.at[room][seq]; r == nil {
				return &violation{onDisk, fmt.Sprintf("%q was shown as %s %d, and is not in the file", head(e.text), room, seq)}
			} else if r.key != e.key {
				return &violation{noGap, fmt.Sprintf("%q was shown as %s %d, and the file has %q there", head(e.text), room, seq, head(r.body))}
			}
		}
	}
	return nil
}

// compareRuns looks at plain text, whose lines have no numbers: they must be a run of the room without gaps. What was
// deleted and what changed a message has no such line.
func (l *ledger) compareRuns(b *book) error {
	for _, run := range l.runs {
		var last int64
		for i, text := range run.texts {
			r := b.byText[text]
			if s := l.byText[text]; s != nil && s.kind == sayEdit {
				r = b.byKey[s.target.key]
			} else if s != nil && s.key != (key{}) {
				r = b.byKey[s.key]
			}
			switch {
			case r == nil:
				return &violation{onDisk, fmt.Sprintf("%s saw the line %q, which is not in the file", run.who, head(text))}
			case r.room != run.room:
				return &violation{noGap, fmt.Sprintf("%s saw the line %q, which was said in %s", run.who, head(text), r.room)}
			case i > 0 && r.seq <= last:
				return &violation{noGap, fmt.Sprintf("%s saw, after the line with number %d of %s, that with %d", run.who, last, run.room, r.seq)}
			}
			for seq := last + 1; i > 0 && seq < r.seq; seq++ {
				if missed := b.at[run.room][seq]; missed == nil || missed.kind == "message" && !b.gone[missed] {
					return &violation{noGap, fmt.Sprintf("%s saw, after the line with number %d of %s, that with %d, and not %d", run.who, last, run.room, r.seq, seq)}
				}
			}
			last = r.seq
		}
		if n := len(run.texts); n > 1 { // what was judged need not be kept
			run.texts = append([]string(nil), run.texts[n-1])
		}
	}
	return nil
}
