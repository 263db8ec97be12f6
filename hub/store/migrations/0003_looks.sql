-- What held names and rooms look like (protocol.Looks): nobody may pass for somebody else. The program fills in those
-- that are there already, see fillLooks.

CREATE TABLE looks (
	look TEXT NOT NULL,
	key  TEXT NOT NULL, -- of names
	PRIMARY KEY (look, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX looks_key ON looks (key);
CREATE TRIGGER looks_go AFTER DELETE ON names BEGIN
	DELETE FROM looks WHERE key = OLD.key;
END;

CREATE TABLE room_looks (
	look TEXT    NOT NULL,
	room INTEGER NOT NULL,
	PRIMARY KEY (look, room)
) STRICT, WITHOUT ROWID;

ALTER TABLE members DROP COLUMN skeleton;
