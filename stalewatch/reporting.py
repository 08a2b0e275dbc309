"""The reports of a config on the schedule: made when they are due, owed to whom they go to."""

from collections.abc import Mapping, Sequence

import structlog

from alerts.base import Channel
from alerts.report_letter import owe_report
from reports.ask import Subscription
from reports.desk import Desk
from reports.document import ReportDocument
from stalewatch.config.model import Config
from stalewatch.config.objective_specs import make_specs
from stalewatch.config.reports import DEFAULT
from store.alert_book import NotificationRow
from store.base import StoreError

EVERY_S = 60

log = structlog.get_logger()


class Reporting:
    """Call it from worker threads, since it reads the store."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._recipients: Mapping[str, Sequence[str]] = {}

    def begin(self, config: Config, channels: Mapping[str, Channel]) -> None:
        """Go on with the reports of this config."""
        self._recipients = {name: channel.recipients for name, channel in channels.items()}
        begin_desk(self._desk, config)

    def turn(self, now_ns: int) -> None:
        """Make what is due; what the store refuses is logged, and tried again."""
        try:
            made = self._desk.make_due(now_ns, self._owe)
        except StoreError as error:
            log.error("a report cannot be made", why=str(error))
            return
        for row in made:
            log.info("a report is made", report=row.report, week=row.week)

    def _owe(
        self, to: Subscription, document: ReportDocument, now_ns: int
    ) -> Sequence[NotificationRow]:
        recipients = to.to or self._recipients.get(to.channel, ())
        return [owe_report(to.channel, recipients, document, now_ns)] if recipients else []


def begin_desk(desk: Desk, config: Config) -> None:
    """Give a desk the reports and objectives of a config."""
    desk.begin(subscriptions_of(config), make_specs(config))


def subscriptions_of(config: Config) -> list[Subscription]:
    """The reports of a config, or the one that is made where none is declared."""
    declared = [
        Subscription(name, one.time_zone, one.owner, one.at, one.channel or "", one.to)
        for name, one in config.reports.items()
    ]
    return declared or [Subscription(DEFAULT)]
