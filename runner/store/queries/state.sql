-- name: get
SELECT * FROM sync_state
WHERE integration = :integration AND connection = :connection AND sync = :sync AND model = :model

-- name: all
SELECT integration, connection, sync, model FROM sync_state ORDER BY integration, connection, sync, updated_at

-- name: put
INSERT INTO sync_state (integration, connection, sync, model, checkpoint, last_run, progress, digest, updated_at)
VALUES (:integration, :connection, :sync, :model, :checkpoint, :last_run, :progress, :digest, :now)
ON CONFLICT (integration, connection, sync, model) DO UPDATE SET checkpoint = excluded.checkpoint,
  last_run = excluded.last_run, progress = excluded.progress, digest = excluded.digest,
  updated_at = excluded.updated_at, gone_at = NULL

-- name: names
SELECT DISTINCT sync FROM sync_state WHERE integration = :integration AND connection = :connection
AND (sync = :sync OR substr(sync, 1, length(:sync) + 1) = :sync || '.'
  OR substr(sync, 1, length(:sync) + 2) = :sync || '::')
ORDER BY sync

-- name: begin_anew
UPDATE sync_state SET checkpoint = NULL, progress = NULL, digest = ''
WHERE integration = :integration AND connection = :connection AND model = :model AND sync <> :sync
AND CASE instr(sync, '::') WHEN 0 THEN 'base' ELSE substr(sync, instr(sync, '::') + 2) END = :variant

-- name: all_names
SELECT DISTINCT sync FROM sync_state ORDER BY sync

-- name: vanish
UPDATE sync_state SET gone_at = :now WHERE integration = :integration AND connection = :connection
AND sync IN (SELECT value FROM json_each(:syncs)) AND gone_at IS NULL
RETURNING sync

-- name: clear
DELETE FROM sync_state
WHERE integration = :integration AND connection = :connection AND sync = :sync AND model = :model

-- name: get_setting
SELECT value FROM settings WHERE name = :name

-- name: set_setting
INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: ensure_setting
INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING
