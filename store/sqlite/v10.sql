-- Version 10: what was documented, and times to live that were found. `document` is canonical JSON, or
-- empty where an entry is documented no more; instants are wall time, Unix nanoseconds. `remaining` is
-- the JSON of freshness.histogram.

CREATE TABLE catalogue (
  seq INTEGER PRIMARY KEY,
  section TEXT NOT NULL,
  name TEXT NOT NULL,
  at_ns INTEGER NOT NULL,
  document TEXT NOT NULL
) STRICT;

CREATE INDEX catalogue_by_entry ON catalogue (section, name, seq);

CREATE TABLE ttl_samples (
  start_s INTEGER NOT NULL,
  keyspace TEXT NOT NULL,
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  remaining TEXT NOT NULL,
  first_ns INTEGER,
  last_ns INTEGER,
  longest_ns INTEGER,
  longest_key TEXT NOT NULL,
  endless_key TEXT NOT NULL,
  PRIMARY KEY (start_s, keyspace, layer, node)
) STRICT, WITHOUT ROWID;
