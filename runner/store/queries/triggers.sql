-- name: ensure
INSERT INTO triggers (name, kind, integration, connection, reached)
VALUES (:name, :kind, :integration, :connection, :reached) ON CONFLICT DO NOTHING

-- name: all
SELECT * FROM triggers ORDER BY name, kind, integration, connection

-- name: move
UPDATE triggers SET reached = :reached WHERE name = :name AND kind = :kind AND integration = :integration
AND connection = :connection AND reached = :before AND NOT paused

-- name: pause
UPDATE triggers SET paused = 1 WHERE name = :name AND kind = :kind AND integration = :integration
AND connection = :connection AND NOT paused

-- name: resume
UPDATE triggers SET paused = 0, reached = coalesce(:reached, reached) WHERE name = :name AND kind = :kind
AND integration = :integration AND connection = :connection AND paused

-- name: under_way
SELECT name, integration, connection, count(*) AS number FROM runs
WHERE status IN ('queued', 'running', 'waiting', 'lost') AND (status <> 'lost' OR (durable AND deaths < :deaths))
AND json_extract(started_by, '$.by') = 'records' GROUP BY name, integration, connection
