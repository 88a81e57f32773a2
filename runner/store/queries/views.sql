-- name: begin
PRAGMA busy_timeout = 10000;
-- Made now, for what makes them is forbidden later.
SELECT * FROM json_each('[]');
SELECT * FROM json_tree('[]')

-- name: models
SELECT DISTINCT model FROM streams ORDER BY model

-- name: streams
SELECT number FROM streams WHERE model = :model ORDER BY number DESC LIMIT 50

-- name: newest
SELECT payload FROM records INDEXED BY records_by_cursor
WHERE stream = :stream AND cursor > (SELECT pruned FROM streams WHERE number = :stream) AND payload <> x''
ORDER BY cursor DESC LIMIT 20

-- name: oldest
SELECT payload FROM records INDEXED BY records_by_cursor
WHERE stream = :stream AND cursor > (SELECT pruned FROM streams WHERE number = :stream) AND payload <> x''
ORDER BY cursor LIMIT 20

-- name: view
CREATE TEMP VIEW {name} AS SELECT
  streams.integration AS integration, streams.connection AS connection, records.id AS id, records.cursor AS cursor,
  CASE records.state WHEN 0 THEN 'added' WHEN 1 THEN 'updated' ELSE 'deleted' END AS _state,
  records.deleted_at AS deleted_at, streams.variant AS _variant{columns}
FROM records JOIN streams ON streams.number = records.stream WHERE streams.model = {model}

-- name: column
, json_extract(nullif(CAST(records.payload AS TEXT), ''), {path}) AS {name}

-- name: settle
PRAGMA query_only = ON
