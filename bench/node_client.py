"""A process that puts a steady load of GETs on a Redis node, and tells how late each answer was."""

import multiprocessing
import random
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

import redis

FORK = multiprocessing.get_context("fork")


class Client:
    """A process that asks the node for random keys at a steady rate whenever it is told to."""

    def __init__(self, port: int, keys: int, rate: float) -> None:
        self._line, theirs = FORK.Pipe()
        given = (theirs, port, keys, rate)
        self._process = FORK.Process(target=_ask_on, args=given, daemon=True)
        self._process.start()

    def run(self, seconds: float) -> Sequence[float]:
        """The latency of each GET of so many seconds, from when it was due, in seconds."""
        self._line.send(seconds)
        latencies: Sequence[float] = self._line.recv()
        return latencies

    def stop(self) -> None:
        """End the process."""
        self._line.send(None)
        self._process.join()


def name_of(number: int) -> str:
    """What the node calls a key."""
    return f"product:{number}"


def _ask_on(line: Connection, port: int, keys: int, rate: float) -> None:
    """The client: stretches until there are no more."""
    client, dice = redis.Redis(port=port), random.Random(1)
    while (seconds := line.recv()) is not None:
        latencies = []
        began = time.monotonic()
        for number in range(int(seconds * rate)):
            due = began + number / rate
            early_s = due - time.monotonic()
            if early_s > 0:
                time.sleep(early_s)
            client.get(name_of(dice.randrange(keys)))
            latencies.append(time.monotonic() - due)
        line.send(latencies)
