-- Which event has a number of a room. As an index of events it took a page for each room of every batch, since rooms lie
-- apart in it, and that page was most of what a message wrote. Now what is new goes into a small table, and from there into
-- the large one 4,096 events at once (newNumbers in numbers.go), in the order of their rooms. Whoever looks for a number
-- looks into numbered.

CREATE TABLE numbers (
	room INTEGER NOT NULL,
	seq  INTEGER NOT NULL,
	pos  INTEGER NOT NULL, -- of the event
	PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE new_numbers (
	room INTEGER NOT NULL,
	seq  INTEGER NOT NULL,
	pos  INTEGER NOT NULL,
	PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO numbers SELECT room, seq, pos FROM events CROSS JOIN state WHERE pos <= position - position % 4096 ORDER BY room, seq;
INSERT INTO new_numbers SELECT room, seq, pos FROM state CROSS JOIN events WHERE pos > position - position % 4096;

CREATE VIEW numbered AS SELECT room, seq, pos FROM numbers UNION ALL SELECT room, seq, pos FROM new_numbers;

-- The event that last changed a message is found without its number.
ALTER TABLE folds ADD COLUMN by INTEGER NOT NULL DEFAULT 0; -- pos of the event numbered changed
UPDATE folds SET by = coalesce((SELECT d.pos FROM events e JOIN events d ON d.room = e.room AND d.seq = folds.changed WHERE e.pos = folds.pos), 0);

CREATE TABLE events_without (
	pos      INTEGER PRIMARY KEY,
	room     INTEGER NOT NULL,
	seq      INTEGER NOT NULL,
	member   INTEGER NOT NULL,
	id       TEXT    NOT NULL,
	kind     TEXT    NOT NULL,
	v        INTEGER NOT NULL,
	target   INTEGER NOT NULL,
	ordinal  INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	body     TEXT    NOT NULL,
	mentions TEXT    NOT NULL DEFAULT '',
	UNIQUE (id, member)
) STRICT;
INSERT INTO events_without SELECT pos, room, seq, member, id, kind, v, target, ordinal, at, body, mentions FROM events ORDER BY pos;
DROP TABLE events;
ALTER TABLE events_without RENAME TO events;
CREATE INDEX targets ON events (room, target) WHERE target > 0;
