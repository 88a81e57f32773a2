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

-- name: add_delivery
INSERT INTO deliveries (id, integration, external_id, connection, event, headers, body, status, received_at)
VALUES (:id, :integration, :external_id, :connection, :event, :headers, :body, 'received', :now)
ON CONFLICT (integration, external_id) DO NOTHING

-- name: get_delivery
SELECT * FROM deliveries WHERE id = :id

-- name: get_delivery_by_external_id
SELECT * FROM deliveries WHERE integration = :integration AND external_id = :external_id

-- name: list_deliveries
SELECT * FROM deliveries WHERE :status IS NULL OR status = :status ORDER BY received_at DESC, id LIMIT :limit

-- name: waiting_deliveries
SELECT * FROM deliveries WHERE status = 'received' ORDER BY received_at, id LIMIT :limit

-- name: finish_delivery
UPDATE deliveries SET status = :status, error = :error, attempts = attempts + 1, finished_at = :now,
  connection = coalesce(:connection, connection) WHERE id = :id
