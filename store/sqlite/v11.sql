-- Version 11: alerts are told in groups; silences and acknowledgements. Instants are wall time, Unix
-- nanoseconds. `labels`, `told` and `alerts` are JSON: `told` is {alert: [firing_since_ns, payload]}.

ALTER TABLE alerts ADD COLUMN inhibited_by TEXT NOT NULL DEFAULT '';

CREATE TABLE alert_groups (
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  labels TEXT NOT NULL,
  began_at_ns INTEGER NOT NULL,
  told_at_ns INTEGER,
  times INTEGER NOT NULL,
  thread TEXT NOT NULL,
  told TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What fires and was told by an earlier version is a group by rule, in the thread that it has.

INSERT INTO alert_groups
SELECT json_array(channel, json_object('rule', rule)), channel, json_object('rule', rule),
  min(created_at_ns), max(created_at_ns), count(*), min(thread),
  json_group_object(alert, json_array(firing_since_ns, payload))
FROM (
  SELECT notifications.channel, alerts.rule, notifications.alert, notifications.created_at_ns,
    notifications.thread, alerts.firing_since_ns, notifications.payload
  FROM notifications JOIN alerts ON alerts.id = notifications.alert
  WHERE notifications.kind = 'firing' AND alerts.state = 'firing'
    AND notifications.created_at_ns >= alerts.firing_since_ns
)
GROUP BY channel, rule;

-- A notification tells of several alerts.

CREATE TABLE told_alerts (
  alert TEXT NOT NULL,
  created_at_ns INTEGER NOT NULL,
  notification TEXT NOT NULL,
  PRIMARY KEY (alert, created_at_ns, notification)
) STRICT, WITHOUT ROWID;

CREATE INDEX told_alerts_by_time ON told_alerts (created_at_ns);

INSERT INTO told_alerts SELECT alert, created_at_ns, id FROM notifications;

ALTER TABLE notifications ADD COLUMN alerts TEXT NOT NULL DEFAULT '[]';
UPDATE notifications SET alerts = json_array(alert);
DROP INDEX notifications_by_alert;
ALTER TABLE notifications DROP COLUMN alert;

CREATE TABLE silences (
  id TEXT PRIMARY KEY,
  matchers TEXT NOT NULL,
  creator TEXT NOT NULL,
  comment TEXT NOT NULL,
  starts_at_ns INTEGER NOT NULL,
  ends_at_ns INTEGER NOT NULL,
  created_at_ns INTEGER NOT NULL
) STRICT;

CREATE INDEX silences_by_end ON silences (ends_at_ns);

CREATE TABLE acks (
  alert TEXT NOT NULL,
  firing_since_ns INTEGER NOT NULL,
  by TEXT NOT NULL,
  comment TEXT NOT NULL,
  at_ns INTEGER NOT NULL,
  PRIMARY KEY (alert, firing_since_ns)
) STRICT, WITHOUT ROWID;

CREATE INDEX acks_by_time ON acks (at_ns);
