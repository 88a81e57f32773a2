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
  claimed_until = NULL, connection = coalesce(:connection, connection) WHERE id = :id

-- name: claimable_delivery
SELECT * FROM deliveries WHERE status = 'received' AND (claimed_until IS NULL OR claimed_until <= :now)
ORDER BY received_at, id LIMIT 1

-- name: claim_delivery
UPDATE deliveries SET claimed_until = :until WHERE id = :id

-- name: replay_delivery
UPDATE deliveries SET status = 'received', error = NULL, finished_at = NULL, claimed_until = NULL WHERE id = :id
