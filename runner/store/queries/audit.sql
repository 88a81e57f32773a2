-- name: begin
CREATE TEMP TABLE IF NOT EXISTS listed (
  id TEXT PRIMARY KEY, stamp TEXT, pending INTEGER NOT NULL, deleted INTEGER NOT NULL, parent TEXT
) WITHOUT ROWID

-- name: clear
DELETE FROM temp.listed

-- name: add
INSERT OR REPLACE INTO temp.listed (id, stamp, pending, deleted, parent) VALUES (?, ?, ?, ?, ?)

-- name: parents
SELECT id, parent FROM temp.listed WHERE id IN (SELECT value FROM json_each(:ids))

-- name: counts
SELECT
  (SELECT count(*) FROM temp.listed WHERE NOT deleted) AS listed,
  (SELECT count(*) FROM records WHERE stream = :stream AND state < 2) AS stored,
  (SELECT count(*) FROM temp.listed WHERE pending) AS pending

-- name: missing
SELECT id FROM temp.listed AS listed WHERE NOT deleted AND NOT pending AND id > :after
AND NOT EXISTS (SELECT 1 FROM records WHERE stream = :stream AND records.id = listed.id AND state < 2)
ORDER BY id LIMIT :limit

-- name: extra
SELECT id FROM records WHERE stream = :stream AND state < 2 AND id > :after
AND NOT EXISTS (SELECT 1 FROM temp.listed AS listed WHERE listed.id = records.id AND (NOT deleted OR pending))
ORDER BY id LIMIT :limit

-- name: stale
SELECT listed.id FROM temp.listed AS listed JOIN records ON records.stream = :stream AND records.id = listed.id
WHERE NOT deleted AND NOT pending AND stamp IS NOT NULL AND state < 2 AND pruned_at IS NULL AND listed.id > :after
AND json_extract(payload, :path) IS NOT stamp
ORDER BY listed.id LIMIT :limit
