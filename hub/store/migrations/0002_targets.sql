-- What a message was edited to is found when its text is taken away. Most events change nothing and are not in it.
CREATE INDEX targets ON events (room, target) WHERE target > 0;
