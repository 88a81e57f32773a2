-- name: make
INSERT INTO variants (integration, connection, sync, variant, created_at)
VALUES (:integration, :connection, :sync, :variant, :now) ON CONFLICT DO NOTHING

-- name: get
SELECT number FROM variants
WHERE integration = :integration AND connection = :connection AND sync = :sync AND variant = :variant

-- name: list
SELECT variant FROM variants WHERE integration = :integration AND connection = :connection AND sync = :sync
ORDER BY number

-- name: remove
DELETE FROM variants
WHERE integration = :integration AND connection = :connection AND sync = :sync AND variant = :variant

-- name: models
SELECT DISTINCT model FROM sync_state AS own
WHERE integration = :integration AND connection = :connection AND sync IN (SELECT value FROM json_each(:syncs))
AND NOT EXISTS (SELECT 1 FROM sync_state AS other WHERE other.integration = own.integration
  AND other.connection = own.connection AND other.model = own.model
  AND other.sync NOT IN (SELECT value FROM json_each(:syncs))
  AND substr(other.sync, -length(:ending)) = :ending)

-- name: delete_seen
DELETE FROM seen WHERE full_read IN (SELECT full_reads.number FROM full_reads
  JOIN streams ON streams.number = full_reads.stream WHERE integration = :integration
  AND connection = :connection AND model = :model AND variant = :variant)

-- name: delete_full_reads
DELETE FROM full_reads WHERE stream IN (SELECT number FROM streams WHERE integration = :integration
  AND connection = :connection AND model = :model AND variant = :variant)

-- name: delete_records
DELETE FROM records WHERE stream IN (SELECT number FROM streams WHERE integration = :integration
  AND connection = :connection AND model = :model AND variant = :variant)

-- name: delete_stream
DELETE FROM streams
WHERE integration = :integration AND connection = :connection AND model = :model AND variant = :variant

-- name: delete_state
DELETE FROM sync_state WHERE integration = :integration AND connection = :connection
AND sync IN (SELECT value FROM json_each(:syncs))

-- name: delete_parents
DELETE FROM parents WHERE integration = :integration AND connection = :connection
AND sync IN (SELECT value FROM json_each(:syncs))
