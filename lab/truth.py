"""What really happened: every commit, every change of every copy and every fault, as it happens.

Each process of the lab appends JSON lines to a file of its own under `truth/`; all stamps are the
wall clock of this one machine in nanoseconds. Nothing of the server ever reads them.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

DIRECTORY = "truth"


class TruthLog:
    """The appending end, of one process."""

    def __init__(self, lab_dir: Path, process: str) -> None:
        directory = lab_dir / DIRECTORY
        directory.mkdir(parents=True, exist_ok=True)
        self._file = (directory / f"{process}.jsonl").open("a", buffering=1, encoding="utf-8")

    def committed(
        self, key: str, version: int, started_ns: int, ended_ns: int, *, price: int | None = None
    ) -> None:
        """The origin committed `version` between the two instants."""
        self._append(e="commit", t=started_ns, done=ended_ns, key=key, version=version, price=price)

    def held(
        self,
        node: tuple[str, str],
        key: str,
        version: int,
        until_ns: int,
        *,
        price: int | None = None,
        at: tuple[int, int] | None = None,
    ) -> None:
        """The node (layer, name) holds `version` from now, or from `at` (ns, sequence), on."""
        t, seq = at or (time.time_ns(), 0)
        layer, name = node
        self._append(
            e="held",
            t=t,
            seq=seq,
            layer=layer,
            node=name,
            key=key,
            version=version,
            until=until_ns,
            price=price,
        )

    def gone(self, node: tuple[str, str], key: str, *, at: tuple[int, int] | None = None) -> None:
        """The node holds no copy from now, or from `at`, on."""
        t, seq = at or (time.time_ns(), 0)
        layer, name = node
        self._append(e="gone", t=t, seq=seq, layer=layer, node=name, key=key)

    def fault_began(self, fault: "Fault", *, whole_node: bool = False) -> None:
        """A fault acts from `fault.start_s` on; `whole_node`: on every key written from then on."""
        self._append(
            e="fault",
            t=_ns(fault.start_s),
            id=fault.id,
            kind=fault.kind,
            layer=fault.layer,
            node=fault.node,
            keys=list(fault.keys),
            whole_node=whole_node,
            shows=fault.shows,
            wrong=dict(fault.wrong),
            beside=[asdict(each) for each in fault.beside],
        )

    def fault_ended(self, fault_id: str, keys: Sequence[str]) -> None:
        """A fault was repaired; `keys` are all that it touched."""
        self._append(e="repaired", t=time.time_ns(), id=fault_id, keys=list(keys))

    def ticked(self) -> None:
        """Nothing more; what was open is still so now."""
        self._append(e="tick", t=time.time_ns())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _append(self, **event: Any) -> None:
        self._file.write(json.dumps(event, separators=(",", ":")) + "\n")


@dataclass(frozen=True, slots=True)
class Commit:
    """A version that the origin committed at `at_s` (Unix seconds)."""

    key: str
    version: int
    at_s: float
    price: int | None = None
    """What a copy of that version must hold; None: not recorded."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A node held `version` in [start_s, end_s): replaced, removed, expired, or still there."""

    layer: str
    node: str
    key: str
    version: int
    start_s: float
    end_s: float
    price: int | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """A copy at another node that a fault makes stale as well, and the class of what ails it."""

    layer: str
    node: str
    kind: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One injected fault; `end_s` is None while it lasts."""

    id: str
    kind: str
    layer: str
    node: str
    keys: tuple[str, ...]
    start_s: float
    end_s: float | None = None
    shows: str = "stale"
    """What of it can be seen: stale, torn, config-drift, skew, or none."""
    wrong: Mapping[str, Any] = field(default_factory=dict)
    """What else is not as it should be, by name, as a lifetime or who owns the key."""
    own_keys: tuple[str, ...] = ()
    """Those of its keys that it was given, and wrote itself where it writes."""
    beside: tuple[Beside, ...] = ()


@dataclass(frozen=True, slots=True)
class Truth:
    """All that happened until `until_s` (Unix seconds)."""

    commits: tuple[Commit, ...]
    holdings: tuple[Holding, ...]
    faults: tuple[Fault, ...] = ()
    until_s: float = 0.0

    @classmethod
    def load(cls, lab_dir: Path, now_s: float | None = None) -> Self:
        """Reads a lab's directory. `now_s`: it still runs, and what is open lasts until then."""
        events = [event for path in (lab_dir / DIRECTORY).glob("*.jsonl") for event in _read(path)]
        events.sort(key=lambda event: (event["t"], event.get("seq", 0)))
        until_s = max(events[-1]["t"] / 1e9 if events else 0.0, now_s or 0.0)
        return cls(
            commits=tuple(
                Commit(event["key"], event["version"], event["t"] / 1e9, event.get("price"))
                for event in events
                if event["e"] == "commit"
            ),
            holdings=_holdings(events, until_s),
            faults=_faults(events),
            until_s=until_s,
        )


@dataclass(slots=True)
class _Open:
    version: int
    price: int | None
    start_s: float
    until_s: float


@dataclass(slots=True)
class _Copies:
    """Folds the state changes of all copies into holdings."""

    open: dict[tuple[str, str, str], _Open] = field(default_factory=dict)
    closed: list[Holding] = field(default_factory=list)

    def take(self, event: Mapping[str, Any]) -> None:
        copy = (event["layer"], event["node"], event["key"])
        t_s = event["t"] / 1e9
        self._close(copy, t_s)
        if event["e"] == "held":
            self.open[copy] = _Open(event["version"], event.get("price"), t_s, event["until"] / 1e9)

    def close_all(self, at_s: float) -> None:
        for copy in list(self.open):
            self._close(copy, at_s)

    def _close(self, copy: tuple[str, str, str], at_s: float) -> None:
        was = self.open.pop(copy, None)
        if was is not None:
            end_s = max(was.start_s, min(at_s, was.until_s))
            self.closed.append(Holding(*copy, was.version, was.start_s, end_s, was.price))


def _holdings(events: Iterable[Mapping[str, Any]], until_s: float) -> tuple[Holding, ...]:
    copies = _Copies()
    for event in events:
        if event["e"] in {"held", "gone"}:
            copies.take(event)
    copies.close_all(until_s)
    return tuple(sorted(copies.closed, key=lambda holding: holding.start_s))


def _faults(events: Sequence[Mapping[str, Any]]) -> tuple[Fault, ...]:
    repaired = {event["id"]: event for event in events if event["e"] == "repaired"}
    return tuple(
        _fault(event, repaired.get(event["id"]), events)
        for event in events
        if event["e"] == "fault"
    )


def _fault(
    began: Mapping[str, Any],
    repaired: Mapping[str, Any] | None,
    events: Iterable[Mapping[str, Any]],
) -> Fault:
    keys = began["keys"] if repaired is None else repaired["keys"]
    if repaired is None and began["whole_node"]:
        written = (event for event in events if event["e"] == "commit")
        keys = {event["key"] for event in written if event["t"] >= began["t"]}
    return Fault(
        id=began["id"],
        kind=began["kind"],
        layer=began["layer"],
        node=began["node"],
        keys=tuple(sorted(keys)),
        start_s=began["t"] / 1e9,
        end_s=None if repaired is None else repaired["t"] / 1e9,
        shows=began["shows"],
        wrong=began["wrong"],
        own_keys=tuple(sorted(began["keys"])),
        beside=tuple(Beside(**each) for each in began["beside"]),
    )


def _read(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield json.loads(line)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
