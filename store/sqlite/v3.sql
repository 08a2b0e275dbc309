-- Version 3: the alert book. Instants are wall time, Unix nanoseconds. `labels` is a JSON object,
-- `evidence` and `recipients` are JSON arrays of text.

CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  labels TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  is_frozen INTEGER NOT NULL,
  value REAL,
  summary TEXT NOT NULL,
  evidence TEXT NOT NULL,
  link TEXT NOT NULL,
  pending_since_ns INTEGER,
  firing_since_ns INTEGER,
  clear_since_ns INTEGER,
  resolved_at_ns INTEGER,
  seen_at_ns INTEGER NOT NULL
) STRICT;

CREATE INDEX open_alerts ON alerts (rule, id) WHERE state IN ('pending', 'firing');
CREATE INDEX resolved_alerts ON alerts (resolved_at_ns, id) WHERE state = 'resolved';
CREATE INDEX closed_alerts ON alerts (seen_at_ns) WHERE state IN ('inactive', 'resolved');

CREATE TABLE transitions (
  id INTEGER PRIMARY KEY,
  alert TEXT NOT NULL,
  at_ns INTEGER NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;

CREATE INDEX transitions_by_time ON transitions (at_ns);
CREATE INDEX transitions_by_alert ON transitions (alert, at_ns);

-- The outbox. A notification is written with the transition that owes it, is leased by whoever
-- delivers it, and is settled: delivered, dead, or owed again at `next_at_ns`.

CREATE TABLE notifications (
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  alert TEXT NOT NULL,
  kind TEXT NOT NULL,
  thread TEXT NOT NULL,
  payload TEXT NOT NULL,
  recipients TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  created_at_ns INTEGER NOT NULL,
  next_at_ns INTEGER NOT NULL,
  leased_until_ns INTEGER,
  delivered_at_ns INTEGER,
  why TEXT NOT NULL
) STRICT;

CREATE INDEX notifications_by_time ON notifications (created_at_ns, id);
CREATE INDEX notifications_by_state ON notifications (state, created_at_ns, id);
CREATE INDEX notifications_by_alert ON notifications (alert, created_at_ns, id);
