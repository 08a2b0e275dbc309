-- Version 12: (invalidation, node) pairs, counted by minute (`grain_s` 60) and by hour (3600): what
-- objectives of 28 days read, when the messages themselves are gone. `limit_ns` is the limit that
-- they were counted at, 0 for the maximum staleness of each layer.

CREATE TABLE pair_counts (
  side TEXT NOT NULL,
  limit_ns INTEGER NOT NULL,
  keyspace TEXT NOT NULL,
  grain_s INTEGER NOT NULL,
  start_s INTEGER NOT NULL,
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  good INTEGER NOT NULL,
  bad INTEGER NOT NULL,
  indeterminate INTEGER NOT NULL,
  unknown INTEGER NOT NULL,
  PRIMARY KEY (side, limit_ns, keyspace, grain_s, start_s, layer, node)
) STRICT, WITHOUT ROWID;
