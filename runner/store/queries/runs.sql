-- name: start
INSERT INTO runs (id, kind, name, integration, connection, status, input, definition, started_at, durable, parent,
  started_by, turns, turn_limit, events)
VALUES (:id, :kind, :name, :integration, :connection, :status, :input, :definition, :now, :durable, :parent,
  :started_by, :turns, :turn_limit, :events)

-- name: largest
SELECT * FROM runs WHERE kind = 'sync' AND integration = :integration AND connection = :connection AND name = :name
AND status = 'success' ORDER BY json_extract(output, '$.read') DESC, started_at DESC LIMIT 1

-- name: take
UPDATE runs SET status = CASE WHEN turns IS NULL THEN 'running' ELSE 'queued' END, finished_at = NULL, error = NULL,
  due_at = NULL, deaths = deaths + (status = 'lost')
WHERE id = :id AND status IN (SELECT value FROM json_each(:rest))

-- name: start_turn
UPDATE runs SET status = 'running', in_turn = 1 WHERE id = :id AND status IN ('queued', 'running')
AND (in_turn OR (SELECT count(*) FROM runs AS other WHERE other.turns = runs.turns AND other.id <> runs.id
  AND other.status IN ('queued', 'running', 'waiting') AND (other.in_turn OR (:fair AND other.asked IS NULL
    AND (other.started_at, other.id) < (runs.started_at, runs.id) AND (other.parent IS NULL
      OR EXISTS (SELECT 1 FROM runs AS above WHERE above.id = other.parent
        AND above.status IN ('queued', 'running', 'waiting'))))) ) < turn_limit)

-- name: taking_turns
SELECT other.* FROM runs AS other JOIN runs AS own ON own.id = :id AND other.turns = own.turns
WHERE other.id <> :id AND other.durable AND other.status IN ('queued', 'running', 'waiting', 'lost')
ORDER BY other.started_at, other.id

-- name: turns_taken
SELECT * FROM runs WHERE turns = :turns AND in_turn AND status IN ('queued', 'running', 'waiting')
ORDER BY started_at, id

-- name: park
UPDATE runs SET status = 'waiting', due_at = :due_at WHERE id = :id AND status = 'running' AND woken = :woken

-- name: requeue
UPDATE runs SET status = 'queued' WHERE id = :id AND status = 'running'

-- name: ask
UPDATE runs SET asked = :asked WHERE id = :id

-- name: reopen
UPDATE runs SET status = 'queued', asked = NULL, error = NULL, finished_at = NULL
WHERE id = :id AND status IN ('failed', 'cancelled')

-- name: wake
WITH RECURSIVE line(id) AS (
  SELECT :id UNION ALL SELECT runs.parent FROM runs JOIN line ON runs.id = line.id WHERE runs.parent IS NOT NULL
)
UPDATE runs SET woken = woken + 1, due_at = NULL, status = CASE status WHEN 'waiting' THEN 'queued' ELSE status END
WHERE id IN line

-- name: outermost
WITH RECURSIVE line(id) AS (
  SELECT :id UNION ALL SELECT runs.parent FROM runs JOIN line ON runs.id = line.id WHERE runs.parent IS NOT NULL
)
SELECT * FROM runs WHERE id IN line AND parent IS NULL

-- name: came_for
SELECT asked, woken FROM runs WHERE id = :id

-- name: due
WITH line AS (
  SELECT id, turn_limit, sum(in_turn) OVER (PARTITION BY turns)
    + count(*) FILTER (WHERE NOT in_turn AND asked IS NULL) OVER (PARTITION BY turns ORDER BY started_at, id
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM runs WHERE status IN ('queued', 'running', 'waiting', 'lost') AND status <> 'lost' AND turns IS NOT NULL
)
SELECT * FROM runs WHERE status IN ('queued', 'running', 'waiting', 'lost') AND kind = 'workflow' AND parent IS NULL
AND integration || '/' || connection NOT IN (SELECT value FROM json_each(:busy))
AND ((status = 'waiting' AND due_at <= :now) OR (status = 'lost' AND durable AND deaths < :deaths)
  OR (status = 'queued' AND (turns IS NULL OR in_turn OR asked IS NOT NULL
    OR id IN (SELECT id FROM line WHERE before < turn_limit))))
ORDER BY started_at, id LIMIT 100

-- name: next_due
SELECT min(due_at) AS due_at FROM runs WHERE status = 'waiting' AND parent IS NULL

-- name: awaiting
SELECT * FROM runs WHERE status IN ('queued', 'running', 'waiting', 'lost') AND events <> '[]'
AND EXISTS (SELECT 1 FROM json_each(events) WHERE value IN (:event, :event || ' ' || :connection))
ORDER BY started_at, id

-- name: children
SELECT * FROM runs WHERE parent = :id ORDER BY started_at, id

-- name: finish
UPDATE runs SET status = :status, output = :output, error = :error, steps = :steps, finished_at = :now, in_turn = 0
WHERE id = :id AND status IN ('running', 'lost', 'queued')

-- name: close_below
WITH RECURSIVE below(id) AS (
  SELECT id FROM runs WHERE parent = :id UNION ALL SELECT runs.id FROM runs JOIN below ON runs.parent = below.id
)
UPDATE runs SET status = 'cancelled', error = :error, finished_at = :now, in_turn = 0
WHERE id IN below AND status IN ('queued', 'waiting')

-- name: postpone
UPDATE runs SET status = 'waiting', due_at = :due_at, retries = retries + 1, finished_at = NULL
WHERE id = :id AND status = 'failed'

-- name: get
SELECT * FROM runs WHERE id = :id

-- name: beginning_with
SELECT * FROM runs WHERE id >= :prefix AND substr(id, 1, length(:prefix)) = :prefix AND id < :prefix || 'g'
ORDER BY started_at DESC, id LIMIT 10

-- name: list
SELECT * FROM runs WHERE (:kind IS NULL OR kind = :kind) AND (:name IS NULL OR name = :name)
AND (:status IS NULL OR status = :status) AND (:connection IS NULL OR connection = :connection)
ORDER BY started_at DESC, id LIMIT :limit OFFSET :offset

-- name: failing_syncs
SELECT integration, connection, id FROM runs AS run
WHERE kind = 'sync' AND status IN ('failed', 'lost')
AND (:integration IS NULL OR (integration = :integration AND connection = :connection))
AND NOT EXISTS (SELECT 1 FROM runs AS later WHERE later.integration = run.integration
  AND later.connection = run.connection AND later.name = run.name AND later.kind = 'sync'
  AND later.started_at > run.started_at AND later.status <> 'running')
ORDER BY started_at DESC, id

-- name: running
SELECT id, durable FROM runs WHERE status = 'running' ORDER BY id

-- name: lose
UPDATE runs SET status = 'lost', error = :error, finished_at = :now, in_turn = 0 WHERE id = :id AND status = 'running'

-- name: add_event
INSERT INTO run_events (run, number, at, level, message, data)
SELECT :run, coalesce(max(number), 0) + 1, :now, :level, :message, :data FROM run_events WHERE run = :run

-- name: events
SELECT number, at, level, message, data FROM run_events WHERE run = :run AND number > :after ORDER BY number

-- name: bad_records
SELECT json_extract(data, '$.bad_record') AS record FROM run_events
WHERE run = :run AND json_type(data, '$.bad_record') IS NOT NULL ORDER BY number
