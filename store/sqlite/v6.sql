-- Version 6: diagnoses. Instants are wall time, Unix nanoseconds. `ruled_out` is a JSON object of the
-- classes that are ruled out and why. The row of a finding is replaced again and again, so that no
-- foreign key can stand here; what has lost its finding is dropped with old findings.

CREATE TABLE diagnoses (
  finding TEXT PRIMARY KEY,
  cause TEXT NOT NULL,
  because TEXT NOT NULL,
  ruled_out TEXT NOT NULL,
  at_ns INTEGER NOT NULL,
  is_settled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX diagnoses_by_time ON diagnoses (at_ns);
CREATE INDEX over_findings ON findings (healed_at_ns, id) WHERE healed_at_ns IS NOT NULL;
