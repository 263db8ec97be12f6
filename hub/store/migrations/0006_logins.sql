-- Who may prove to be whom.

ALTER TABLE members ADD COLUMN password TEXT NOT NULL DEFAULT ''; -- argon2id; '' = the name is held for a while only

CREATE TABLE logins (
	id     TEXT    PRIMARY KEY,
	member INTEGER NOT NULL,
	how    TEXT    NOT NULL,
	label  TEXT    NOT NULL,
	made   INTEGER NOT NULL, -- Unix milliseconds
	seen   INTEGER NOT NULL  -- the same, about once a day
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_member ON logins (member);

CREATE TABLE invites (
	id     TEXT    PRIMARY KEY,
	member INTEGER NOT NULL, -- who made it, 0 = who runs the server
	label  TEXT    NOT NULL,
	made   INTEGER NOT NULL, -- Unix milliseconds
	until  INTEGER NOT NULL, -- the same
	uses   INTEGER NOT NULL, -- how often it may still be used
	used   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
