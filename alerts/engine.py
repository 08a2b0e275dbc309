"""Looks at every rule, steps every alert, and writes what came of it in one transaction."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from alerts.base import ToldAlert
from alerts.chart import Chart
from alerts.groups import Muted
from alerts.illustrating import illustrate
from alerts.inhibition import Suspect, find_inhibitions, in_words
from alerts.look import Condition, Look
from alerts.notices import Audience, Tellable, owed
from alerts.rules import Rule
from alerts.state import Timing, new_alert, step
from store.alert_book import AlertRow, TransitionRow
from store.base import Store
from store.matching import ack_of, silences_over
from store.silences import AckRow, SilenceRow


@dataclass(frozen=True, slots=True)
class _Stepped:
    """One alert after a look, and its transition, if it made one."""

    alert: AlertRow
    look: Look
    transition: TransitionRow | None


class Engine:
    """The alerts of one set of rules, over a store. Not safe to call from two threads at once.

    `audiences` has whom each channel tells, and how. Alerts and groups that an earlier process left
    go on; alerts whose rule is no longer there are resolved. Silences and acknowledgements are read
    anew at each look, since others write them. Raises StoreError where the store cannot be read.
    """

    def __init__(
        self, store: Store, rules: Sequence[Rule], audiences: Mapping[str, Audience]
    ) -> None:
        self._store = store
        self._rules = {rule.name: rule for rule in rules}
        self._audiences = audiences
        self._alerts = {row.id: row for row in store.alerts()}
        self._groups = {row.id: row for row in store.groups()}

    def evaluate(self, now_ns: int) -> Sequence[TransitionRow]:
        """Look at everything once; the transitions, oldest first.

        Raises StoreError, and then nothing has changed: the next call makes the same steps.
        """
        silences, acks = self._store.silences(now_ns), self._store.acks()
        stepped = self._explained(
            [
                _Stepped(*_pair(alert, look, self._timing(alert.rule), now_ns))
                for alert, look in self._looks(now_ns)
            ]
        )
        alerts = {each.alert.id: each.alert for each in stepped if not _has_left(each)}
        transitions = [each.transition for each in stepped if each.transition]
        tellables = [self._tellable(each, silences, acks, now_ns) for each in stepped]
        owes = owed(tellables, self._audiences, self._groups.values(), now_ns)
        changed = [row for row in alerts.values() if _is_news(self._alerts.get(row.id), row)]
        if changed or transitions or owes.notifications or owes.changed or owes.over:
            told = illustrate(owes.notifications, lambda each: self._chart(each, now_ns))
            self._store.write_alerts(changed, transitions, told, owes.changed, owes.over)
        self._alerts = alerts
        kept = {id: row for id, row in self._groups.items() if id not in owes.over}
        self._groups = kept | {row.id: row for row in owes.changed}
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

    def _channels(self, rule: str) -> Sequence[str]:
        known = self._rules.get(rule)
        return known.channels if known and known.mode == "notify" else ()

    def _chart(self, told: ToldAlert, now_ns: int) -> Chart | None:
        rule = self._rules.get(told.rule)
        return rule.chart(self._store, told.labels, now_ns) if rule else None

    def _explained(self, stepped: Sequence[_Stepped]) -> Sequence[_Stepped]:
        """With the greater fault that explains each, if one does."""
        sources = find_inhibitions(self._suspect(each.alert) for each in stepped)
        explained = []
        for each in stepped:
            source = sources.get(each.alert.id)
            by = in_words(source) if source else _explained_by(each.look)
            explained.append(replace(each, alert=replace(each.alert, inhibited_by=by)))
        return explained

    def _suspect(self, alert: AlertRow) -> Suspect:
        rule = self._rules.get(alert.rule)
        is_told = alert.state == "firing" and bool(self._channels(alert.rule))
        kind, inhibits = (rule.kind, rule.inhibits) if rule else ("", ())
        return Suspect(alert.id, alert.rule, kind, alert.labels, is_told, inhibits)

    def _tellable(
        self,
        each: _Stepped,
        silences: Sequence[SilenceRow],
        acks: Sequence[AckRow],
        now_ns: int,
    ) -> Tellable:
        alert = each.alert
        muted = None
        if silences_over(alert, silences, now_ns):
            muted = Muted.SILENCED
        elif alert.inhibited_by:
            muted = Muted.INHIBITED
        elif alert.is_frozen:
            muted = Muted.FROZEN
        is_acknowledged = ack_of(alert, acks) is not None
        return Tellable(alert, each.look, self._channels(alert.rule), muted, is_acknowledged)


def alert_id(rule: str, labels: Mapping[str, str]) -> str:
    """The id of an alert: the same for the same rule and labels, for ever."""
    said = json.dumps([rule, dict(labels)], sort_keys=True)
    return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()


def _pair(
    alert: AlertRow, look: Look, timing: Timing, now_ns: int
) -> tuple[AlertRow, Look, TransitionRow | None]:
    after, transition = step(alert, look, timing, now_ns)
    return after, look, transition


def _explained_by(look: Look) -> str:
    """What a rule says explains what it saw, by itself: the node does not answer."""
    if not look.is_inhibited:
        return ""
    where = "/".join(look.labels[name] for name in ("layer", "node") if name in look.labels)
    return f"{where} does not answer"


def _has_left(each: _Stepped) -> bool:
    """Whether nobody needs an alert any more: what is gone, and was nothing of late."""
    is_over = each.alert.state == "inactive" and each.look.condition is Condition.GONE
    return is_over and each.transition is None


def _is_news(before: AlertRow | None, after: AlertRow) -> bool:
    """Whether a row is written: its clocks need each look, once they run."""
    if after.state in ("pending", "firing"):
        return True
    if before is None or before.state == after.state == "inactive":
        return after.state != "inactive"
    return after != replace(before, link=after.link, seen_at_ns=after.seen_at_ns)
