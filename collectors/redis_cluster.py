"""The nodes of a Redis Cluster, found from any of them, and which of them serve an entry.

Where a node says that an entry has moved, the cluster is asked again; nobody is sent to a place
that the cluster does not list.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from collectors.base import KeyPage, NowNs, SourceError, Target
from collectors.discovery import Discovered, Finder
from collectors.options import PLACEHOLDER
from collectors.redis_link import RedisLink, error_word
from collectors.redis_server import RedisOptions, link_to
from collectors.redis_slots import ClusterNode, SlotMap, parse_nodes, slot_of
from collectors.redis_walk import walk

ASKED_AT_ONCE: Final = 3
"""So many nodes are asked, since one alone may be behind the others."""
MOST_ASKED: Final = 12
ADVICE: Final = {
    "NOPERM": "NOPERM: the user may not run CLUSTER NODES; see check --grants",
    "ERR": "cluster mode is off there; check placement",
}


@dataclass(frozen=True, slots=True)
class _View:
    """The cluster as the node at a target sees it."""

    asked: Target
    nodes: Sequence[ClusterNode]

    @property
    def epoch(self) -> int:
        """The newest change of who serves what that the view has."""
        return max(node.epoch for node in self.nodes)


class RedisCluster:
    """A cluster that `seeds` lead to.

    A node has the name and the region of the seed with its address; else it is `host:port`, in the
    region of the node that told of it.
    """

    def __init__(self, seeds: Finder, options: RedisOptions, now_ns: NowNs) -> None:
        self._seeds = seeds
        self._options = options
        self._now_ns = now_ns
        self._targets: tuple[Target, ...] = ()
        self._slots: SlotMap | None = None

    async def discover(self) -> Discovered:
        """The nodes that the cluster lists; those of its last answer where no node answers."""
        found = await self._seeds.discover()
        views, problems = await self._ask(dict.fromkeys((*found.targets, *self._targets)))
        if not views:
            whys = (*found.problems, *problems, f"keeping {len(self._targets)} nodes")
            return Discovered(self._targets, problems=whys)
        newest = max(views, key=lambda view: view.epoch)
        named = {node.id: _target(node, newest, found.targets) for node in _served(newest.nodes)}
        slots = SlotMap(newest.nodes, {id: target.name for id, target in named.items()})
        targets = tuple(sorted(named.values(), key=lambda target: (target.host, target.port)))
        gone = tuple(one for one in self._targets if one not in targets)
        has_moved = self._slots is not None and slots != self._slots
        self._targets, self._slots = targets, slots
        return Discovered(targets, gone, found.problems, has_moved)

    def holders(self, name: str) -> Collection[str] | None:
        """The master and the replicas that serve the entry."""
        return self._slots.holders(name) if self._slots is not None else None

    async def _ask(self, targets: Iterable[Target]) -> tuple[list[_View], list[str]]:
        """How the first few of the targets that answer see the cluster, and why others did not."""
        views: list[_View] = []
        problems: list[str] = []
        rest = list(targets)[:MOST_ASKED]
        while rest and not views:
            asked, rest = rest[:ASKED_AT_ONCE], rest[ASKED_AT_ONCE:]
            for answer in await asyncio.gather(*map(self._ask_one, asked)):
                (views if isinstance(answer, _View) else problems).append(answer)  # type: ignore[arg-type]
        return views, problems

    async def _ask_one(self, target: Target) -> _View | str:
        link = link_to(target.host, target.port, self._options, self._now_ns)
        try:
            return _View(target, await read_nodes(link))
        except SourceError as error:
            return f"{target.name}: {error}"
        finally:
            await link.close()


async def read_nodes(link: RedisLink) -> Sequence[ClusterNode]:
    """The cluster as one node sees it. Raises SourceError."""
    done = await link.exchange([("CLUSTER", "NODES")])
    reply = None if done.why else done.replies[0]
    if why := done.why or error_word(reply):
        raise SourceError(ADVICE.get(why, why))
    if not isinstance(reply, bytes):
        raise SourceError("not the answer to CLUSTER NODES")
    try:
        return parse_nodes(reply.decode())
    except ValueError:
        raise SourceError("not the answer to CLUSTER NODES") from None


async def walk_clustered(link: RedisLink, template: str, cursor: str) -> KeyPage:
    """As `walk`; keys of slots that the node does not serve, by its own word, are strays.

    Those of slots on their way to it are left out: who held them answers for them until they have
    arrived. Raises SourceError.
    """
    before = await read_nodes(link)
    page = await walk(link, template, cursor)
    served, arriving = _slots_of((before, await read_nodes(link)))
    at = {key: _slot(template, key) for key in page.keys}
    strays = [key for key, slot in at.items() if slot not in served and slot not in arriving]
    keys = [key for key in page.keys if at[key] in served or at[key] not in arriving]
    return KeyPage(keys, page.cursor, strays)


def _slots_of(views: Iterable[Sequence[ClusterNode]]) -> tuple[set[int], set[int]]:
    """The slots that a node serves, by any of its own views, and those that it takes over."""
    served: set[int] = set()
    arriving: set[int] = set()
    for nodes in views:
        [asked] = [node for node in nodes if "myself" in node.flags]
        arriving |= asked.arriving
        for node in nodes:
            if node.id in (asked.id, asked.master):
                served.update(slot for slots in node.slots for slot in slots)
    return served, arriving


def _slot(template: str, key: str) -> int:
    return slot_of(template.replace(PLACEHOLDER, key).encode("utf-8", "surrogatepass"))


def _served(nodes: Sequence[ClusterNode]) -> list[ClusterNode]:
    """Those that serve anything, or are held for dead; no other has anything to show."""
    masters = {node.id for node in nodes if node.slots}
    return [node for node in nodes if {node.id, node.master} & masters or node.is_failed]


def _target(node: ClusterNode, view: _View, seeds: Sequence[Target]) -> Target:
    # A node that was never told its own address leaves it out: it is where we asked.
    host = node.host or view.asked.host
    for seed in seeds:
        if seed.port == node.port and seed.host in (host, node.hostname):
            return replace(seed, host=host)
    shown = f"[{host}]" if ":" in host else host
    return Target(f"{shown}:{node.port}", host, node.port, view.asked.region)
