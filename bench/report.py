"""The report of a generated month, made twice; and kill -9 at random steps of making and mailing.

    python -m bench.report [--kills 100] [--seed 1]

The month lies across the end of summer time. Its JSON is to be the same to the byte from two stores
that were filled alike. Then a worker makes a report that is due and mails it, and is killed at or
shortly after a random step of that, again and again; at the end each report was made once, and its
mails have one Message-ID.
"""

import argparse
import asyncio
import multiprocessing
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path

from alerts.base import Outcome
from alerts.letter import message_id
from alerts.mail import MailChannel, MailOptions
from alerts.outbox import LEASE_NS, Outbox
from alerts.report_letter import compose_report, owe_report
from bench.sink import deliver_all, take_mail
from reports.ask import Subscription
from reports.desk import Desk
from reports.document import ReportDocument
from reports.make import make_report
from store.alert_book import NotificationRow
from store.sqlite import SqliteStore
from tests.reports.month import BERLIN, DAY, SPECS, UNTIL, S, ask, seed_month

FORK = multiprocessing.get_context("fork")
SENDER, TO = "sw@example.com", "sre@example.com"
STEPS = ("begins", "has made it", "has kept it", "mails it", "has mailed it", "is done")
LATER_S = 0.005
"""A kill comes so long after its step at most."""
NOW_NS = (UNTIL + DAY) * S


def main() -> int:
    """Both; 1 where bytes differ, or a report was lost or told under two names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stalewatch-bench-") as folder:
        month = Path(folder) / "month.db"
        is_same = make_twice(month)
        desk = Crashes(Path(folder), month)
        try:
            return desk.run(args.kills, random.Random(args.seed)) or int(not is_same)
        finally:
            desk.sink.kill()
            desk.sink.join()


def make_twice(month: Path) -> bool:
    """From two stores; whether the bytes are the same."""
    texts = []
    for path in (":memory:", str(month)):
        with closing(SqliteStore(path)) as store:
            seed_month(store)
            began = time.perf_counter()
            document = make_report(store, SPECS, ask())
            took_ms = (time.perf_counter() - began) * 1e3
            texts.append(document.to_json())
            if path != ":memory:":
                store.backup(str(month.with_suffix(".copy")))
        digest = sha256(texts[-1].encode()).hexdigest()[:16]
        print(f"{document.week}, {document.hours} h: {len(texts[-1]):,} bytes of JSON in ", end="")
        print(f"{took_ms:.0f} ms, sha256 {digest}…")
    shutil.move(month.with_suffix(".copy"), month)
    print(f"byte-identical: {texts[0] == texts[1]}")
    return texts[0] == texts[1]


class Crashes:
    """A store with a month, a mail server, and the workers between them."""

    def __init__(self, folder: Path, month: Path) -> None:
        self._path = month
        self._taken = folder / "taken"
        self._taken.touch()
        listener = socket.create_server(("127.0.0.1", 0))
        self._port = listener.getsockname()[1]
        self.sink = FORK.Process(target=take_mail, args=(listener, self._taken), daemon=True)
        self.sink.start()
        listener.close()
        self._reports = 0
        # Templates are compiled here once, and not in each worker again.
        with closing(SqliteStore(str(month))) as store:
            document = make_report(store, SPECS, ask())
        compose_report(owe_report("sre", [TO], document, NOW_NS), SENDER, "")

    def run(self, kills: int, dice: random.Random) -> int:
        """All kills, and what they came to."""
        steps: Counter[str] = Counter()
        for _ in range(kills):
            step = dice.choice(STEPS)
            self._work(step, dice.uniform(0.0, LATER_S))
            steps[step] += 1
        self._work(STEPS[-1], 0.0)
        print(f"{kills} kills, up to {LATER_S * 1e3:.0f} ms after the worker:")
        for step in STEPS:
            print(f"{steps[step]:6} {step}")
        return self._tell()

    def _work(self, until: str, later_s: float) -> None:
        """One more report is due; the worker is killed after this step."""
        self._reports += 1
        ours, theirs = FORK.Pipe()
        given = self._path, self._port, self._reports, theirs
        worker = FORK.Process(target=_make_and_tell, args=given)
        worker.start()
        while ours.recv() != until:
            pass
        time.sleep(later_s)
        worker.kill()
        worker.join()
        assert worker.exitcode == -signal.SIGKILL

    def _tell(self) -> int:
        mails = Counter(self._mails())
        ids = {message_id(_id(number), SENDER) for number in range(1, self._reports + 1)}
        with closing(SqliteStore(str(self._path))) as store:
            made = len(store.reports(limit=10_000))
        lost, strange = ids - mails.keys(), mails.keys() - ids
        twice = sum(mails.values()) - len(mails)
        print(f"due {self._reports}, made {made}, mailed {len(ids & mails.keys())}, ", end="")
        print(f"lost {len(lost)}, duplicates {twice}, of another Message-ID {len(strange)}")
        return 1 if lost or strange or made != self._reports else 0

    def _mails(self) -> list[str]:
        return self._taken.read_text().split()


def _name(number: int) -> str:
    return f"r{number:04}"


def _id(number: int) -> str:
    return f"report:{_name(number)}:2026-W43"


class _Told:
    """A mail channel that says over a line what it does."""

    def __init__(self, channel: MailChannel, line: Connection) -> None:
        self._channel, self._line = channel, line
        self.recipients, self.address = channel.recipients, channel.address

    async def deliver(self, notification: NotificationRow) -> Outcome:
        self._line.send("mails it")
        outcome = await self._channel.deliver(notification)
        self._line.send("has mailed it")
        return outcome

    async def greet(self) -> str:
        return await self._channel.greet()


def _make_and_tell(path: Path, port: int, reports: int, line: Connection) -> None:
    """The worker: make and mail what is due, say each step, wait at the end."""
    store = SqliteStore(str(path))
    desk = Desk(store)
    desk.begin([replace(BERLIN, name=_name(each + 1)) for each in range(reports)], SPECS)
    options = {"smtp": f"127.0.0.1:{port}", "tls": "none", "from": SENDER, "to": [TO]}
    channel = MailChannel(MailOptions.model_validate(options), "https://ops.example.com/")
    now_ns = NOW_NS + reports * 2 * LEASE_NS  # the leases of whoever was killed have run out
    outbox = Outbox(store, {"sre": _Told(channel, line)}, lambda: now_ns, random.Random(0).random)

    def owe(_: Subscription, document: ReportDocument, now_ns: int) -> Sequence[NotificationRow]:
        line.send("has made it")
        return [owe_report("sre", [TO], document, now_ns)]

    line.send("begins")
    desk.make_due(NOW_NS, owe)
    line.send("has kept it")
    asyncio.run(deliver_all(outbox))
    line.send("is done")
    signal.pause()


if __name__ == "__main__":
    sys.exit(main())
