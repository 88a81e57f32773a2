-- name: make
CREATE OR REPLACE TABLE {table} ({columns})

-- name: fill
INSERT INTO {table} SELECT * FROM rows_to_write
