-- name: put
INSERT INTO parents (integration, connection, sync, model, key, checkpoint, state) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET checkpoint = excluded.checkpoint, state = excluded.state

-- name: between
SELECT key, checkpoint, state FROM parents
WHERE integration = :integration AND connection = :connection AND sync = :sync AND model = :model
AND key > :after AND (:upto IS NULL OR key <= :upto)

-- name: named
SELECT key, checkpoint, state FROM parents
WHERE integration = :integration AND connection = :connection AND sync = :sync AND model = :model
AND key IN (SELECT value FROM json_each(:keys))

-- name: reset
UPDATE parents SET checkpoint = NULL, state = 0
WHERE integration = :integration AND connection = :connection AND sync = :sync AND model = :model AND state < 2

-- name: children_of_gone
SELECT id FROM records WHERE stream = :stream AND state < 2 AND id > :after
AND CASE WHEN pruned_at IS NULL THEN CAST(json_extract(payload, :path) AS TEXT) END IN (SELECT key FROM parents
  WHERE integration = :integration AND connection = :connection AND sync = :sync AND model = :model AND state = 2)
ORDER BY id LIMIT :limit

-- name: forget_gone
DELETE FROM parents
WHERE integration = :integration AND connection = :connection AND sync = :sync AND model = :model AND state = 2

-- name: clear
DELETE FROM parents
WHERE integration = :integration AND connection = :connection AND sync = :sync AND model = :model
