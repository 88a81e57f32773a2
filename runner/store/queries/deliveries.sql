-- name: add_delivery
INSERT INTO deliveries (id, integration, external_id, connection, event, query, headers, body, status, received_at)
VALUES (:id, :integration, :external_id, :connection, :event, :query, :headers, :body, 'received', :now)
ON CONFLICT (integration, external_id) DO NOTHING

-- name: get_delivery
SELECT * FROM deliveries WHERE id = :id

-- name: get_delivery_by_external_id
SELECT * FROM deliveries WHERE integration = :integration AND external_id = :external_id

-- name: deliveries_beginning_with
SELECT * FROM deliveries WHERE id >= :prefix AND id < :prefix || 'g' ORDER BY received_at DESC, id LIMIT 2

-- name: list_deliveries
SELECT * FROM deliveries WHERE :status IS NULL OR status = :status
ORDER BY received_at DESC, id LIMIT :limit OFFSET :offset

-- name: due_delivery
SELECT * FROM deliveries WHERE status = 'received' AND coalesce(due_at, 0) <= :now
AND integration || '/' || coalesce(connection, '') NOT IN (SELECT value FROM json_each(:busy))
ORDER BY received_at, id LIMIT 1

-- name: next_due
SELECT min(coalesce(due_at, 0)) AS due_at FROM deliveries WHERE status = 'received'

-- name: note_delivery
UPDATE deliveries SET progress = json_insert(progress, '$[#]', :what) WHERE id = :id

-- name: postpone_delivery
UPDATE deliveries SET error = :error, attempts = attempts + 1, due_at = :due_at WHERE id = :id

-- name: finish_delivery
UPDATE deliveries SET status = :status, error = :error, attempts = attempts + 1, finished_at = :now WHERE id = :id

-- name: replay_delivery
UPDATE deliveries SET status = 'received', progress = CASE status WHEN 'failed' THEN
    (SELECT json_group_array(value) FROM json_each(progress) WHERE value NOT LIKE :begun) ELSE '[]' END,
  error = NULL, attempts = 0, due_at = NULL, finished_at = NULL WHERE id = :id AND status <> 'received'
