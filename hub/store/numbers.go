package store

import "govor/hub/protocol"

// newNumbers is how many events' numbers are kept apart until they are put where they stay. It decides with the position
// alone when that is, so that every store does it at the same events. Another value needs a migration.
const newNumbers = 4096

// number notes where the event with its number is. One that is there already is an error of ours.
func (t *transaction) number(e *protocol.Event) error {
	t.addNumber.BindInt64(1, e.RoomID)
	t.addNumber.BindInt64(2, e.Seq)
	t.addNumber.BindInt64(3, e.Pos)
	if err := run(t.addNumber); err != nil || e.Pos%newNumbers != 0 {
		return err
	}
	if err := run(t.moveNumbers); err != nil {
		return err
	}
	return run(t.dropNumbers)
}

// posOf is SQL for the position of the event with a number of a room, both SQL as well.
func posOf(room, seq string) string {
	where := " WHERE room = " + room + " AND seq = " + seq
	return "(SELECT pos FROM numbers" + where + " UNION ALL SELECT pos FROM new_numbers" + where + ")"
}
