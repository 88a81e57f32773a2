-- A run that is queued, or that waits, is under way in no process.
ALTER TABLE runs ADD COLUMN durable INTEGER NOT NULL DEFAULT 0;
-- The run whose step this one is.
ALTER TABLE runs ADD COLUMN parent TEXT;
-- What started it, as JSON: by a person, a schedule, a webhook, records, a workflow.
ALTER TABLE runs ADD COLUMN started_by TEXT;
-- When a waiting run goes on by itself.
ALTER TABLE runs ADD COLUMN due_at REAL;
-- What somebody asked of it: cancel, or undo (cancel, and undo what is done).
ALTER TABLE runs ADD COLUMN asked TEXT;
-- What takes turns with it, and the events of webhooks that it may wait for, as a JSON list.
ALTER TABLE runs ADD COLUMN turns TEXT;
ALTER TABLE runs ADD COLUMN events TEXT NOT NULL DEFAULT '[]';
-- How often it was taken up after its process had died.
ALTER TABLE runs ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
-- Grows with everything that comes for it from outside: answers, events, what is asked of it.
ALTER TABLE runs ADD COLUMN woken INTEGER NOT NULL DEFAULT 0;

CREATE INDEX runs_open ON runs (status, due_at) WHERE status IN ('queued', 'running', 'waiting', 'lost');
CREATE INDEX runs_taking_turns ON runs (turns) WHERE turns IS NOT NULL;
CREATE INDEX runs_of_parent ON runs (parent) WHERE parent IS NOT NULL;

-- The journal of durable runs: one row for each step, under the step's path.
CREATE TABLE steps (
  run TEXT NOT NULL,
  path TEXT NOT NULL,
  kind TEXT NOT NULL,
  line INTEGER NOT NULL,
  status TEXT NOT NULL,
  -- its turn among the steps that ended
  number INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  started_at REAL NOT NULL,
  finished_at REAL,
  writes INTEGER NOT NULL,
  repeated INTEGER NOT NULL,
  note TEXT,
  error TEXT,
  -- what somebody answered to it
  answer TEXT,
  shown TEXT,
  output BLOB,
  PRIMARY KEY (run, path)
) WITHOUT ROWID;

-- Events that came for a run; `taken_by` is the path of the step that waited for it.
CREATE TABLE run_signals (
  run TEXT NOT NULL,
  number INTEGER NOT NULL,
  integration TEXT NOT NULL,
  connection TEXT NOT NULL,
  event TEXT NOT NULL,
  scope TEXT NOT NULL,
  at REAL NOT NULL,
  taken_by TEXT,
  PRIMARY KEY (run, number)
) WITHOUT ROWID;

-- How far a trigger has come: the cursor of a stream of records, or the time that a schedule was last due at.
CREATE TABLE triggers (
  workflow TEXT NOT NULL,
  kind TEXT NOT NULL,
  integration TEXT NOT NULL,
  connection TEXT NOT NULL,
  reached REAL NOT NULL,
  paused INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (workflow, kind, integration, connection)
) WITHOUT ROWID;
