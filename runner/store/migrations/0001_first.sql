-- Times are seconds since 1970, by this machine's clock unless a name says otherwise.

-- Marks the file as ours: TRPI in ASCII.
PRAGMA application_id = 0x54525049;

CREATE TABLE connections (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  integration TEXT NOT NULL,
  id TEXT NOT NULL,
  provider TEXT NOT NULL,
  auth TEXT NOT NULL,
  config TEXT NOT NULL,
  metadata TEXT,
  tags TEXT NOT NULL,
  end_user TEXT,
  sealed BLOB NOT NULL,
  key_id TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  allow_local INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  last_fetched_at REAL,
  UNIQUE (integration, id)
);

CREATE TABLE clients (
  integration TEXT PRIMARY KEY,
  client_id TEXT NOT NULL,
  sealed BLOB NOT NULL,
  key_id TEXT NOT NULL,
  updated_at REAL NOT NULL
);

-- One stream is one model of one connection; `cursor` counts its changes, and `full_from` is where it stood
-- when the full read under way began.
CREATE TABLE streams (
  number INTEGER PRIMARY KEY,
  integration TEXT NOT NULL,
  connection TEXT NOT NULL,
  model TEXT NOT NULL,
  cursor INTEGER NOT NULL DEFAULT 0,
  full_from INTEGER NOT NULL DEFAULT 0,
  UNIQUE (integration, connection, model)
);

-- state: 0 added, 1 updated, 2 deleted. Rows lie in the order in which they came, so that keys in any order are
-- stored and read as fast as ascending ones (docs/decisions/0006). The payload comes last: where a long
-- one overflows its page, what stands before it is still read at once.
CREATE TABLE records (
  number INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  id TEXT NOT NULL,
  hash BLOB NOT NULL,
  state INTEGER NOT NULL,
  cursor INTEGER NOT NULL,
  first_seen_at REAL NOT NULL,
  changed_at REAL NOT NULL,
  deleted_at REAL,
  pruned_at REAL,
  payload BLOB NOT NULL
);
CREATE UNIQUE INDEX records_by_id ON records (stream, id);
-- With state and time, so that counting and filtered reads touch no row that they do not give.
CREATE INDEX records_by_cursor ON records (stream, cursor, state, changed_at);

-- What a full read has seen so far; emptied when it ends.
CREATE TABLE seen (
  stream INTEGER NOT NULL,
  record INTEGER NOT NULL,
  PRIMARY KEY (stream, record)
) WITHOUT ROWID;

CREATE TABLE sync_state (
  integration TEXT NOT NULL,
  connection TEXT NOT NULL,
  sync TEXT NOT NULL,
  model TEXT NOT NULL,
  checkpoint TEXT,
  last_run REAL,
  progress TEXT,
  digest TEXT NOT NULL,
  updated_at REAL NOT NULL,
  PRIMARY KEY (integration, connection, sync, model)
);

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  integration TEXT NOT NULL,
  connection TEXT NOT NULL,
  status TEXT NOT NULL,
  input TEXT,
  output TEXT,
  error TEXT,
  steps TEXT,
  definition TEXT NOT NULL DEFAULT '',
  started_at REAL NOT NULL,
  finished_at REAL
);
CREATE INDEX runs_by_time ON runs (started_at DESC);

CREATE TABLE run_events (
  run TEXT NOT NULL,
  number INTEGER NOT NULL,
  at REAL NOT NULL,
  level TEXT NOT NULL,
  message TEXT NOT NULL,
  data TEXT,
  PRIMARY KEY (run, number)
) WITHOUT ROWID;

CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  integration TEXT NOT NULL,
  external_id TEXT,
  connection TEXT,
  event TEXT,
  headers TEXT NOT NULL,
  body BLOB NOT NULL,
  status TEXT NOT NULL,
  error TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  received_at REAL NOT NULL,
  finished_at REAL,
  claimed_until REAL,
  UNIQUE (integration, external_id)
);
CREATE INDEX deliveries_by_status ON deliveries (status, received_at);

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
