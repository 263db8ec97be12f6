-- Journaled: who is a host, who is shut out or silenced, and what hosts have done.

ALTER TABLE members ADD COLUMN role TEXT NOT NULL DEFAULT '';
ALTER TABLE rooms ADD COLUMN hosts_only INTEGER NOT NULL DEFAULT 0; -- only hosts write
ALTER TABLE rooms ADD COLUMN slow INTEGER NOT NULL DEFAULT 0;       -- milliseconds between two messages of one member

-- The mutes and bans in force, some of which may have ended. Whom, why and until when stands in their events only,
-- addresses too.
CREATE TABLE sanctions (
	event INTEGER PRIMARY KEY -- number in $server of the mute or ban
) STRICT;

-- When a member has last written in a room with slow mode.
CREATE TABLE paces (
	room   INTEGER NOT NULL,
	member INTEGER NOT NULL,
	at     INTEGER NOT NULL,
	PRIMARY KEY (room, member)
) STRICT, WITHOUT ROWID;

-- What hosts have done, numbered from 1: events of $server, and deletions of what others wrote.
CREATE TABLE audit (
	num INTEGER PRIMARY KEY,
	pos INTEGER NOT NULL UNIQUE
) STRICT;
