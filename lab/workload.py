"""The shop's own traffic, drawn from a seed: writes and reads over unevenly popular keys."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import httpx2

from lab.catalogue import PRODUCTS, NodeAddress, Topology
from lab.writer import Writer

WRITES_PER_S: Final = 2.0
PAGES_PER_S: Final = 10.0
PRODUCTS_A_PAGE: Final = 5
PAGES_AT_ONCE: Final = 4
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
    """Reads and writes until it is cancelled. `clients` are by the name of the node."""

    def __init__(
        self,
        writer: Writer,
        topology: Topology,
        clients: Mapping[str, httpx2.AsyncClient],
        seed: int,
    ) -> None:
        self._writer = writer
        self._edges = topology.of("edge")
        self._apps = topology.of("app")
        self._clients = clients
        self._seed = seed
        self._places = asyncio.Semaphore(PAGES_AT_ONCE)
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
            await asyncio.sleep(rng.expovariate(PAGES_PER_S))
            node = rng.choice(self._edges if rng.random() < EDGE_SHARE else self._apps)
            await self._places.acquire()
            keys = [popularity.draw() for _ in range(PRODUCTS_A_PAGE)]
            reading = group.create_task(self._read_page(node, keys))
            reading.add_done_callback(lambda _: self._places.release())

    async def _read_page(self, node: NodeAddress, keys: Sequence[str]) -> None:
        for key in keys:
            await self._read(node, key)

    async def _read(self, node: NodeAddress, key: str) -> None:
        client = self._clients[node.name]
        request = self._requests.get((node.name, key))
        if request is None:
            request = client.build_request("GET", f"http://{node.target}/products/{key}")
            self._requests[node.name, key] = request
        try:
            await client.send(request)
        except httpx2.HTTPError:
            return  # a partitioned node may fail: a shopper would go away, too


@contextlib.asynccontextmanager
async def clients_of(topology: Topology) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
    """A client for each edge and app node: a pool of few connections is searched quickly."""
    async with contextlib.AsyncExitStack() as stack:
        limits = httpx2.Limits(max_connections=PAGES_AT_ONCE, max_keepalive_connections=1)
        yield {
            node.name: await stack.enter_async_context(
                httpx2.AsyncClient(timeout=2, trust_env=False, limits=limits)
            )
            for node in (*topology.of("edge"), *topology.of("app"))
        }
