-- Version 4: event-triggered checks, counted. `outcomes` is JSON: outcome → [checks, sum of weights];
-- `late` is the JSON of freshness.histogram: how late they were read, nanoseconds.

CREATE TABLE checks (
  start_s INTEGER NOT NULL,
  keyspace TEXT NOT NULL,
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  horizon_ns INTEGER NOT NULL,
  outcomes TEXT NOT NULL,
  late TEXT NOT NULL,
  PRIMARY KEY (start_s, keyspace, layer, node, horizon_ns)
) STRICT, WITHOUT ROWID;
