-- Version 8: when sources of invalidations could not be heard, and where each was left. Instants are
-- wall time, Unix nanoseconds; a gap without an end goes on.

CREATE TABLE gaps (
  source TEXT NOT NULL,
  since_ns INTEGER NOT NULL,
  until_ns INTEGER,
  why TEXT NOT NULL,
  PRIMARY KEY (source, since_ns)
) STRICT;

CREATE INDEX gaps_by_time ON gaps (since_ns);
CREATE INDEX gaps_by_end ON gaps (until_ns);

CREATE TABLE places_left (
  source TEXT PRIMARY KEY,
  about TEXT NOT NULL,
  position TEXT NOT NULL,
  sure_until_ns INTEGER NOT NULL
) STRICT;
