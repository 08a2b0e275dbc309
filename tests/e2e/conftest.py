"""A lab in which nothing goes wrong unless a test makes it, and `up` on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.redis_server import RedisMissingError, find_redis_server
from lab.start import Lab, start_lab
from tests.e2e.running import Up
from tests.servers.installed import installed

StartLab = Callable[[Path], Lab]
StartUp = Callable[..., Up]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Lab]:
    """A lab of one region, without faults of its own."""
    with _lab(tmp_path / "lab") as lab:
        yield lab


@pytest.fixture(scope="module")
def shared_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One for a whole module, which leaves it as it was."""
    with _lab(tmp_path_factory.mktemp("e2e") / "lab") as lab:
        yield lab


@pytest.fixture
def start_up() -> Iterator[StartUp]:
    """Starts `up` processes that end with the test."""
    started: list[Up] = []

    def start(config: Path, listen: str = "127.0.0.1:0") -> Up:
        started.append(Up(config, listen))
        return started[-1]

    yield start
    for up in started:
        with up:
            pass


def _lab(directory: Path) -> Lab:
    try:
        find_redis_server()
    except RedisMissingError:
        installed("redis-server")
    return start_lab(directory, 1, False, regions=("eu",))
