-- name: get
SELECT outline FROM outlines WHERE digest = :digest

-- name: put
INSERT INTO outlines (digest, outline) VALUES (:digest, :outline)

-- name: forget
DELETE FROM outlines WHERE digest NOT IN (SELECT digest FROM sync_state)
