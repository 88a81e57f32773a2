-- name: make_stream
INSERT INTO streams (integration, connection, model, variant)
VALUES (:integration, :connection, :model, :variant) ON CONFLICT DO NOTHING

-- name: get_stream
SELECT number FROM streams
WHERE integration = :integration AND connection = :connection AND model = :model AND variant = :variant

-- name: list_streams
SELECT integration, connection, model, variant FROM streams
WHERE (:integration IS NULL OR integration = :integration) AND (:connection IS NULL OR connection = :connection)
ORDER BY integration, connection, model, variant <> 'base', variant

-- name: cursors
SELECT integration, connection, model, variant, cursor FROM streams

-- name: get_cursor
SELECT cursor FROM streams WHERE number = :stream

-- name: set_cursor
UPDATE streams SET cursor = :cursor WHERE number = :stream

-- name: known
SELECT id, number, hash, state FROM records WHERE stream = ? AND id IN (SELECT value FROM json_each(?))

-- name: insert
INSERT INTO records (stream, id, hash, payload, state, cursor, first_seen_at, changed_at)
VALUES (?, ?, ?, ?, 0, ?, ?, ?)

-- name: update
UPDATE records SET hash = ?, payload = ?, state = ?, cursor = ?, changed_at = ?, deleted_at = NULL, pruned_at = NULL
WHERE number = ?

-- name: delete
UPDATE records SET state = 2, cursor = ?, changed_at = ?, deleted_at = ? WHERE number = ?

-- name: begin_full
INSERT INTO full_reads (stream, sync, began) SELECT number, :sync, cursor FROM streams WHERE number = :stream

-- name: get_full
SELECT number FROM full_reads WHERE stream = :stream AND sync = :sync

-- name: forget_seen
DELETE FROM seen WHERE full_read IN (SELECT number FROM full_reads WHERE stream = :stream AND sync = :sync)

-- name: forget_all_seen
DELETE FROM seen WHERE full_read IN (SELECT number FROM full_reads WHERE stream = :stream)

-- name: empty
DELETE FROM records WHERE stream = :stream

-- name: end_full
DELETE FROM full_reads WHERE stream = :stream AND sync = :sync

-- name: see
INSERT INTO seen (full_read, record)
SELECT ?, number FROM records WHERE stream = ? AND id IN (SELECT value FROM json_each(?))
ON CONFLICT DO NOTHING

-- name: unseen
SELECT number, cursor FROM records INDEXED BY records_by_cursor
WHERE stream = :stream AND cursor > :after AND state < 2
AND cursor <= (SELECT began FROM full_reads WHERE number = :read)
AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.full_read = :read AND seen.record = records.number)
ORDER BY cursor LIMIT :limit

-- name: read
SELECT id, payload, state, cursor, first_seen_at, changed_at, deleted_at, pruned_at
FROM records INDEXED BY records_by_cursor
WHERE stream = :stream AND cursor > :after
AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
AND (:since IS NULL OR changed_at >= :since)
ORDER BY cursor LIMIT :limit

-- name: read_ids
SELECT id, payload, state, cursor, first_seen_at, changed_at, deleted_at, pruned_at
FROM records INDEXED BY records_by_id
WHERE stream = :stream AND id IN (SELECT value FROM json_each(:ids)) AND cursor > :after
AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
AND (:since IS NULL OR changed_at >= :since)
ORDER BY cursor LIMIT :limit

-- name: by_key
SELECT id, payload FROM records INDEXED BY records_by_id
WHERE stream = :stream AND id > :after AND state < 2 ORDER BY id LIMIT :limit

-- name: between
SELECT id, payload, state, cursor, first_seen_at, changed_at, deleted_at, pruned_at
FROM records INDEXED BY records_by_id
WHERE stream = :stream AND id > :after AND (:to IS NULL OR id <= :to) AND number <= :until
ORDER BY id LIMIT :limit

-- name: newest
SELECT coalesce(max(number), 0) AS number FROM records

-- name: count
SELECT state, count(*) AS number FROM records INDEXED BY records_by_cursor WHERE stream = :stream GROUP BY state
