"""Whether reports go out by mails, and are of owners that there are."""

from collections.abc import Iterator

from alerts.mail import MailOptions
from stalewatch.config.model import Config
from stalewatch.config.problem import Loc
from stalewatch.config.wording import did_you_mean


def report_faults(config: Config) -> Iterator[tuple[Loc, str]]:
    """What is wrong with each, and where."""
    owners = {each.owner for each in config.keyspaces.values() if each.owner}
    for name, report in config.reports.items():
        loc, channel = ("reports", name), report.channel
        if channel is not None and channel not in config.channels:
            guess = did_you_mean(channel, config.channels)
            yield (*loc, "channel"), f"no such entry in channels{guess}"
        elif channel is not None and not isinstance(config.channels[channel], MailOptions):
            kind = config.channels[channel].kind
            yield (*loc, "channel"), f"expected a channel of kind mail: {channel} is of kind {kind}"
        if report.owner and report.owner not in owners:
            guess = did_you_mean(report.owner, owners)
            yield (*loc, "owner"), f"no keyspace has this owner{guess}"
