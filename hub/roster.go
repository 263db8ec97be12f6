package hub

import (
	"bytes"
	"cmp"
	"slices"

	"govor/hub/protocol"
)

// roster is those of a room that are shown by name: sorted, and at most protocol.MaxPeople. What list returned is never
// written to again, so it can be read without the room's mu, which guards the roster.
type roster struct {
	people []protocol.Person
	shared bool // somebody else has people
}

func byName(a, b protocol.Person) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), bytes.Compare(a.Member[:], b.Member[:]))
}

// add adds who is not in it; it does nothing if the roster is full.
func (l *roster) add(p protocol.Person) {
	if len(l.people) < protocol.MaxPeople {
		at, _ := slices.BinarySearchFunc(l.people, p, byName)
		l.people = slices.Insert(l.own(), at, p)
	}
}

// remove takes out whoever has this name and id, if they are in it.
func (l *roster) remove(p protocol.Person) {
	if at, ok := slices.BinarySearchFunc(l.people, p, byName); ok {
		l.people = slices.Delete(l.own(), at, at+1)
	}
}

// own returns the people for writing.
func (l *roster) own() []protocol.Person {
	if l.shared {
		l.people, l.shared = slices.Clone(l.people), false
	}
	return l.people
}

// list returns who is in it, for reading.
func (l *roster) list() []protocol.Person {
	l.shared = true
	return l.people
}
