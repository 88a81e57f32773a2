-- name: ask
INSERT INTO sync_requests (integration, connection, sync, mode, asked_at)
VALUES (:integration, :connection, :sync, :mode, :now)
ON CONFLICT DO UPDATE SET mode = max(mode, excluded.mode)

-- name: due
SELECT * FROM sync_requests
WHERE integration || '/' || connection NOT IN (SELECT value FROM json_each(:busy))
ORDER BY asked_at, sync, begun DESC LIMIT 1

-- name: begin
UPDATE sync_requests SET begun = 1 WHERE integration = :integration AND connection = :connection
AND sync = :sync AND begun = 0

-- name: finish
DELETE FROM sync_requests
WHERE integration = :integration AND connection = :connection AND sync = :sync AND begun = 1

-- name: list
SELECT * FROM sync_requests ORDER BY asked_at, sync, begun DESC
