-- name: put
INSERT INTO steps (run, path, kind, line, status, number, tries, started_at, finished_at, writes, repeated, note,
  error, shown, output)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, path) DO UPDATE SET status = excluded.status, number = excluded.number, tries = excluded.tries,
  started_at = excluded.started_at, finished_at = excluded.finished_at, writes = excluded.writes,
  repeated = excluded.repeated, note = excluded.note, error = excluded.error, shown = excluded.shown,
  output = excluded.output

-- name: get
SELECT * FROM steps WHERE run = :run AND path = :path

-- name: all
SELECT * FROM steps WHERE run = :run ORDER BY started_at, path

-- name: ended
SELECT coalesce(max(number), 0) AS number FROM steps WHERE run = :run

-- name: forget
DELETE FROM steps WHERE run = :run AND path = :path

-- name: answer
UPDATE steps SET answer = :answer WHERE run = :run AND path = :path AND status = 'waiting' AND answer IS NULL

-- name: add_signal
INSERT INTO run_signals (run, number, key, integration, connection, event, scope, at)
SELECT :run, coalesce(max(number), 0) + 1, :key, :integration, :connection, :event, :scope, :now
FROM run_signals WHERE run = :run
ON CONFLICT (run, key) DO NOTHING

-- name: signals
SELECT number, connection, scope FROM run_signals
WHERE run = :run AND integration = :integration AND event = :event AND (taken_by IS NULL OR taken_by = :path)
ORDER BY taken_by IS NULL, number

-- name: take_signal
UPDATE run_signals SET taken_by = :path WHERE run = :run AND number = :number

-- name: rejected
SELECT path, json_extract(note, '$.rejected') AS rejected FROM steps
WHERE run = :run AND json_extract(note, '$.rejected') IS NOT NULL ORDER BY number, path
