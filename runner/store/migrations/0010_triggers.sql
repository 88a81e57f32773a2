-- What a trigger starts is a workflow or a sync.
ALTER TABLE triggers RENAME COLUMN workflow TO name;

-- How many of those that take turns with a run may be under way at once, as its definition says.
ALTER TABLE runs ADD COLUMN turn_limit INTEGER NOT NULL DEFAULT 1;
-- Whether it has its turn: from its first step to its end, also while it waits or lies between two processes.
ALTER TABLE runs ADD COLUMN in_turn INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET in_turn = 1 WHERE turns IS NOT NULL AND status IN ('running', 'waiting');
-- How often it was put off for another try after it had failed.
ALTER TABLE runs ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
