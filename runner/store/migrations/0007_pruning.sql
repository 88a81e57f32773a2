-- The cursor up to which the payload of every record is pruned, and of every deleted record.
ALTER TABLE streams ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE streams ADD COLUMN pruned_deleted INTEGER NOT NULL DEFAULT 0;
