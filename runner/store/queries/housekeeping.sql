-- name: take_turn
INSERT INTO settings (name, value) VALUES ('housekeeping', :now)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
WHERE CAST(value AS REAL) NOT BETWEEN :now - :every AND :now

-- name: drop_deliveries
DELETE FROM deliveries WHERE id IN (
  SELECT id FROM deliveries WHERE status IN ('done', 'unmatched') AND received_at < :before AND finished_at < :before
  LIMIT :limit)

-- name: old_runs
-- The newest run of each sync and workflow stays: it tells how that stands.
SELECT id FROM runs AS run WHERE started_at < :before AND finished_at < :before AND parent IS NULL
AND status IN ('success', 'failed', 'cancelled', 'lost')
AND EXISTS (SELECT 1 FROM runs AS later WHERE later.integration = run.integration
  AND later.connection = run.connection AND later.name = run.name AND later.kind = run.kind
  AND later.started_at > run.started_at)
LIMIT :limit

-- name: with_children
WITH RECURSIVE tree(id) AS (
  SELECT value FROM json_each(:ids) UNION SELECT runs.id FROM runs JOIN tree ON runs.parent = tree.id
)
SELECT id FROM tree

-- name: drop_events
DELETE FROM run_events WHERE run IN (SELECT value FROM json_each(:ids))

-- name: drop_steps
DELETE FROM steps WHERE run IN (SELECT value FROM json_each(:ids))

-- name: drop_signals
DELETE FROM run_signals WHERE run IN (SELECT value FROM json_each(:ids))

-- name: drop_runs
DELETE FROM runs WHERE id IN (SELECT value FROM json_each(:ids))
