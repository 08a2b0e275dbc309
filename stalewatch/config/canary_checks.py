"""Whether canaries name keyspaces that there are, and each key has one writer."""

from collections.abc import Iterator

from stalewatch.config.model import Config
from stalewatch.config.problem import Loc
from stalewatch.config.wording import did_you_mean


def canary_faults(config: Config) -> Iterator[tuple[Loc, str]]:
    """What is wrong with each canary, and where."""
    written: dict[tuple[str, str], str] = {}
    for name, canary in config.canaries.items():
        loc: Loc = ("canaries", name)
        if canary.keyspace not in config.keyspaces:
            guess = did_you_mean(canary.keyspace, config.keyspaces)
            yield (*loc, "keyspace"), f"no such entry in keyspaces{guess}"
            continue
        keyspace = config.keyspaces[canary.keyspace]
        for at, key in enumerate(canary.keys):
            other = written.setdefault((canary.keyspace, key), name)
            if other != name:
                yield (*loc, "keys", at), f"expected a key that canary {other} does not write"
            if key in keyspace.sample.pinned:
                yield (*loc, "keys", at), "expected a key that is not pinned: canaries are anyway"
