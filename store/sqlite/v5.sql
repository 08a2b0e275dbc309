-- Version 5: sweeps. `nodes` is JSON: what came of each node, and where its walk goes on.

CREATE TABLE sweeps (
  id TEXT PRIMARY KEY,
  keyspace TEXT NOT NULL,
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  state TEXT NOT NULL,
  asked_at_ns INTEGER NOT NULL,
  updated_at_ns INTEGER NOT NULL,
  why TEXT NOT NULL,
  started_at_ns INTEGER,
  ended_at_ns INTEGER,
  expected INTEGER,
  nodes TEXT NOT NULL,
  is_paused INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX sweeps_by_time ON sweeps (asked_at_ns);
