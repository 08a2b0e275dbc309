-- Version 9: whether many caches answer as one node, so that nothing is said of it as a whole.

ALTER TABLE nodes ADD COLUMN is_pool INTEGER NOT NULL DEFAULT 0;
