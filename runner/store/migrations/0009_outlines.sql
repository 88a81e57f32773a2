-- What a sync's definition said when it stored what is there: the parts that its digest is made of, as JSON.
CREATE TABLE outlines (
  digest TEXT PRIMARY KEY,
  outline TEXT NOT NULL
) WITHOUT ROWID;
