-- Version 7: counters of nodes, by minute (`grain_s` 60) and by hour (3600). Counts are NULL where
-- the node does not tell them, and add; the gauges are those of the last look, at `last_at_ns`
-- (wall time, Unix nanoseconds). `own_*` is the part of Stalewatch's own reads, with its bounds.

CREATE TABLE counters (
  grain_s INTEGER NOT NULL,
  start_s INTEGER NOT NULL,
  place INTEGER NOT NULL REFERENCES places (id),
  source TEXT NOT NULL,
  covered_ns INTEGER NOT NULL,
  answered INTEGER NOT NULL,
  unanswered INTEGER NOT NULL,
  restarts INTEGER NOT NULL,
  hits INTEGER,
  misses INTEGER,
  own_hits_least INTEGER NOT NULL,
  own_hits INTEGER NOT NULL,
  own_hits_most INTEGER NOT NULL,
  own_misses_least INTEGER NOT NULL,
  own_misses INTEGER NOT NULL,
  own_misses_most INTEGER NOT NULL,
  evictions INTEGER,
  expirations INTEGER,
  invalidations INTEGER,
  requests INTEGER,
  request_us INTEGER,
  memory_bytes INTEGER,
  memory_limit_bytes INTEGER,
  items INTEGER,
  last_at_ns INTEGER NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (grain_s, start_s, place, source)
) STRICT, WITHOUT ROWID;

CREATE VIEW named_counters AS
SELECT grain_s, start_s, layer, node, source, covered_ns, answered, unanswered, restarts, hits,
  misses, own_hits, own_misses, evictions, expirations, invalidations, requests, request_us,
  memory_bytes, memory_limit_bytes, items, last_at_ns, why
FROM counters JOIN places ON places.id = counters.place;
