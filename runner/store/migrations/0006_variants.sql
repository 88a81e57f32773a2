-- The records of a sync's variants are kept apart: one stream each. `base` is what a sync without variants has.
CREATE TABLE streams_apart (
  number INTEGER PRIMARY KEY,
  integration TEXT NOT NULL,
  connection TEXT NOT NULL,
  model TEXT NOT NULL,
  variant TEXT NOT NULL DEFAULT 'base',
  cursor INTEGER NOT NULL DEFAULT 0,
  UNIQUE (integration, connection, model, variant)
);
INSERT INTO streams_apart (number, integration, connection, model, cursor)
SELECT number, integration, connection, model, cursor FROM streams;
DROP TABLE streams;
ALTER TABLE streams_apart RENAME TO streams;

-- Variants that somebody made, beside those that stand in definitions.
CREATE TABLE variants (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  integration TEXT NOT NULL,
  connection TEXT NOT NULL,
  sync TEXT NOT NULL,
  variant TEXT NOT NULL,
  created_at REAL NOT NULL,
  UNIQUE (integration, connection, sync, variant)
);

-- When the value that a sync was for had vanished from its source; NULL while it is there.
ALTER TABLE sync_state ADD COLUMN gone_at REAL;
