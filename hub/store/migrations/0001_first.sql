-- Two kinds of table and no third. Journaled tables are written by Apply only and are the same on every node; merged
-- tables hold maxima, for which the order of writing does not matter.

-- Journaled.

CREATE TABLE state (
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	position INTEGER NOT NULL -- pos of the last event
) STRICT;
INSERT INTO state VALUES (1, 0);

CREATE TABLE rooms (
	num      INTEGER PRIMARY KEY,
	name     TEXT    NOT NULL UNIQUE,
	kind     TEXT    NOT NULL,
	opened   INTEGER NOT NULL, -- number of the event in $server that opened it, 0 for $server itself
	first    INTEGER NOT NULL, -- first number that is kept
	last     INTEGER NOT NULL, -- last number, 0 = none yet
	last_id  TEXT    NOT NULL, -- id of the event at last
	last_at  INTEGER NOT NULL, -- Unix milliseconds of the event at last
	messages INTEGER NOT NULL, -- ordinal of the last message
	closed   INTEGER NOT NULL
) STRICT;
INSERT INTO rooms VALUES (1, '$server', 'server', 0, 1, 0, '', 0, 0, 0);

CREATE TABLE members (
	num        INTEGER PRIMARY KEY,
	id         BLOB    NOT NULL UNIQUE,
	name       TEXT    NOT NULL, -- as shown
	key        TEXT    NOT NULL, -- as compared
	skeleton   TEXT    NOT NULL DEFAULT '', -- as it looks, for confusable names; not used yet
	generation INTEGER NOT NULL DEFAULT 0   -- logins of an older one have ended
) STRICT;
INSERT INTO members (num, id, name, key) VALUES (0, zeroblob(16), '', ''); -- nobody, the server itself

CREATE TABLE names (
	key    TEXT    PRIMARY KEY,
	member INTEGER NOT NULL UNIQUE, -- a member holds one name
	until  INTEGER NOT NULL         -- Unix milliseconds
) STRICT;

-- Log and messages in one, in the order of the journal. Ids come first in their index: those of one moment have the same
-- beginning, so that new ones land on one page.
CREATE TABLE events (
	pos     INTEGER PRIMARY KEY,
	room    INTEGER NOT NULL,
	seq     INTEGER NOT NULL,
	member  INTEGER NOT NULL,
	id      TEXT    NOT NULL,
	kind    TEXT    NOT NULL,
	v       INTEGER NOT NULL,
	target  INTEGER NOT NULL,
	ordinal INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	body    TEXT    NOT NULL,
	UNIQUE (room, seq),
	UNIQUE (id, member)
) STRICT;

-- What later events made of a message; most messages have no row.
CREATE TABLE folds (
	pos       INTEGER PRIMARY KEY, -- of the message
	changed   INTEGER NOT NULL,    -- number of the event that last changed it
	body      TEXT,                -- as it is now, if it was edited
	erased    INTEGER NOT NULL DEFAULT 0,
	reactions TEXT    NOT NULL DEFAULT ''
) STRICT;

-- Merged.

CREATE TABLE reads (
	member INTEGER NOT NULL,
	room   INTEGER NOT NULL,
	seq    INTEGER NOT NULL,
	PRIMARY KEY (member, room)
) STRICT, WITHOUT ROWID;

CREATE TABLE seen (
	member INTEGER PRIMARY KEY,
	at     INTEGER NOT NULL
) STRICT;
