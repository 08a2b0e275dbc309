-- Version 15: minutes that were measured, be it that a node told that it held no copy. Of hours and
-- days that were folded before, those with a judged read are known.

ALTER TABLE cells ADD COLUMN observed INTEGER NOT NULL DEFAULT 0;

UPDATE cells SET observed = clusters WHERE grain_s > 60;

DROP VIEW named_cells;

CREATE VIEW named_cells AS
SELECT cells.grain_s, series.keyspace, series.layer, series.node, series.stratum,
  series.max_staleness_ns, series.definition, cells.start_s, cells.fresh, cells.stale,
  cells.indeterminate, cells.unknown, cells.hits, cells.negatives, cells.misses,
  cells.unreadable, cells.unanswered, cells.clusters, cells.observed, cells.s_lo, cells.s_hi
FROM cells JOIN series ON series.id = cells.series WHERE cells.grain_s > 0;
