-- name: start
INSERT INTO runs (id, kind, name, integration, connection, status, input, definition, started_at)
VALUES (:id, :kind, :name, :integration, :connection, 'running', :input, :definition, :now)

-- name: finish
UPDATE runs SET status = :status, output = :output, error = :error, steps = :steps, finished_at = :now
WHERE id = :id AND status IN ('running', 'lost')

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
SELECT id FROM runs WHERE status = 'running' ORDER BY id

-- name: lose
UPDATE runs SET status = 'lost', error = :error, finished_at = :now WHERE id = :id AND status = 'running'

-- name: add_event
INSERT INTO run_events (run, number, at, level, message, data)
SELECT :run, coalesce(max(number), 0) + 1, :now, :level, :message, :data FROM run_events WHERE run = :run

-- name: events
SELECT number, at, level, message, data FROM run_events WHERE run = :run AND number > :after ORDER BY number

-- name: bad_records
SELECT json_extract(data, '$.bad_record') AS record FROM run_events
WHERE run = :run AND json_type(data, '$.bad_record') IS NOT NULL ORDER BY number
