-- name: reached
SELECT pruned, max(pruned, pruned_deleted) AS pruned_deleted FROM streams WHERE number = :stream

-- name: behind
SELECT cursor, changed_at FROM records INDEXED BY records_by_cursor
WHERE stream = :stream AND cursor > :after AND cursor <= :until ORDER BY cursor LIMIT :limit

-- name: prune
UPDATE records INDEXED BY records_by_cursor SET payload = x'', pruned_at = :now
WHERE stream = :stream AND cursor > :after AND cursor <= :until AND pruned_at IS NULL

-- name: prune_deleted
UPDATE records INDEXED BY records_by_cursor SET payload = x'', pruned_at = :now
WHERE stream = :stream AND cursor > :after AND cursor <= :until AND pruned_at IS NULL AND state = 2

-- name: reach
UPDATE streams SET pruned = :until WHERE number = :stream

-- name: reach_deleted
UPDATE streams SET pruned_deleted = :until WHERE number = :stream
