-- What the org keeps beside its records. Names begin with an underscore, which no object's name does.

CREATE TABLE IF NOT EXISTS _settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS _clients (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    label TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,   -- one a line
    scopes TEXT NOT NULL,          -- parted by spaces
    public_key TEXT                -- PEM: proves a JWT bearer assertion
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS _logins (
    username TEXT PRIMARY KEY COLLATE NOCASE,
    password TEXT NOT NULL,
    user_id TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS _codes (
    digest TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL,
    challenge TEXT,
    expires_at REAL NOT NULL,
    nonce TEXT
) WITHOUT ROWID;

-- Access and refresh tokens of one authorisation share its grant_id; only their SHA-256 is kept.
CREATE TABLE IF NOT EXISTS _tokens (
    digest TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('access', 'refresh')),
    grant_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    issued_at REAL NOT NULL,
    expires_at REAL                -- null: until it is revoked
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS _tokens_by_grant ON _tokens (grant_id);

-- Refresh tokens in whose place others came: who uses one again has stolen it, or was stolen from.
CREATE TABLE IF NOT EXISTS _rotated (
    digest TEXT PRIMARY KEY,
    grant_id TEXT NOT NULL
) WITHOUT ROWID;

-- Devices that wait for somebody to enter their user code.
CREATE TABLE IF NOT EXISTS _devices (
    digest TEXT PRIMARY KEY,       -- of the device code
    user_code TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    user_id TEXT,                  -- who allowed it
    denied INTEGER NOT NULL DEFAULT 0,
    expires_at REAL NOT NULL,
    asked_at REAL NOT NULL         -- when the device asked last
) WITHOUT ROWID;

-- The highest number of a record of each object that was erased, so that no other record gets its id.
CREATE TABLE IF NOT EXISTS _erased (
    object TEXT PRIMARY KEY,
    n INTEGER NOT NULL
) WITHOUT ROWID;

-- Bulk jobs and their batches, in the order in which they were made; the body is JSON.
CREATE TABLE IF NOT EXISTS _bulk_jobs (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS _bulk_batches (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job_id TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS _bulk_batches_by_job ON _bulk_batches (job_id, n);

-- What each user viewed or was led to; ``seen`` counts up, so the latest has the highest.
CREATE TABLE IF NOT EXISTS _recents (
    user_id TEXT NOT NULL,
    object TEXT NOT NULL,
    record_id TEXT NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (user_id, record_id)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS _recents_by_time ON _recents (user_id, seen);

-- Records that were written in transactions which commit late; the body is a JSON list of the columns.
CREATE TABLE IF NOT EXISTS _late (
    object TEXT NOT NULL,
    n INTEGER NOT NULL,
    due REAL NOT NULL,             -- seconds since 1970
    body TEXT NOT NULL
);
