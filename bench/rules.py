"""Each kind of rule: the fault that fires it, the mail that tells it, and a silent control.

    python -m bench.rules [--control 6] [--seed 1] [--only r-lag,r-drift]

Runs the shop, with a real mail server, and `up` on it with a rule of each kind that mails. First
nothing is injected for so many minutes, in which no rule but the watchdog may fire. Then each fault
strikes by itself until its rule has fired and its mail has come, or its time is over.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis

from lab.start import Lab, LabError, start_lab
from tests.e2e.running import Up

NS: Final = 10**9
LOOK_S: Final = 1.0
SETTLES_S: Final = 20.0
ROOM_S: Final = 200.0
RULES: Final = """rules:
  r-staleness: {kind: staleness, layer: regional, channels: [inbox]}
  r-lag: {kind: propagation-lag, layer: app, limit: 1s, window: 2m, channels: [inbox]}
  r-silent: {kind: silent, layer: app, window: 1m, least: 3, channels: [inbox]}
  r-gap: {kind: sequence-gap, channels: [inbox]}
  r-drift: {kind: drift, layer: regional, window: 1m, channels: [inbox]}
  r-config: {kind: config-drift, layer: regional, channels: [inbox]}
  r-hits: {kind: hit-rate, layer: regional, below: 25%, window: 2m, channels: [inbox]}
  r-burn: {kind: burn-rate, objective: quick, channels: [inbox]}
  r-away: {kind: unreachable, for: 10s, channels: [inbox]}
  r-lost: {kind: measurement-lost, channels: [inbox]}
  r-watchdog: {kind: watchdog, channels: [inbox]}
"""
OBJECTIVE: Final = """objectives:
  quick: {keyspace: product, layer: regional, target: 99%, window: 1h, alerting: {correlation: 0, \
spent: 100%, windows: [{long: 4m, short: 2m, burn: 1}]}}
"""
EMPTIED: Final = "regional Redis emptied"
PAUSED: Final = "regional Redis that answers nobody"


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule, and what is to fire it: a fault of the lab at these nodes, for so long at most."""

    rule: str
    kind: str
    fault: str
    nodes: Sequence[str]
    lasts_s: float


TRIALS: Final = (
    Trial("r-staleness", "staleness", "lost_invalidation", ["eu-redis-1"], 30),
    Trial("r-away", "unreachable", PAUSED, ["eu-redis-1"], 40),
    Trial("r-lost", "measurement-lost", PAUSED, ["eu-redis-1", "us-redis-1"], 60),
    Trial("r-gap", "sequence-gap", "lost_invalidation", ["eu-app-1"], 90),
    Trial("r-lag", "propagation-lag", "late_invalidation", ["us-app-1"], 90),
    Trial("r-silent", "silent", "deaf_subscriber", ["eu-app-2"], 180),
    Trial("r-drift", "drift", "lost_invalidation", ["us-redis-1"], 150),
    Trial("r-hits", "hit-rate", EMPTIED, ["eu-redis-1"], 180),
    Trial("r-burn", "burn-rate", "partitioned_node", ["eu-redis-1"], 300),
    Trial("r-config", "config-drift", "wrong_ttl", ["us-redis-1"], 240),
)


def main() -> int:
    """The control, then every trial; 1 where a rule was wrong in either."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--control", type=float, default=6.0, metavar="MINUTES")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="RULES", help="by name, with commas between them")
    args = parser.parse_args()
    wanted = None if args.only is None else args.only.split(",")
    trials = [trial for trial in TRIALS if wanted is None or trial.rule in wanted]
    with (
        tempfile.TemporaryDirectory(prefix="stalewatch-bench-") as folder,
        start_lab(Path(folder) / "lab", args.seed, faults=False) as lab,
    ):
        watch_by_every_kind(lab.config)
        with Up(lab.config) as up:
            up.ready()
            time.sleep(args.control * 60)
            silent = control_fired(up, lab)
            results = [try_one(trial, up, lab) for trial in trials]
            up.end()
    tell(results, silent, args.control)
    return 1 if silent or not all(fired for _, fired, _ in results) else 0


def watch_by_every_kind(config: Path) -> None:
    """Put our rules and our objective in the place of the shop's."""
    text = config.read_text()
    before, _, rest = text.partition("objectives:\n")
    channels = rest[rest.index("channels:\n") :]
    config.write_text(before + OBJECTIVE + RULES + channels)


def control_fired(up: Up, lab: Lab) -> list[str]:
    """The rules that fired although nothing was wrong; the watchdog's mail must have come."""
    fired = {alert["rule"] for alert in up.items("alerts") if alert["firing_since_ns"]}
    if not mails_of(lab, "r-watchdog"):
        fired.add("r-watchdog told nobody")
    return sorted(fired - {"r-watchdog"})


def try_one(trial: Trial, up: Up, lab: Lab) -> tuple[Trial, float | None, Mapping[str, Any] | None]:
    """Seconds from the fault until the rule fired, and the mail that told it; None where not."""
    fired_s: float | None = None
    mail: Mapping[str, Any] | None = None
    until_quiet(trial.rule, up)
    known = len(mails_of(lab, trial.rule))
    with striking(trial, lab):
        began_ns = time.time_ns()
        while time.time_ns() - began_ns < trial.lasts_s * NS:
            time.sleep(LOOK_S)
            since_ns = firing_since_ns(trial.rule, up)
            if fired_s is None and since_ns > began_ns:
                fired_s = (since_ns - began_ns) / NS
            told = mails_of(lab, trial.rule)
            if fired_s is not None and len(told) > known:
                mail = told[0]
                break
    print(f"{trial.rule}: {fired_s}, {mail and mail['subject']}", file=sys.stderr, flush=True)
    time.sleep(SETTLES_S)
    return trial, fired_s, mail


def firing_since_ns(rule: str, up: Up) -> int:
    """When the newest firing alert of a rule began to; 0 where none fires."""
    since_ns = (
        alert["firing_since_ns"]
        for alert in up.items("alerts")
        if alert["rule"] == rule and alert["state"] == "firing"
    )
    return max(since_ns, default=0)


def until_quiet(rule: str, up: Up) -> None:
    """Wait until what an earlier fault set off has ended: a lost message is a lag as well."""
    until_s = time.monotonic() + ROOM_S
    while firing_since_ns(rule, up) and time.monotonic() < until_s:
        time.sleep(LOOK_S)


@contextmanager
def striking(trial: Trial, lab: Lab) -> Iterator[None]:
    """The fault for its time; what the lab has no fault for is done to the real Redis."""
    addresses = {node["name"]: node["address"].rpartition(":") for node in lab.nodes}
    if trial.fault == EMPTIED:
        host, _, port = addresses[trial.nodes[0]]
        with emptied(host, int(port)):
            yield
        return
    if trial.fault == PAUSED:
        for node in trial.nodes:
            host, _, port = addresses[node]
            with redis.Redis(host=host, port=int(port)) as client:
                client.client_pause(int(trial.lasts_s * 1000), all=True)
        yield
        return
    for node in trial.nodes:
        inject(lab, trial.fault.partition(",")[0], node, trial.lasts_s)
    yield


def inject(lab: Lab, kind: str, node: str, lasts_s: float) -> None:
    """As soon as there is room for it: an earlier one may still be there."""
    until_s = time.monotonic() + ROOM_S
    while True:
        try:
            lab.inject(kind, node, lasts_s)
            return
        except LabError:
            if time.monotonic() > until_s:
                raise
            time.sleep(LOOK_S)


@contextmanager
def emptied(host: str, port: int) -> Iterator[None]:
    """A Redis without its entries until the end."""
    stop = threading.Event()

    def empty() -> None:
        with redis.Redis(host=host, port=port) as client:
            while not stop.wait(0.2):
                client.flushall()

    thread = threading.Thread(target=empty)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def mails_of(lab: Lab, rule: str) -> list[Mapping[str, Any]]:
    """The mails of the shop's inbox that tell of a rule, newest first."""
    with urllib.request.urlopen(f"{lab.inbox}mails.json", timeout=10) as answer:
        listed: list[Mapping[str, Any]] = json.load(answer)
    return [mail for mail in listed if rule in mail["subject"]]


def tell(
    results: Sequence[tuple[Trial, float | None, Mapping[str, Any] | None]],
    silent: Sequence[str],
    control_min: float,
) -> None:
    """The table."""
    print(f"control of {control_min:g} min without a fault: fired {', '.join(silent) or 'none'}\n")
    print("| rule kind | fault | fired after | mail |")
    print("|---|---|---|---|")
    for trial, fired_s, mail in results:
        when = "did not fire" if fired_s is None else f"{fired_s:.1f} s"
        subject = "none" if mail is None else f"{mail['first_line']}"
        print(f"| {trial.kind} | {trial.fault} at {', '.join(trial.nodes)} | {when} | {subject} |")
    print("| watchdog | none: it fires always | at the start | came in the control |")


if __name__ == "__main__":
    sys.exit(main())
