"""Looks at every rule, steps every alert, and writes what came of it in one transaction."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from alerts.look import Condition, Look
from alerts.notices import Told, owed
from alerts.rules import Rule
from alerts.state import Timing, new_alert, step
from store.alert_book import AlertRow, NotificationRow, TransitionRow
from store.base import Store


class Engine:
    """The alerts of one set of rules, over a store. Not safe to call from two threads at once.

    `recipients` has whom each channel tells. Alerts that an earlier process left go on; those whose
    rule is no longer there are resolved. Raises StoreError where the store cannot be read.
    """

    def __init__(
        self, store: Store, rules: Sequence[Rule], recipients: Mapping[str, Sequence[str]]
    ) -> None:
        self._store = store
        self._rules = {rule.name: rule for rule in rules}
        self._recipients = recipients
        self._alerts = {row.id: row for row in store.alerts()}
        self._told: dict[str, Told] = {}

    def evaluate(self, now_ns: int) -> Sequence[TransitionRow]:
        """Look at everything once; the transitions, oldest first.

        Raises StoreError, and then nothing has changed: the next call makes the same steps.
        """
        alerts: dict[str, AlertRow] = {}
        transitions: list[TransitionRow] = []
        notices: list[NotificationRow] = []
        for alert, look in self._looks(now_ns):
            after, transition = step(alert, look, self._timing(alert.rule), now_ns)
            transitions += [transition] if transition else []
            notices += self._owed(after, look, now_ns)
            is_over = after.state == "inactive" and look.condition is Condition.GONE
            if transition or not is_over:
                alerts[after.id] = after
        changed = [row for row in alerts.values() if _is_news(self._alerts.get(row.id), row)]
        if changed or transitions or notices:
            self._store.write_alerts(changed, transitions, notices)
        self._alerts = alerts
        self._note_told(notices)
        return transitions

    def _looks(self, now_ns: int) -> Iterator[tuple[AlertRow, Look]]:
        """Each alert with what its rule sees; one that no rule looks at any more is gone."""
        seen = set()
        for rule in self._rules.values():
            for look in rule.look(self._store, now_ns):
                id = alert_id(rule.name, look.labels)
                seen.add(id)
                yield self._alerts.get(id) or new_alert(id, rule.name, look, now_ns), look
        for id, alert in self._alerts.items():
            if id not in seen:
                summary = "no longer watched: it left the config, or discovery lists it no more"
                yield alert, Look(alert.labels, Condition.GONE, summary, link=alert.link)

    def _timing(self, rule: str) -> Timing:
        known = self._rules.get(rule)
        return known.timing if known else Timing()

    def _owed(self, alert: AlertRow, look: Look, now_ns: int) -> list[NotificationRow]:
        if alert.state not in ("firing", "resolved"):
            return []
        if alert.id not in self._told:
            self._told[alert.id] = Told().with_rows(self._store.notifications(alert.id))
        rule = self._rules.get(alert.rule)
        channels = rule.channels if rule and rule.mode == "notify" else ()
        return owed(alert, look, channels, self._told[alert.id], self._recipients, now_ns)

    def _note_told(self, notices: Sequence[NotificationRow]) -> None:
        for row in notices:
            self._told[row.alert] = self._told[row.alert].with_rows([row])
        open_ids = {id for id, row in self._alerts.items() if row.state in ("firing", "resolved")}
        self._told = {id: told for id, told in self._told.items() if id in open_ids}


def alert_id(rule: str, labels: Mapping[str, str]) -> str:
    """The id of an alert: the same for the same rule and labels, for ever."""
    said = json.dumps([rule, dict(labels)], sort_keys=True)
    return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()


def _is_news(before: AlertRow | None, after: AlertRow) -> bool:
    """Whether a row is written: its clocks need each look, once they run."""
    if after.state in ("pending", "firing"):
        return True
    if before is None or before.state == after.state == "inactive":
        return after.state != "inactive"
    return after != replace(before, link=after.link, seen_at_ns=after.seen_at_ns)
