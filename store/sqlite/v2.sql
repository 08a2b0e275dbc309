-- Version 2: invalidations and receipts. Ids of traces and spans are the bytes of their hexadecimal,
-- null where unknown. Names stand in the rows, not in dictionaries: they come from outside, and are
-- to go with the rows. Integers that may be beyond 64 bits stand as in version 1.

CREATE TABLE invalidations (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  keyspace TEXT NOT NULL,
  scope TEXT NOT NULL,
  keys TEXT NOT NULL,
  version ANY,
  version_text TEXT NOT NULL,
  publisher TEXT NOT NULL,
  stream TEXT NOT NULL,
  sequence ANY,
  written_at_ns INTEGER NOT NULL,
  received_at_ns INTEGER NOT NULL,
  host TEXT NOT NULL,
  trace_id BLOB,
  span_id BLOB
) STRICT;

-- Rows of one instant follow `seq`, which every index carries: a cursor needs no more.
CREATE INDEX invalidations_by_time ON invalidations (received_at_ns);
CREATE INDEX invalidations_by_keyspace ON invalidations (keyspace, received_at_ns);
CREATE UNIQUE INDEX invalidations_by_span ON invalidations (trace_id, span_id)
  WHERE span_id IS NOT NULL;

-- What finds the invalidations of a key, newest first; `keys` of an invalidation has them in order.

CREATE TABLE invalidation_keys (
  key TEXT NOT NULL,
  keyspace TEXT NOT NULL,
  received_at_ns INTEGER NOT NULL,
  invalidation INTEGER NOT NULL,
  PRIMARY KEY (key, keyspace, received_at_ns, invalidation)
) STRICT, WITHOUT ROWID;

-- `invalidation` is the id that a receipt names, null where it names none. It may come before the
-- invalidation or without it, so nothing is resolved as it is written.

CREATE TABLE receipts (
  seq INTEGER PRIMARY KEY,
  invalidation TEXT,
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  outcome TEXT NOT NULL,
  at_ns INTEGER NOT NULL,
  received_at_ns INTEGER NOT NULL,
  is_known INTEGER NOT NULL,
  publisher TEXT NOT NULL,
  stream TEXT NOT NULL,
  sequence ANY,
  host TEXT NOT NULL,
  trace_id BLOB,
  span_id BLOB,
  parent_span_id BLOB
) STRICT;

CREATE INDEX receipts_by_time ON receipts (received_at_ns);
-- A span says one thing of an invalidation. What finds the receipts of one keeps that too: inserting
-- at random places is most of what a receipt costs, so there is one such index a row.
CREATE UNIQUE INDEX receipts_by_invalidation ON receipts (invalidation, span_id, trace_id)
  WHERE invalidation IS NOT NULL;
CREATE UNIQUE INDEX receipts_by_span ON receipts (trace_id, span_id)
  WHERE invalidation IS NULL AND span_id IS NOT NULL;
CREATE INDEX receipts_by_parent ON receipts (trace_id, parent_span_id)
  WHERE invalidation IS NULL AND parent_span_id IS NOT NULL;
-- Those that no span carried are the same where they say the same.
CREATE UNIQUE INDEX receipts_without_span
  ON receipts (layer, node, at_ns, outcome, coalesce(invalidation, '')) WHERE span_id IS NULL;

CREATE TABLE receipt_links (
  receipt INTEGER NOT NULL REFERENCES receipts ON DELETE CASCADE,
  position INTEGER NOT NULL,
  trace_id BLOB,
  span_id BLOB,
  PRIMARY KEY (receipt, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipt_links_by_span ON receipt_links (trace_id, span_id);
