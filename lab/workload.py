"""The shop's own traffic, drawn from a seed: writes and reads over unevenly popular keys."""

import asyncio
import random
from typing import Final

import httpx2

from lab.catalogue import PRODUCTS, NodeAddress, Topology
from lab.writer import Writer

WRITES_PER_S: Final = 2.0
READS_PER_S: Final = 50.0
READS_AT_ONCE: Final = 8
EDGE_SHARE: Final = 0.8
_SKEW: Final = 0.8


class Popularity:
    """Zipf's law over the keys, in an order of the seed's choosing."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._keys = [str(number) for number in range(1, PRODUCTS + 1)]
        rng.shuffle(self._keys)
        self._weights = [1 / rank**_SKEW for rank in range(1, PRODUCTS + 1)]

    def draw(self) -> str:
        """A key."""
        return self._rng.choices(self._keys, self._weights)[0]


class Workload:
    """Reads and writes until it is cancelled."""

    def __init__(
        self, writer: Writer, topology: Topology, http: httpx2.AsyncClient, seed: int
    ) -> None:
        self._writer = writer
        self._edges = topology.of("edge")
        self._apps = topology.of("app")
        self._http = http
        self._seed = seed
        self._places = asyncio.Semaphore(READS_AT_ONCE)
        self._requests: dict[tuple[str, str], httpx2.Request] = {}

    async def run(self) -> None:
        """Warms every cache, then goes on for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_on())
            await self._warm_up()
            group.create_task(self._read_on(group))

    async def _warm_up(self) -> None:
        # Applications first, so that each edge read finds its copy one layer below.
        for node in (*self._apps, *self._edges):
            for number in range(1, PRODUCTS + 1):
                await self._read(node, str(number))

    async def _write_on(self) -> None:
        rng = random.Random(f"{self._seed}:writes")
        popularity = Popularity(rng)
        while True:
            await asyncio.sleep(rng.expovariate(WRITES_PER_S))
            key = popularity.draw()
            if key not in self._writer.reserved:
                await self._writer.write(key)

    async def _read_on(self, group: asyncio.TaskGroup) -> None:
        rng = random.Random(f"{self._seed}:reads")
        popularity = Popularity(rng)
        while True:
            await asyncio.sleep(rng.expovariate(READS_PER_S))
            node = rng.choice(self._edges if rng.random() < EDGE_SHARE else self._apps)
            await self._places.acquire()
            reading = group.create_task(self._read(node, popularity.draw()))
            reading.add_done_callback(lambda _: self._places.release())

    async def _read(self, node: NodeAddress, key: str) -> None:
        request = self._requests.get((node.name, key))
        if request is None:
            url = f"http://{node.target}/products/{key}"
            request = self._requests[node.name, key] = self._http.build_request("GET", url)
        try:
            await self._http.send(request)
        except httpx2.HTTPError:
            return  # a partitioned node may fail: a shopper would go away, too
