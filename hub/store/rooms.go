package store

import (
	"fmt"

	"govor/hub/protocol"
)

// storeServer stores an event in RoomServer that is known not to be a duplicate.
func (t *transaction) storeServer(res *Result, m member) error {
	stored, err := t.put(res, t.room(protocol.RoomServer), m)
	if err == nil && !stored {
		err = fmt.Errorf("event of kind %s was not stored", res.Event.Kind)
	}
	return err
}

// room returns the transaction's copy of a room, nil when there is none.
func (t *transaction) room(name string) *room {
	if r := t.rooms[name]; r != nil {
		return r
	}
	r := t.store.rooms[name]
	if r == nil {
		return nil
	}
	c := *r
	t.rooms[name] = &c
	return &c
}

func (t *transaction) touch(r *room) {
	if !r.dirty {
		r.dirty = true
		t.dirty = append(t.dirty, r)
	}
}
