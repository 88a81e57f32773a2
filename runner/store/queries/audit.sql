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
  (SELECT count(*) FROM temp.listed AS listed WHERE pending AND (NOT deleted OR EXISTS
    (SELECT 1 FROM records WHERE stream = :stream AND records.id = listed.id AND state < 2))) AS pending

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

-- name: why_missing
SELECT CASE WHEN EXISTS (SELECT 1 FROM records WHERE stream = :stream AND records.id = listed.id) THEN 'deleted'
  WHEN id IN (SELECT value FROM json_each(:bad)) THEN 'bad' ELSE 'unread' END AS why, count(*) AS number
FROM temp.listed AS listed WHERE NOT deleted AND NOT pending
AND NOT EXISTS (SELECT 1 FROM records WHERE stream = :stream AND records.id = listed.id AND state < 2)
GROUP BY why ORDER BY why

-- name: why_extra
SELECT CASE WHEN EXISTS (SELECT 1 FROM temp.listed AS listed WHERE listed.id = records.id) THEN 'deleted'
  ELSE 'gone' END AS why, count(*) AS number
FROM records WHERE stream = :stream AND state < 2
AND NOT EXISTS (SELECT 1 FROM temp.listed AS listed WHERE listed.id = records.id AND (NOT deleted OR pending))
GROUP BY why ORDER BY why

-- name: why_stale
SELECT CASE WHEN stored < there THEN 'older' WHEN stored > there THEN 'newer' ELSE 'untold' END AS why,
  count(*) AS number
FROM (SELECT json_extract(payload, :path) AS stored,
    CASE typeof(json_extract(payload, :path)) WHEN 'text' THEN stamp ELSE CAST(stamp AS NUMERIC) END AS there
  FROM temp.listed AS listed JOIN records ON records.stream = :stream AND records.id = listed.id
  WHERE NOT deleted AND NOT pending AND stamp IS NOT NULL AND state < 2 AND pruned_at IS NULL
  AND json_extract(payload, :path) IS NOT stamp)
GROUP BY why ORDER BY why
