-- Finds the runs that are under way among all that ever were.
CREATE INDEX runs_running ON runs (id) WHERE status = 'running';

-- A full read is one sync's own, so that another's takes nothing from it; `began` is where the stream's cursor
-- stood then.
CREATE TABLE full_reads (
  number INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  sync TEXT NOT NULL,
  began INTEGER NOT NULL,
  UNIQUE (stream, sync)
);
ALTER TABLE streams DROP COLUMN full_from;

-- What a full read has seen so far; emptied when it ends.
DROP TABLE seen;
CREATE TABLE seen (
  full_read INTEGER NOT NULL,
  record INTEGER NOT NULL,
  PRIMARY KEY (full_read, record)
) WITHOUT ROWID;
-- A full read that was cut short before has lost what it saw, and begins anew.
UPDATE sync_state SET progress = NULL WHERE json_extract(progress, '$.noting');
