-- With the status, so that whoever looks for those that are under way passes by all that have ended.
DROP INDEX runs_taking_turns;
CREATE INDEX runs_taking_turns ON runs (turns, status) WHERE turns IS NOT NULL;
