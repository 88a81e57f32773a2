-- name: save
INSERT INTO connections (integration, id, provider, auth, config, metadata, tags, end_user, sealed, key_id,
  allow_local, error, created_at, updated_at)
VALUES (:integration, :id, :provider, :auth, :config, :metadata, :tags, :end_user, :sealed, :key_id,
  :allow_local, NULL, :now, :now)
ON CONFLICT (integration, id) DO UPDATE SET
  provider = excluded.provider, auth = excluded.auth, config = excluded.config,
  metadata = coalesce(excluded.metadata, metadata), tags = excluded.tags, end_user = excluded.end_user,
  sealed = excluded.sealed, key_id = excluded.key_id, allow_local = excluded.allow_local, error = NULL,
  version = version + 1, updated_at = excluded.updated_at

-- name: get
SELECT * FROM connections WHERE integration = :integration AND id = :id

-- name: places
SELECT integration, id FROM connections ORDER BY integration, id

-- name: find
SELECT * FROM connections WHERE id = :id ORDER BY integration

-- name: list
SELECT * FROM connections WHERE :integration IS NULL OR integration = :integration
ORDER BY integration, id LIMIT :limit OFFSET :offset

-- name: search
SELECT * FROM connections
WHERE (:id IS NULL OR id = :id)
AND (:integrations IS NULL OR integration IN (SELECT value FROM json_each(:integrations)))
AND (:user IS NULL OR json_extract(end_user, '$.id') = :user)
AND (:organization IS NULL OR json_extract(end_user, '$.organization.id') = :organization)
AND (:text IS NULL OR instr(lower(id), :text)
  OR EXISTS (SELECT 1 FROM json_each(end_user) AS part
    WHERE part.key IN ('id', 'email', 'display_name') AND instr(lower(part.value), :text)))
AND NOT EXISTS (SELECT 1 FROM json_each(:tags) AS wanted WHERE NOT EXISTS
  (SELECT 1 FROM json_each(connections.tags) AS own WHERE own.key = wanted.key AND own.value = wanted.value))
ORDER BY number LIMIT :limit OFFSET :offset

-- name: update_credentials
UPDATE connections SET sealed = :sealed, key_id = :key_id, config = :config, error = NULL,
  version = version + 1, updated_at = :now
WHERE integration = :integration AND id = :id AND version = :expected

-- name: set_error
UPDATE connections SET error = :error, updated_at = :now WHERE integration = :integration AND id = :id

-- name: set_config
UPDATE connections SET config = :value, updated_at = :now WHERE integration = :integration AND id = :id

-- name: set_metadata
UPDATE connections SET metadata = :value, updated_at = :now WHERE integration = :integration AND id = :id

-- name: touch
UPDATE connections SET last_fetched_at = :now WHERE integration = :integration AND id = :id

-- name: delete
DELETE FROM connections WHERE integration = :integration AND id = :id

-- name: delete_seen
DELETE FROM seen WHERE full_read IN (SELECT full_reads.number FROM full_reads
  JOIN streams ON streams.number = full_reads.stream WHERE integration = :integration AND connection = :id)

-- name: delete_full_reads
DELETE FROM full_reads
WHERE stream IN (SELECT number FROM streams WHERE integration = :integration AND connection = :id)

-- name: delete_records
DELETE FROM records WHERE stream IN (SELECT number FROM streams WHERE integration = :integration AND connection = :id)

-- name: delete_streams
DELETE FROM streams WHERE integration = :integration AND connection = :id

-- name: delete_sync_requests
DELETE FROM sync_requests WHERE integration = :integration AND connection = :id

-- name: delete_triggers
DELETE FROM triggers WHERE integration = :integration AND connection = :id

-- name: delete_state
DELETE FROM sync_state WHERE integration = :integration AND connection = :id

-- name: delete_variants
DELETE FROM variants WHERE integration = :integration AND connection = :id

-- name: delete_parents
DELETE FROM parents WHERE integration = :integration AND connection = :id

-- name: save_client
INSERT INTO clients (integration, client_id, sealed, key_id, updated_at)
VALUES (:integration, :client_id, :sealed, :key_id, :now)
ON CONFLICT (integration) DO UPDATE SET client_id = excluded.client_id, sealed = excluded.sealed,
  key_id = excluded.key_id, updated_at = excluded.updated_at

-- name: get_client
SELECT * FROM clients WHERE integration = :integration

-- name: list_clients
SELECT * FROM clients ORDER BY integration
