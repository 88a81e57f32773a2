-- name: tune
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 10000;
PRAGMA cache_size = -32768;
PRAGMA temp_store = MEMORY

-- name: found
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL

-- name: version
PRAGMA user_version

-- name: kind
PRAGMA application_id

-- name: journal
PRAGMA journal_mode

-- name: tables
SELECT count(*) FROM sqlite_master

-- name: sync_each
PRAGMA synchronous = FULL

-- name: sync_some
PRAGMA synchronous = NORMAL

-- name: still
BEGIN

-- name: others
PRAGMA data_version
