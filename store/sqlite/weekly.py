"""What reports ask: firings from the steps of alerts, deliveries, and proofs of findings."""

import json
import sqlite3
from typing import Final, cast

from store.alert_book import DeliveryState
from store.weekly import FiringRow, ProofRow

# What happened from the end of the window on is left out, so that it is told as it stood then.
FIRINGS: Final = """
WITH steps AS (
  SELECT alert, at_ns, after, lead(at_ns) OVER (PARTITION BY alert ORDER BY at_ns, id) AS left_at_ns
  FROM transitions WHERE at_ns < :until_ns
)
SELECT steps.alert, coalesce(alerts.rule, ''), coalesce(alerts.labels, '{}'),
  coalesce(alerts.summary, ''), steps.at_ns, steps.left_at_ns, acks.at_ns, coalesce(acks.by, '')
FROM steps LEFT JOIN alerts ON alerts.id = steps.alert
  LEFT JOIN acks ON acks.alert = steps.alert AND acks.firing_since_ns = steps.at_ns
    AND acks.at_ns < :until_ns
WHERE steps.after = 'firing' AND coalesce(steps.left_at_ns, :since_ns) >= :since_ns
ORDER BY steps.at_ns, steps.alert
"""

DELIVERIES: Final = """
SELECT channel, state, count(*) FROM notifications
WHERE created_at_ns >= :since_ns AND created_at_ns < :until_ns AND kind <> 'report'
GROUP BY channel, state
"""

PROOFS: Final = """
SELECT findings.id, min(reads.at_ns - reads.lower_ns),
  sum(reads.at_ns >= :since_ns AND reads.stratum = :stratum
    AND reads.lower_ns > coalesce(:limit_ns, reads.max_staleness_ns))
FROM findings CROSS JOIN reads ON reads.finding = findings.id
WHERE findings.opened_at_ns < :until_ns AND coalesce(findings.healed_at_ns, :since_ns) >= :since_ns
  AND reads.verdict = 'stale' AND reads.at_ns < :until_ns
GROUP BY findings.id
"""


def read_firings(connection: sqlite3.Connection, since_ns: int, until_ns: int) -> list[FiringRow]:
    """Oldest first."""
    rows = connection.execute(FIRINGS, {"since_ns": since_ns, "until_ns": until_ns})
    return [
        FiringRow(alert, rule, json.loads(labels), summary, *rest)
        for alert, rule, labels, summary, *rest in rows
    ]


def count_deliveries(
    connection: sqlite3.Connection, since_ns: int, until_ns: int
) -> dict[tuple[str, DeliveryState], int]:
    """By channel and state."""
    rows = connection.execute(DELIVERIES, {"since_ns": since_ns, "until_ns": until_ns})
    return {(channel, cast("DeliveryState", state)): n for channel, state, n in rows}


def read_proofs(
    connection: sqlite3.Connection, since_ns: int, until_ns: int, stratum: str, limit_ns: int | None
) -> list[ProofRow]:
    """One a finding."""
    asked = {"since_ns": since_ns, "until_ns": until_ns, "stratum": stratum, "limit_ns": limit_ns}
    return [ProofRow(*row) for row in connection.execute(PROOFS, asked)]
