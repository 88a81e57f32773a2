-- name: make_stream
INSERT INTO streams (integration, connection, model) VALUES (:integration, :connection, :model)
ON CONFLICT DO NOTHING

-- name: get_stream
SELECT number FROM streams WHERE integration = :integration AND connection = :connection AND model = :model

-- name: list_streams
SELECT integration, connection, model FROM streams
WHERE (:integration IS NULL OR integration = :integration) AND (:connection IS NULL OR connection = :connection)
ORDER BY integration, connection, model

-- name: get_cursor
SELECT cursor FROM streams WHERE number = :stream

-- name: set_cursor
UPDATE streams SET cursor = :cursor WHERE number = :stream

-- name: known
SELECT id, hash, state FROM records WHERE stream = ? AND id IN (SELECT value FROM json_each(?))

-- name: insert
INSERT INTO records (stream, id, hash, payload, state, cursor, first_seen_at, changed_at)
VALUES (?, ?, ?, ?, 0, ?, ?, ?)

-- name: update
UPDATE records SET hash = ?, payload = ?, state = ?, cursor = ?, changed_at = ?, deleted_at = NULL, pruned_at = NULL
WHERE stream = ? AND id = ?

-- name: delete
UPDATE records SET state = 2, cursor = ?, changed_at = ?, deleted_at = ? WHERE stream = ? AND id = ?

-- name: see
INSERT INTO seen (stream, id) SELECT ?, value FROM json_each(?) WHERE true ON CONFLICT DO NOTHING

-- name: forget_seen
DELETE FROM seen WHERE stream = ?

-- name: unseen
SELECT id FROM records WHERE stream = ? AND state < 2
AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.stream = records.stream AND seen.id = records.id) LIMIT ?

-- name: read
SELECT id, payload, state, cursor, first_seen_at, changed_at, deleted_at, pruned_at FROM records
WHERE stream = :stream AND cursor > :after
AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
AND (:since IS NULL OR changed_at >= :since)
ORDER BY cursor LIMIT :limit

-- name: read_ids
SELECT id, payload, state, cursor, first_seen_at, changed_at, deleted_at, pruned_at FROM records
WHERE stream = :stream AND id IN (SELECT value FROM json_each(:ids)) AND cursor > :after
AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
AND (:since IS NULL OR changed_at >= :since)
ORDER BY cursor LIMIT :limit

-- name: count
SELECT state, count(*) AS number FROM records WHERE stream = :stream GROUP BY state
