-- Version 1. Stamps are nanoseconds of the clock in `clock`; wall time = stamp + wall_offset_ns.
-- Columns of type ANY hold integers; those beyond 64 bits are decimal text. `absent` is null where
-- a reading carried no value at all.

CREATE TABLE meta (
  revision INTEGER NOT NULL,
  app_version TEXT NOT NULL,
  retained_key INTEGER NOT NULL
) STRICT;

INSERT INTO meta VALUES (0, '', 0);

-- Dictionaries: a name is stored once, rows of facts hold small integers.

CREATE TABLE clocks (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  wall_offset_ns INTEGER NOT NULL,
  opened_at_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE keyspaces (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE places (
  id INTEGER PRIMARY KEY,
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  UNIQUE (layer, node)
) STRICT;

CREATE TABLE keys (
  id INTEGER PRIMARY KEY,
  keyspace INTEGER NOT NULL REFERENCES keyspaces,
  key TEXT NOT NULL,
  UNIQUE (keyspace, key)
) STRICT;

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  keyspace TEXT NOT NULL,
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  stratum TEXT NOT NULL,
  max_staleness_ns INTEGER NOT NULL,
  definition TEXT NOT NULL,
  UNIQUE (keyspace, layer, node, stratum, max_staleness_ns, definition)
) STRICT;

-- Facts. What extends a run is in no index, so that extending many touches their pages alone.

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  key INTEGER NOT NULL REFERENCES keys,
  place INTEGER NOT NULL REFERENCES places,
  clock INTEGER NOT NULL REFERENCES clocks,
  result TEXT NOT NULL,
  version ANY,
  projection TEXT,
  absent INTEGER,
  first_start_ns INTEGER NOT NULL,
  first_end_ns INTEGER NOT NULL,
  last_start_ns INTEGER NOT NULL,
  last_end_ns INTEGER NOT NULL,
  count INTEGER NOT NULL,
  linearizable INTEGER NOT NULL,
  ended_by TEXT NOT NULL
) STRICT;

CREATE INDEX runs_by_key ON runs (key, place, clock, first_start_ns);

CREATE TABLE newest_origin_runs (key INTEGER PRIMARY KEY, run INTEGER NOT NULL) STRICT;

CREATE TABLE reads (
  id INTEGER PRIMARY KEY,
  keyspace INTEGER NOT NULL REFERENCES keyspaces,
  key INTEGER NOT NULL REFERENCES keys,
  place INTEGER NOT NULL REFERENCES places,
  clock INTEGER NOT NULL REFERENCES clocks,
  at_ns INTEGER NOT NULL,
  start_ns INTEGER NOT NULL,
  end_ns INTEGER NOT NULL,
  result TEXT NOT NULL,
  version ANY,
  projection TEXT,
  absent INTEGER,
  why TEXT NOT NULL,
  stratum TEXT NOT NULL,
  verdict TEXT NOT NULL,
  reason TEXT NOT NULL,
  max_staleness_ns INTEGER NOT NULL,
  lower_ns INTEGER NOT NULL,
  upper_ns INTEGER,
  behind_lower ANY NOT NULL,
  behind_upper ANY,
  ttl_s REAL,
  age_s REAL,
  filled INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  finding TEXT
) STRICT;

CREATE INDEX reads_by_time ON reads (at_ns);
CREATE INDEX reads_by_keyspace ON reads (keyspace, at_ns);
CREATE INDEX reads_by_key ON reads (key, at_ns);
CREATE INDEX reads_by_finding ON reads (finding, at_ns) WHERE finding IS NOT NULL;

CREATE TABLE findings (
  id TEXT PRIMARY KEY,
  keyspace TEXT NOT NULL,
  key TEXT NOT NULL,
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  region TEXT NOT NULL,
  state TEXT NOT NULL,
  held_version ANY,
  held_projection TEXT,
  held_absent INTEGER NOT NULL,
  latest_version ANY,
  latest_projection TEXT,
  latest_absent INTEGER NOT NULL,
  max_staleness_ns INTEGER NOT NULL,
  lower_ns INTEGER NOT NULL,
  upper_ns INTEGER,
  opened_at_ns INTEGER NOT NULL,
  confirmed_at_ns INTEGER,
  healed_at_ns INTEGER,
  cause TEXT NOT NULL,
  because TEXT NOT NULL,
  ruled_out TEXT NOT NULL,
  evidence TEXT NOT NULL
) STRICT;

CREATE INDEX findings_by_time ON findings (opened_at_ns, id);
CREATE INDEX findings_by_key ON findings (keyspace, key, opened_at_ns, id);
CREATE INDEX open_findings ON findings (opened_at_ns, id) WHERE state IN ('opened', 'confirmed');

CREATE TABLE nodes (
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  region TEXT NOT NULL,
  kind TEXT NOT NULL,
  address TEXT NOT NULL,
  mechanism TEXT NOT NULL,
  max_staleness_ns INTEGER NOT NULL,
  state TEXT NOT NULL,
  why TEXT NOT NULL,
  identity TEXT NOT NULL,
  since_at_ns INTEGER NOT NULL,
  answered_at_ns INTEGER,
  PRIMARY KEY (layer, node)
) STRICT, WITHOUT ROWID;

-- Roll-ups. Histograms are the JSON of freshness.histogram. Time comes first in the key: a batch
-- writes neighbouring rows, and a page about some hours reads neighbouring rows. Under grain 0 stand
-- minutes that changed since hours and days were folded, as these already contain them.

CREATE TABLE cells (
  grain_s INTEGER NOT NULL,
  start_s INTEGER NOT NULL,
  series INTEGER NOT NULL REFERENCES series,
  fresh INTEGER NOT NULL,
  fresh_weight REAL NOT NULL,
  fresh_weight_squares REAL NOT NULL,
  stale INTEGER NOT NULL,
  stale_weight REAL NOT NULL,
  stale_weight_squares REAL NOT NULL,
  indeterminate INTEGER NOT NULL,
  indeterminate_weight REAL NOT NULL,
  indeterminate_weight_squares REAL NOT NULL,
  unknown INTEGER NOT NULL,
  unknown_weight REAL NOT NULL,
  unknown_weight_squares REAL NOT NULL,
  hits INTEGER NOT NULL,
  negatives INTEGER NOT NULL,
  misses INTEGER NOT NULL,
  unreadable INTEGER NOT NULL,
  unanswered INTEGER NOT NULL,
  clusters INTEGER NOT NULL,
  s_lo TEXT NOT NULL,
  s_hi TEXT NOT NULL,
  PRIMARY KEY (grain_s, start_s, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE horizons (grain_s INTEGER PRIMARY KEY, kept_from_s INTEGER NOT NULL) STRICT;

INSERT INTO horizons VALUES (60, -9223372036854775808), (3600, -9223372036854775808),
  (86400, -9223372036854775808);

-- For people: facts with names, and with wall time.

CREATE VIEW named_runs AS
SELECT runs.id, keyspaces.name AS keyspace, keys.key, places.layer, places.node, runs.result,
  runs.version, runs.projection, runs.absent, runs.count, runs.ended_by,
  runs.first_start_ns + clocks.wall_offset_ns AS first_at_ns,
  runs.last_end_ns + clocks.wall_offset_ns AS last_at_ns
FROM runs JOIN keys ON keys.id = runs.key JOIN keyspaces ON keyspaces.id = keys.keyspace
JOIN places ON places.id = runs.place JOIN clocks ON clocks.id = runs.clock;

CREATE VIEW named_reads AS
SELECT reads.id, keyspaces.name AS keyspace, keys.key, places.layer, places.node, reads.at_ns,
  reads.result, reads.version, reads.projection, reads.absent, reads.why, reads.stratum,
  reads.verdict, reads.reason, reads.max_staleness_ns, reads.lower_ns, reads.upper_ns,
  reads.finding, reads.evidence
FROM reads JOIN keys ON keys.id = reads.key JOIN keyspaces ON keyspaces.id = reads.keyspace
JOIN places ON places.id = reads.place;

CREATE VIEW named_cells AS
SELECT cells.grain_s, series.keyspace, series.layer, series.node, series.stratum,
  series.max_staleness_ns, series.definition, cells.start_s, cells.fresh, cells.stale,
  cells.indeterminate, cells.unknown, cells.hits, cells.negatives, cells.misses,
  cells.unreadable, cells.unanswered, cells.clusters, cells.s_lo, cells.s_hi
FROM cells JOIN series ON series.id = cells.series WHERE cells.grain_s > 0;
