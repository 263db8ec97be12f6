-- Which rooms are a member's: those that it has visited since it took them off its list. messages is the ordinal of the
-- last message up to seq; visited and gone are Unix milliseconds. All are maxima, so the order in which marks are merged
-- does not matter.
ALTER TABLE reads ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reads ADD COLUMN visited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reads ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
