-- Version 13: reports that were made, one a report and week; `document` is JSON.

CREATE TABLE report_runs (
  report TEXT NOT NULL,
  week TEXT NOT NULL,
  since_s INTEGER NOT NULL,
  until_s INTEGER NOT NULL,
  made_at_ns INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (report, week)
) STRICT;

CREATE INDEX report_runs_by_week ON report_runs (since_s, report);
