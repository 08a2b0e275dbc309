"""Which nodes a layer has: listed, found in DNS, or read from a file that something else writes.

A source that fails keeps its last answer and says so, so that a broken name server makes no node
disappear. A node that a good answer no longer lists is gone.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol, Self

import dns.asyncresolver
import dns.exception
from dns.rdtypes.IN.SRV import SRV
from pydantic import Field, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from collectors.base import SourceError, Target
from collectors.held import is_held
from collectors.options import ConnectionOptions, shown
from settings import FilePath, Section

LIFETIME_S: Final = 3.0
LONGEST_FILE_BYTES: Final = 4 << 20
MOST_FILES: Final = 10_000
_ADDRESS: Final = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:\[\]/@]+))(?::(\d{1,5}))?")

Port = Annotated[int, Field(ge=1, le=65535)]


class SentinelOptions(ConnectionOptions):
    """The Sentinels that watch over a Redis and its replicas; all of them are nodes."""

    name: str
    """What the Sentinels call the master: `mymaster`."""
    sentinels: Annotated[tuple[str, ...], Field(min_length=1, max_length=16)]
    """`host:port` of each Sentinel; the usual port is 26379."""

    @model_validator(mode="after")
    def _has_addresses(self) -> Self:
        for address in self.sentinels:
            split_address(address)
        return self


AskSentinels = Callable[[SentinelOptions], Awaitable[Sequence[tuple[str, int]]]]
"""Hosts and ports of a master and its replicas; raises SourceError."""


class NodeEntry(Section):
    """Where nodes come from; exactly one of `static`, `dns`, `file` and `sentinel`."""

    static: str | tuple[str, ...] | None = None
    """`host:port`, or a list of them."""
    dns: str | None = None
    """A name to look up."""
    file: FilePath | None = None
    """A file in Prometheus's file_sd format, or several: its name may hold `*`."""
    sentinel: SentinelOptions | None = None
    """The Sentinels that say which Redis is the master, and which its replicas are."""
    type: Literal["A", "AAAA", "SRV"] = "A"
    """Which records to look up."""
    port: Port | None = None
    """Port of nodes whose source tells none; else the usual one of the layer's kind."""
    name: str | None = None
    """Name of the node; `host:port` where it is left out."""
    region: str = ""
    """Region of the nodes."""
    resolver: str | None = None
    """Address of a name server, `host` or `host:port`, instead of the machine's."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        sources = (self.static, self.dns, self.file, self.sentinel)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("expected exactly one of static, dns, file and sentinel")
        if self.name is not None and not isinstance(self.static, str):
            raise ValueError("expected a name only beside one static node")
        for address in self.addresses:
            split_address(address)
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """The static addresses."""
        if self.static is None:
            return ()
        return (self.static,) if isinstance(self.static, str) else self.static

    @property
    def label(self) -> str:
        """What to call the source in a message."""
        if self.sentinel is not None:
            return f"sentinel {shown(self.sentinel.name, 80)}"
        return f"dns {self.dns}" if self.dns else f"file {self.file}" if self.file else "static"


@dataclass(frozen=True, slots=True)
class Discovered:
    """One answer: all targets now, those that are no longer listed, and what went wrong.

    `has_moved` says that some entries are expected at other nodes than before.
    """

    targets: tuple[Target, ...]
    gone: tuple[Target, ...] = ()
    problems: tuple[str, ...] = ()
    has_moved: bool = False


class Finder(Protocol):
    """What finds the nodes of a layer."""

    async def discover(self) -> Discovered:
        """The nodes as they are now. Never raises for what a source does."""
        ...


class Discovery:
    """The nodes of one layer. `default_port` is the usual port of the layer's kind.

    `ask_sentinels` is how Sentinels are asked, where nodes of the kind may have some.
    """

    def __init__(
        self,
        entries: Sequence[NodeEntry],
        default_port: int | None = None,
        ask_sentinels: AskSentinels | None = None,
    ) -> None:
        self._entries = entries
        self._default_port = default_port
        self._ask_sentinels = ask_sentinels
        self._answers: list[Sequence[Target]] = [()] * len(entries)
        self._targets: tuple[Target, ...] = ()

    async def discover(self) -> Discovered:
        """Ask every source again. Never raises for what a source does."""
        found = await asyncio.gather(*(self._try(number) for number in range(len(self._entries))))
        problems = [problem for problem in found if problem]
        targets, clashes = _unique(target for answer in self._answers for target in answer)
        names = {target.name for target in targets}
        gone = tuple(target for target in self._targets if target.name not in names)
        self._targets = targets
        return Discovered(targets, gone, (*problems, *clashes))

    async def _try(self, number: int) -> str:
        """Keep a new answer, or the last one and the reason."""
        entry = self._entries[number]
        try:
            self._answers[number] = await self._ask(entry)
        except SourceError as error:
            return f"{entry.label}: {error}; keeping {len(self._answers[number])} nodes"
        return ""

    async def _ask(self, entry: NodeEntry) -> Sequence[Target]:
        port = entry.port or self._default_port
        if entry.dns is not None:
            return [_target(host, at or port, entry) for host, at in await _look_up(entry)]
        if entry.file is not None:
            return await asyncio.to_thread(_read_files, entry, entry.file, port)
        if entry.sentinel is not None:
            if self._ask_sentinels is None:
                raise SourceError("nodes of this kind have no Sentinels")
            found = await self._ask_sentinels(entry.sentinel)
            return [_target(host, at, entry) for host, at in found]
        split = [split_address(address) for address in entry.addresses]
        return [_target(host, at or port, entry, entry.name) for host, at in split]


def split_address(address: str) -> tuple[str, int | None]:
    """`host:port`, `host` or `[::1]:port` → host and port. Raises ValueError."""
    match = _ADDRESS.fullmatch(address)
    port = int(match[3]) if match and match[3] else None
    if match is None or (port is not None and not 1 <= port <= 65535):
        raise ValueError(f"expected host:port, not {shown(address, 80)!r}")
    return match[1] or match[2], port


def _target(
    host: str, port: int | None, entry: NodeEntry, name: str | None = None, region: str = ""
) -> Target:
    if port is None:
        raise SourceError(f"no port is given for {shown(host, 80)}")
    shown_host = f"[{host}]" if ":" in host else host
    return Target(name or f"{shown_host}:{port}", host, port, region or entry.region)


def _unique(targets: Iterable[Target]) -> tuple[tuple[Target, ...], list[str]]:
    """Each target once, by name; two places of one name are a problem, and the first is kept."""
    kept: dict[str, Target] = {}
    clashes = []
    for target in targets:
        other = kept.setdefault(target.name, target)
        if (other.host, other.port) != (target.host, target.port):
            clashes.append(f"two nodes are called {target.name}; the first is kept")
    return tuple(kept.values()), clashes


async def _look_up(entry: NodeEntry) -> list[tuple[str, int | None]]:
    """Hosts and ports that DNS lists, in a stable order. Raises SourceError."""
    try:
        resolver = _resolver(entry)
        answer = await resolver.resolve(str(entry.dns), entry.type, lifetime=LIFETIME_S)
    except (dns.exception.DNSException, OSError, ValueError) as error:
        reason = type(error).__name__ if isinstance(error, dns.exception.DNSException) else error
        raise SourceError(f"looking up {entry.type} failed: {shown(str(reason))}") from None
    if entry.type == "SRV":
        records = [record for record in answer if isinstance(record, SRV)]
        return sorted((str(one.target).rstrip("."), int(one.port)) for one in records)
    return sorted((str(record), None) for record in answer)


def _resolver(entry: NodeEntry) -> dns.asyncresolver.Resolver:
    if entry.resolver is None:
        return dns.asyncresolver.Resolver()
    host, port = split_address(entry.resolver)
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [host]
    resolver.port = port or 53
    return resolver


def _read_files(entry: NodeEntry, path: Path, port: int | None) -> list[Target]:
    """The targets of a file_sd file, or of all whose names match. Raises SourceError."""
    if "*" not in path.name:
        return _read_file(entry, path, port)
    found = sorted(path.parent.glob(path.name))
    if len(found) > MOST_FILES:
        raise SourceError(f"more than {MOST_FILES} files")
    return [target for one in found for target in _read_if_there(entry, one, port)]


def _read_if_there(entry: NodeEntry, path: Path, port: int | None) -> list[Target]:
    """The targets of a file that was listed; none where it has gone since."""
    try:
        return _read_file(entry, path, port)
    except SourceError:
        if path.exists():
            raise
        return []


def _read_file(entry: NodeEntry, path: Path, port: int | None) -> list[Target]:
    groups = _load(path)
    if not isinstance(groups, list):
        raise SourceError("expected a list of {targets: [...], labels: {...}}")
    return [target for group in groups for target in _read_group(group, entry, path, port)]


def _load(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST_FILE_BYTES + 1)
        if len(raw) > LONGEST_FILE_BYTES:
            raise SourceError(f"longer than {LONGEST_FILE_BYTES} bytes")
        return YAML(typ="safe", pure=True).load(raw.decode())
    except OSError as error:
        raise SourceError(f"cannot read it: {error.strerror}") from None
    except (YAMLError, UnicodeDecodeError, ValueError, RecursionError):
        raise SourceError("neither JSON nor YAML") from None


def _read_group(group: Any, entry: NodeEntry, path: Path, port: int | None) -> list[Target]:
    labels = group.get("labels", {}) if isinstance(group, dict) else None
    addresses = group.get("targets") if isinstance(group, dict) else None
    if not isinstance(labels, dict) or not isinstance(addresses, list):
        raise SourceError("expected a list of {targets: [...], labels: {...}}")
    name, region = (str(labels.get(label) or "") for label in ("name", "region"))
    if name and len(addresses) > 1:
        raise SourceError(f"the name {shown(name, 80)} stands for several targets")
    if (lock := labels.get("lock")) and not is_held(path.parent / Path(str(lock)).name):
        return []  # who wrote it has ended
    try:
        split = [split_address(str(address)) for address in addresses]
    except ValueError as error:
        raise SourceError(str(error)) from None
    return [_target(host, at or port, entry, name or None, region) for host, at in split]
