-- Version 9: what a node is beside the others of its layer. One that holds a share of the keys need not
-- hear every message; behind a pool many caches answer as one.

ALTER TABLE nodes ADD COLUMN hears_all INTEGER NOT NULL DEFAULT 1;
ALTER TABLE nodes ADD COLUMN is_pool INTEGER NOT NULL DEFAULT 0;
