-- Whom a text mentions (protocol.Mentions), as it was when it was said. What was said before has nobody.
ALTER TABLE events ADD COLUMN mentions TEXT NOT NULL DEFAULT '';
