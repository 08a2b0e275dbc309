"""The truth at the origin: which value was current from which instant on."""

from dataclasses import dataclass
from random import Random

from freshness.model import ABSENT, Order, Value
from tests.simulator.dials import Dials


@dataclass(frozen=True)
class State:
    """One value of the key, current from `instant` until the instant of the next state.

    `identity` tells apart what a reused version number cannot: two states share it only where their
    content is the same. A `life` ends with a restore or with an absence that carries no version.
    """

    instant: int
    value: Value
    identity: str
    life: int = 0
    is_restored: bool = False
    owner: str | None = None
    """The clock of the observer that wrote it, None where it was a writer that nobody watches."""


def index_at(states: list[State], instant: int) -> int:
    """The state that was current at an instant: the last one to commit by then."""
    for index in range(len(states) - 1, 0, -1):
        if states[index].instant <= instant:
            return index
    return 0


def draw_states(rng: Random, dials: Dials) -> list[State]:
    """A first state from before anybody looked, then commits at random instants, some in bursts."""
    first = -1 - rng.randint(0, 2 * dials.horizon)
    if dials.digests:
        states = [State(first, *_digest(rng, dials, 0))]
    elif dials.strength["recreation"] and rng.random() < 0.2:
        states = [State(first, ABSENT, "absent")]
    else:
        version = rng.choice((0, 1, 1, 5))
        value = Value(version, _projection(rng, dials, absent=False))
        states = [State(first, value, f"0:{version}")]
    commits = rng.choice((0, 1, 2, 3, 5, 8, 12))
    for instant in sorted(_instant(rng, dials) for _ in range(commits)):
        states.append(_next(rng, dials, states, instant))
    return states


def _instant(rng: Random, dials: Dials) -> int:
    instant = rng.randint(0, dials.horizon)
    return instant // 8 * 8 if rng.random() < 0.2 else instant


def _digest(rng: Random, dials: Dials, number: int) -> tuple[Value, str]:
    """A value without a version; from a small alphabet, and sometimes absent, where it recurs."""
    if not dials.recurs:
        return Value(projection=f"d{number}"), f"d{number}"
    if rng.random() < 0.15:
        return ABSENT, "absent"
    letter = rng.choice("abc")
    return Value(projection=letter), letter


def _next(rng: Random, dials: Dials, states: list[State], instant: int) -> State:
    last = states[-1]
    if dials.digests:
        return State(instant, *_digest(rng, dials, len(states)))
    if last.value == ABSENT:
        value = Value(1, _projection(rng, dials, absent=False))
        return State(instant, value, f"{last.life}:1", last.life)
    life, version = last.life + 1, last.value.version or 0
    if rng.random() < 0.4 * dials.strength["recreation"]:
        return State(instant, ABSENT, "absent", life)
    older = [s for s in states if s.life == last.life and (s.value.version or version) < version]
    if older and rng.random() < 0.4 * dials.strength["restore"]:
        base = rng.choice(older)
        return State(instant, base.value, base.identity, life, is_restored=True)
    version += rng.randint(1, 4) if dials.order is Order.MONOTONE else 1
    absent = rng.random() < dials.strength["delete"] * 0.5
    value = Value(version, _projection(rng, dials, absent), absent)
    return State(instant, value, f"{last.life}:{version}", last.life)


def _projection(rng: Random, dials: Dials, absent: bool) -> str | None:
    """A projection that stands beside the version; it recurs, since contents do."""
    return rng.choice("pqr") if dials.strength["projections"] and not absent else None
