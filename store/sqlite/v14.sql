-- Version 14: seconds of copies by minute (`grain_s` 60) and by hour (3600), and of single copies
-- those that were proven stale. `good`, `bad`, `indeterminate` and `unknown` count
-- (copy, minute) pairs, `*_s` seconds; `slices` is the number of minutes with any of them judged.

CREATE TABLE copy_times (
  grain_s INTEGER NOT NULL,
  start_s INTEGER NOT NULL,
  keyspace TEXT NOT NULL,
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  good INTEGER NOT NULL,
  bad INTEGER NOT NULL,
  indeterminate INTEGER NOT NULL,
  unknown INTEGER NOT NULL,
  slices INTEGER NOT NULL,
  good_s REAL NOT NULL,
  bad_s REAL NOT NULL,
  judged_s REAL NOT NULL,
  judged_squares REAL NOT NULL,
  bad_squares REAL NOT NULL,
  PRIMARY KEY (grain_s, start_s, keyspace, layer, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE stale_seconds (
  grain_s INTEGER NOT NULL,
  start_s INTEGER NOT NULL,
  keyspace TEXT NOT NULL,
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  key TEXT NOT NULL,
  stale_s REAL NOT NULL,
  PRIMARY KEY (grain_s, start_s, keyspace, layer, node, key)
) STRICT, WITHOUT ROWID;
