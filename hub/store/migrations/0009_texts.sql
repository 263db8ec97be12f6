-- What is written is in events only, to which rows are added at the end, so that they stay where they are. Rows of folds
-- come between others: SQLite moved them from page to page and left copies of them behind, which were not overwritten
-- (secure_delete) when the row was. What a message says now is the body of the event that last edited it.
CREATE TABLE folds_without (
	pos       INTEGER PRIMARY KEY, -- of the message
	changed   INTEGER NOT NULL,    -- number of the event that last changed it
	by        INTEGER NOT NULL,    -- pos of that event; of an edit the body is what the message says now
	erased    INTEGER NOT NULL DEFAULT 0,
	reactions TEXT    NOT NULL DEFAULT ''
) STRICT;
INSERT INTO folds_without SELECT pos, changed, by, erased, reactions FROM folds ORDER BY pos;
DROP TABLE folds;
ALTER TABLE folds_without RENAME TO folds;

-- Is empty. What is written to find out whether the disk takes something goes here: at the end of events, too, it would
-- make SQLite move rows when it is taken back.
CREATE TABLE probes (body TEXT NOT NULL) STRICT;
