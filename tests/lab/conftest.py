"""A running shop, and the way a user's probe would read its nodes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.redis_server import RedisMissingError, find_redis_server
from lab.start import Lab, start_lab
from tests.lab.reading import Reader
from tests.servers.installed import installed

StartLab = Callable[..., Lab]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartLab]:
    """Starts labs that stop with the module."""
    labs: list[Lab] = []

    def start_one(seed: int = 1, *, faults: bool = False) -> Lab:
        labs.append(start_lab(_directory(tmp_path_factory), seed, faults))
        return labs[-1]

    yield start_one
    for lab in labs:
        lab.stop()


@pytest.fixture(scope="module")
def quiet_lab(start: StartLab) -> Lab:
    """A lab in which nothing goes wrong unless a test makes it."""
    return start()


@pytest.fixture
def reader(quiet_lab: Lab) -> Iterator[Reader]:
    """Reads the nodes of `quiet_lab`."""
    with Reader(quiet_lab) as made:
        yield made


def _directory(factory: pytest.TempPathFactory) -> Path:
    try:
        find_redis_server()
    except RedisMissingError:
        installed("redis-server")
    return factory.mktemp("lab")
