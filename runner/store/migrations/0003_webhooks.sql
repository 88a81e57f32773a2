-- One process at a time works through the deliveries of a store, and the lock that says so is the kernel's
-- (docs/decisions): no row says who has one. What is left is when a delivery may be tried again.
ALTER TABLE deliveries RENAME COLUMN claimed_until TO due_at;
ALTER TABLE deliveries ADD COLUMN query TEXT NOT NULL DEFAULT '{}';
-- The keys of what is done of it already, as a JSON list.
ALTER TABLE deliveries ADD COLUMN progress TEXT NOT NULL DEFAULT '[]';
UPDATE deliveries SET due_at = NULL;
CREATE INDEX deliveries_by_time ON deliveries (received_at);

-- Syncs that somebody asked for. `begun` 0 waits, 1 is under way; asking again while one is under way asks for
-- one more behind it.
CREATE TABLE sync_requests (
  integration TEXT NOT NULL,
  connection TEXT NOT NULL,
  sync TEXT NOT NULL,
  begun INTEGER NOT NULL DEFAULT 0,
  -- 0 what changed, 1 everything, 2 everything after forgetting the records
  mode INTEGER NOT NULL,
  asked_at REAL NOT NULL,
  PRIMARY KEY (integration, connection, sync, begun)
) WITHOUT ROWID;

CREATE INDEX runs_by_place ON runs (integration, connection, name, started_at);
