"""kill -9 of the outbox's worker at random steps: what is lost, and what comes twice.

    python -m bench.outbox_crash [--kills 200] [--seed 1]

Before each kill a few notifications are owed; a worker process leases, mails and settles them, and
is killed at a random instant of that. The next one has a clock that is past the leases. The mail
server is a real one (aiosmtpd) in a process of its own, which writes down every mail that it takes.
"""

import argparse
import asyncio
import multiprocessing
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

from alerts.base import Message, ToldAlert
from alerts.letter import compose, message_id
from alerts.mail import MailChannel, MailOptions
from alerts.outbox import LEASE_NS, Outbox
from bench.sink import deliver_all, take_mail
from store.alert_book import NotificationRow
from store.sqlite import SqliteStore

FORK = multiprocessing.get_context("fork")
SENDER, TO = "sw@example.com", ("sre@example.com",)
OWED_EACH = 3
ALL = 1_000_000


def main() -> int:
    """Kill, deliver the rest, print; 1 where something was lost or came under another name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stalewatch-bench-") as folder:
        desk = Desk(Path(folder))
        try:
            return desk.run(args.kills, random.Random(args.seed))
        finally:
            desk.sink.kill()
            desk.sink.join()


class Desk:
    """A store, a mail server, and the workers between them."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "sw.db"
        self._taken = folder / "taken"
        self._taken.touch()
        listener = socket.create_server(("127.0.0.1", 0))
        self._port = listener.getsockname()[1]
        self.sink = FORK.Process(target=take_mail, args=(listener, self._taken), daemon=True)
        self.sink.start()
        listener.close()
        self._owed: list[str] = []
        self._round = 0
        self._round_ns = 0
        self._taken_before = 0
        # Templates are compiled here once, and not in each worker again.
        compose(_notification("0", 0), SENDER, TO, "")

    def run(self, kills: int, rng: random.Random) -> int:
        """All kills, and what they came to."""
        usual_s = self._work(None)
        steps: Counter[str] = Counter()
        for _ in range(kills):
            self._work(rng.uniform(0.0, usual_s))
            steps[self._step()] += 1
        self._work(None)
        return self._tell(kills, steps, usual_s)

    def _work(self, kill_after_s: float | None) -> float:
        """Owe a few and let a worker begin; seconds until it was done, where nobody killed it."""
        self._round += 1
        offset_ns = self._round * 2 * LEASE_NS
        self._round_ns = time.time_ns() + offset_ns
        self._taken_before = len(self._mails())
        self._owe(self._round_ns)
        ours, theirs = FORK.Pipe()
        worker = FORK.Process(target=_deliver, args=(self._path, self._port, offset_ns, theirs))
        worker.start()
        ours.recv()
        start = time.monotonic()
        if kill_after_s is None:
            ours.recv()
        else:
            time.sleep(kill_after_s)
        took_s = time.monotonic() - start
        worker.kill()
        worker.join()
        assert worker.exitcode == -signal.SIGKILL
        return took_s

    def _owe(self, now_ns: int) -> None:
        ids = [f"{self._round}-{number}" for number in range(OWED_EACH)]
        self._owed += ids
        store = SqliteStore(str(self._path))
        store.write_alerts([], [], [_notification(id, now_ns) for id in ids])
        store.close()

    def _step(self) -> str:
        """How far the killed worker had come with what it had taken up last."""
        taken = set(self._mails()[self._taken_before :])
        rows = self._rows()
        leased = [row for row in rows if (row.leased_until_ns or 0) > self._round_ns]
        if any(message_id(row.id, SENDER) in taken for row in leased if row.state == "leased"):
            return "a mail was taken and not yet settled"
        if any(row.state == "leased" for row in leased):
            return "mails were leased and none of them taken"
        is_done = any((row.delivered_at_ns or 0) > self._round_ns for row in rows)
        return "all that was leased was settled" if is_done else "nothing was leased yet"

    def _mails(self) -> list[str]:
        return self._taken.read_text().split()

    def _rows(self) -> list[NotificationRow]:
        store = SqliteStore(str(self._path))
        rows = list(store.notifications(limit=ALL))
        store.close()
        return rows

    def _tell(self, kills: int, steps: Counter[str], usual_s: float) -> int:
        mails = Counter(self._mails())
        owed = {message_id(id, SENDER) for id in self._owed}
        settled = sum(row.state == "delivered" for row in self._rows())
        print(f"{kills} kills, within {usual_s * 1e3:.0f} ms of the worker's start:")
        for step, count in steps.most_common():
            print(f"{count:6} {step}")
        lost, strange = owed - mails.keys(), mails.keys() - owed
        twice = sum(count - 1 for count in mails.values())
        print(
            f"owed {len(owed)}, delivered {len(owed & mails.keys())}, settled {settled}, ", end=""
        )
        print(
            f"lost {len(lost)}, duplicates {twice}, all but {len(strange)} of the same Message-ID"
        )
        return 1 if lost or strange or settled != len(owed) else 0


def _deliver(path: Path, port: int, offset_ns: int, line: Connection) -> None:
    """The worker: say that it begins, deliver what is due, say that it is done, wait."""
    store = SqliteStore(str(path))
    options = {"smtp": f"127.0.0.1:{port}", "tls": "none", "from": SENDER, "to": TO}
    channel = MailChannel(MailOptions.model_validate(options), "https://ops.example.com/")
    outbox = Outbox(
        store, {"sre": channel}, lambda: time.time_ns() + offset_ns, random.Random(0).random
    )
    line.send("begins")
    asyncio.run(deliver_all(outbox))
    line.send("is done")
    signal.pause()


def _notification(id: str, now_ns: int) -> NotificationRow:
    told = ToldAlert(
        id="a1",
        rule="edge-stale",
        status="firing",
        is_news=True,
        summary="edge holds 1 stale copy",
        reason="held",
        since_ns=now_ns,
        at_ns=now_ns,
    )
    message = Message("first", {"rule": "edge-stale"}, [told], now_ns, "alerts")
    return NotificationRow(
        id=id,
        channel="sre",
        alerts=("a1",),
        kind="first",
        thread=id,
        payload=message.to_payload(),
        recipients=TO,
        state="owed",
        attempts=0,
        created_at_ns=now_ns,
        next_at_ns=now_ns,
    )


if __name__ == "__main__":
    sys.exit(main())
