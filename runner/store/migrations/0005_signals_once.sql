-- `key` is the same for the same event, so that it comes to a run once. Nothing has written signals before.
DROP TABLE run_signals;
CREATE TABLE run_signals (
  run TEXT NOT NULL,
  number INTEGER NOT NULL,
  key TEXT NOT NULL,
  integration TEXT NOT NULL,
  connection TEXT NOT NULL,
  event TEXT NOT NULL,
  scope TEXT NOT NULL,
  at REAL NOT NULL,
  taken_by TEXT,
  PRIMARY KEY (run, number),
  UNIQUE (run, key)
) WITHOUT ROWID;
