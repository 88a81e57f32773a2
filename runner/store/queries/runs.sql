-- name: start
INSERT INTO runs (id, kind, name, integration, connection, status, input, definition, started_at)
VALUES (:id, :kind, :name, :integration, :connection, 'running', :input, :definition, :now)

-- name: finish
UPDATE runs SET status = :status, output = :output, error = :error, steps = :steps, finished_at = :now WHERE id = :id

-- name: get
SELECT * FROM runs WHERE id = :id

-- name: list
SELECT * FROM runs WHERE (:kind IS NULL OR kind = :kind) AND (:name IS NULL OR name = :name)
ORDER BY started_at DESC, id LIMIT :limit

-- name: add_event
INSERT INTO run_events (run, number, at, level, message, data)
SELECT :run, coalesce(max(number), 0) + 1, :now, :level, :message, :data FROM run_events WHERE run = :run

-- name: events
SELECT at, level, message, data FROM run_events WHERE run = :run ORDER BY number
