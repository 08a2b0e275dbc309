"""Whether channels fall back to others that are there and take notifications."""

from collections.abc import Iterator

from alerts.kinds import KINDS
from stalewatch.config.model import Config
from stalewatch.config.problem import Loc
from stalewatch.config.wording import did_you_mean


def channel_faults(config: Config) -> Iterator[tuple[Loc, str]]:
    """What is wrong with each fallback, and where."""
    for name, channel in config.channels.items():
        if channel.fallback is None:
            continue
        loc, to = ("channels", name, "fallback"), channel.fallback.channel
        if not KINDS[channel.kind].takes_notifications:
            yield loc, f"expected none: a channel of kind {channel.kind} owes nothing"
        elif to not in config.channels:
            guess = did_you_mean(to, config.channels)
            yield (*loc, "channel"), f"no such entry in channels{guess}"
        elif to == name:
            yield (*loc, "channel"), "expected another channel than itself"
        elif not KINDS[config.channels[to].kind].takes_notifications:
            kind = config.channels[to].kind
            yield (*loc, "channel"), f"expected a channel to be told in: {to} is of kind {kind}"
