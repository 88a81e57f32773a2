-- How far each parent of a sync with `foreach` was read.
CREATE TABLE parents (
  integration TEXT NOT NULL,
  connection TEXT NOT NULL,
  sync TEXT NOT NULL,
  model TEXT NOT NULL,
  -- the parent's
  key TEXT NOT NULL,
  -- of what is stored of it, as JSON
  checkpoint TEXT,
  -- 0 begun, and not yet read whole; 1 read whole; 2 gone
  state INTEGER NOT NULL,
  PRIMARY KEY (integration, connection, sync, model, key)
) WITHOUT ROWID;
